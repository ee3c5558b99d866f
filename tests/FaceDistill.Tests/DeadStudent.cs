using FaceDistill.Formats;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests;

/// <summary>Takes the life out of a run's student: what its network gives is divided by a thousand, so that every embedding is nearly the teacher's
/// mean.</summary>
internal static class DeadStudent
{
    public static void Make(string run)
    {
        foreach (string file in new[] { StudentCheckpoint.FileName, RunStudent.BestFileName }.Select(f => Path.Combine(run, f)).Where(File.Exists))
        {
            var (tensors, metadata) = SafetensorsFile.Read(file);
            foreach (string name in tensors.Keys.Where(
                n => n.EndsWith("embedding.weight", StringComparison.Ordinal) || n.EndsWith("embedding.bias", StringComparison.Ordinal)).ToList())
            {
                tensors[name] = SafeTensor.Of([.. tensors[name].Floats().Select(w => w / 1000)], tensors[name].Shape);
            }

            SafetensorsFile.Write(file, tensors, metadata);
        }
    }

    /// <summary>Leaves the running statistics of the batch norms as training left them, as versions before did.</summary>
    public static void TakeRunningStatistics(string run)
    {
        string file = Path.Combine(run, StudentCheckpoint.FileName);
        var (tensors, metadata) = SafetensorsFile.Read(file);
        string[] estimated = [.. tensors.Keys.Where(n => n.StartsWith("statistics.", StringComparison.Ordinal))];
        Assert.NotEmpty(estimated);
        Array.ForEach(estimated, n => tensors.Remove(n));
        SafetensorsFile.Write(file, tensors, metadata);
    }
}
