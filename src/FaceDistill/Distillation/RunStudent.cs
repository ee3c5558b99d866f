namespace FaceDistill.Distillation;

/// <summary>The student that a run folder stands for when it is exported or evaluated.</summary>
public static class RunStudent
{
    /// <summary>The name of the best epoch's student in a run folder: weights only, no training state.</summary>
    public const string BestFileName = "student.best.safetensors";

    /// <summary>
    /// Reads the best student, or the last one where the run was told to keep the last (<see cref="DistillOptions.Keep"/>) or held out nothing
    /// to choose by. Its weights are the averaged ones where the run averages.
    /// </summary>
    /// <param name="folder">The run folder.</param>
    /// <exception cref="FaceDistillException">A file is missing, damaged, or no checkpoint of FaceDistill.</exception>
    public static StudentCheckpoint Open(string folder)
    {
        var last = StudentCheckpoint.Read(Path.Combine(folder, StudentCheckpoint.FileName));
        return last.Options.Keep == KeepKind.Best && last.State.Best is not null ? StudentCheckpoint.Read(Path.Combine(folder, BestFileName)) : last;
    }
}
