using FaceDistill.Formats;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Losses;

namespace FaceDistill.Tests.Training;

/// <summary>Checkpoints whose ArcFace numbered people by their folders' names ("loss.centres").</summary>
public sealed class EarlierArcFaceTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_finished_run_is_as_it_was_and_one_that_is_not_is_refused(int epochs)
    {
        using var folder = new TempFolder();
        var options = TinyRun.Options with { Loss = new LossOptions { ArcFace = 0.1 }, Run = TinyRun.Options.Run with { Epochs = 1 } };
        using (var trainer = tiny.Trainer(folder.Path, options))
        {
            trainer.Run(JobContext.None);
        }

        string file = folder[StudentCheckpoint.FileName];
        var (tensors, metadata) = SafetensorsFile.Read(file);
        metadata.Remove(SafetensorsFile.ChecksumKey);
        metadata["options"] = metadata["options"].Replace("\"epochs\": 1", $"\"epochs\": {epochs}", StringComparison.Ordinal);
        Assert.Equal(epochs == 1, !metadata["options"].Contains("\"epochs\": 2", StringComparison.Ordinal));
        SafetensorsFile.Write(file, tensors.ToDictionary(t => t.Key.Replace("class_centres", "centres", StringComparison.Ordinal), t => t.Value), metadata);
        using var again = tiny.Trainer(folder.Path, options with { Run = options.Run with { Epochs = epochs } });
        if (epochs == 1)
        {
            again.Resume(StudentCheckpoint.Read(file));
            Assert.Equal(1, again.Run(JobContext.None).Epoch);
        }
        else
        {
            string message = Assert.Throws<FaceDistillException>(() => again.Resume(StudentCheckpoint.Read(file))).Message;
            Assert.StartsWith($"{file} is of an earlier version, which numbered ArcFace's people otherwise", message, StringComparison.Ordinal);
        }
    }
}
