using FaceDistill.Faces;

namespace FaceDistill.Distillation;

/// <summary>Aligned faces, some of them mirrored, with the teacher's embeddings of both.</summary>
/// <param name="faces">Faces and targets.</param>
/// <param name="pixels">The faces at the student's size.</param>
/// <param name="mirror">Whether half of them are mirrored.</param>
/// <param name="seed">Decides which.</param>
internal sealed class PlainBatches(TrainingFaces faces, FacePixels pixels, bool mirror, long seed) : IBatchFiller
{
    /// <inheritdoc/>
    public void Fill(TrainingBatch batch, int epoch, int[] indices, CancellationToken stop) => ParallelFaces.Run(indices.Length, i =>
    {
        var view = mirror && (SeededChoice.Bits(seed, epoch, indices[i], purpose: 1) & 1) == 1 ? FaceView.Mirrored : FaceView.Original;
        pixels.Copy(indices[i], view, batch.PixelsOf(i));
        faces.Scaling.Apply(faces.Embedding(indices[i], view), batch.TargetOf(i));
    }, stop);
}
