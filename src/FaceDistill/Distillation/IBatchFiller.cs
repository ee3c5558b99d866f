namespace FaceDistill.Distillation;

/// <summary>Fills a batch with pictures and targets that fit together. What it holds depends on the epoch and the faces alone, given the run's seed.</summary>
internal interface IBatchFiller
{
    /// <summary>Fills a batch.</summary>
    /// <param name="batch">Receives as many faces as there are indices.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="faces">The faces' places in their list.</param>
    /// <param name="stop">Stops between faces.</param>
    /// <exception cref="FaceDistillException">A picture is damaged, or the teacher fails.</exception>
    void Fill(TrainingBatch batch, int epoch, int[] faces, CancellationToken stop);
}
