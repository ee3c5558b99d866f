using System.Text;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Training.Checkpoints;

public sealed class StudentCheckpointTests : IDisposable
{
    private static readonly DistillOptions Options = new()
    {
        Student = new StudentOptions { Name = "mobilenet-v1:0.25@64", Head = HeadKind.Gdc },
        Run = new TrainingRunOptions { Epochs = 7, Seed = long.MaxValue },
        Optimizer = new OptimizerOptions { LearningRate = 0.1234567890123 },
    };

    private static readonly StudentDescription Description = new(
        Options.Student.Name, Options.Student.Head, 5, FaceTensor.StudentContract(64, "dlib"), "teacher", new string('a', 64)) { TargetScale = 0.125f };

    private static readonly TrainingState State = new(2, 3, 1.25,
        [new(1, 0.9, 0.8, 0.7, 0.1, 12.5) { ImagesPerSecond = 400 }, new(2, 0.5, null, null, 0.05, 12) { ImagesPerSecond = 410 }]);

    private readonly TempFolder _folder = new();

    private string File1 => _folder[StudentCheckpoint.FileName];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read_and_written_again_alike()
    {
        WriteGood();
        var read = StudentCheckpoint.Read(File1);
        Assert.Equal(Options, read.Options);
        Assert.Equal(JsonFile.Serialize(Description), JsonFile.Serialize(read.Description));
        Assert.Equal(JsonFile.Serialize(State), JsonFile.Serialize(read.State));
        Assert.Equal(11, read.OptimizerSteps);
        Assert.Equal([0f, 1, 2, 3, 4], read.Scaling.Mean);
        Assert.Equal(0.125f, read.Scaling.Scale);
        using var model = new MobileNetV1(Description.Architecture());
        using var optimizer = new AdamWState(model, 0.02);
        var student = new TrainedStudent(model) { Optimizer = optimizer };
        read.Restore(student);
        StudentCheckpoint.Write(_folder["again"], new RunPosition(read.Description, read.Scaling, read.Options, read.State), student);
        Assert.Equal(File.ReadAllBytes(File1), File.ReadAllBytes(_folder["again"]));
        using var loaded = read.LoadModel();
        Assert.False(loaded.training);
        var (name, weight) = loaded.named_parameters().First();
        Assert.Equal(read.Weight(name, weight.shape), weight.data<float>().ToArray());
    }

    [Fact]
    public void A_truncated_a_foreign_and_a_missing_file_are_one_clear_line()
    {
        WriteGood();
        byte[] whole = File.ReadAllBytes(File1);
        foreach (int length in new[] { 0, 7, 100, whole.Length / 2, whole.Length - 1 })
        {
            File.WriteAllBytes(File1, whole[..length]);
            Assert.StartsWith($"{File1} is not a whole safetensors file", Error(() => StudentCheckpoint.Read(File1)), StringComparison.Ordinal);
        }

        SafetensorsFile.Write(File1, new Dictionary<string, SafeTensor> { ["a"] = SafeTensor.Of([1f], 1) }, new Dictionary<string, string>());
        Assert.Contains("no checkpoint of FaceDistill", Error(() => StudentCheckpoint.Read(File1)), StringComparison.Ordinal);
        Assert.StartsWith($"no checkpoint {_folder["none"]}", Error(() => StudentCheckpoint.Read(_folder["none"])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("description")]
    [InlineData("options")]
    [InlineData("state")]
    [InlineData("optimizerSteps")]
    public void A_missing_or_malformed_text_is_one_clear_line(string key)
    {
        foreach (string? text in new[] { null, "", "null", "{", "[1]" })
        {
            WriteGood();
            Change((_, metadata) =>
            {
                metadata.Remove(key);
                if (text is not null)
                {
                    metadata[key] = text;
                }
            });
            Assert.StartsWith($"{File1} is damaged", Error(() => StudentCheckpoint.Read(File1)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("description", "\"mobilenet-v1:0.25@64\"", "\"x\"", "'x' is no student")]
    [InlineData("description", "0.25@64", "1000@64", "the width multiplier is above 0 and at most 1")]
    [InlineData("description", "0.25@64", "0.25@96", "takes 96 pixels, and its contract says 64")]
    [InlineData("description", "\"size\": 64", "\"size\": 100000", "size 100000 is not within 32 to 1024")]
    [InlineData("description", "\"dlib\"", "\"none\"", "no alignment template 'none'")]
    [InlineData("description", "\"dimension\": 5", "\"dimension\": 0", "1 to 65536 values, not 0")]
    [InlineData("description", "0.125", "-1", "the targets' scale is above 0, not -1")]
    [InlineData("options", "\"epochs\": 7", "\"epochs\": 0", "epochs are 1 to 10000, not 0")]
    [InlineData("options", "\"device\": \"auto\"", "\"device\": \"tpu\"", "no device 'tpu'")]
    [InlineData("state", "\"epoch\": 2,\n  \"step\"", "\"epoch\": -1,\n  \"step\"", "epoch -1 of 7")]
    [InlineData("state", "\"epoch\": 2,\n  \"step\"", "\"epoch\": 1000000000,\n  \"step\"", "epoch 1000000000 of 7")]
    [InlineData("state", "\"epoch\": 2,\n  \"step\"", "\"epoch\": 3,\n  \"step\"", "3 epochs are done, and its log is of 2 others")]
    [InlineData("state", "\"step\": 3", "\"step\": -5", "step -5")]
    [InlineData("state", "\"best\": null", "\"best\": { \"epoch\": 99, \"centredCosine\": 0.5 }", "the best epoch is 99 of 2")]
    [InlineData("optimizerSteps", "11", "-1", "the optimizer's steps are below 0")]
    public void What_cannot_be_is_refused_and_the_file_named(string key, string from, string to, string says)
    {
        WriteGood();
        Change((_, metadata) =>
        {
            Assert.Contains(from, metadata[key], StringComparison.Ordinal);
            metadata[key] = metadata[key].Replace(from, to, StringComparison.Ordinal);
        });
        string message = Error(() => StudentCheckpoint.Read(File1));
        Assert.StartsWith($"{File1} is damaged: ", message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_of_the_format_without_a_checksum_is_read_with_a_note_and_one_that_lost_its_checksum_is_not()
    {
        WriteGood();
        Assert.Null(StudentCheckpoint.Read(File1).Note);
        WithoutChecksum(metadata => metadata["format"] = "facedistill-checkpoint-1");
        var read = StudentCheckpoint.Read(File1);
        Assert.StartsWith($"{File1} is of an earlier version and carries no checksum", read.Note, StringComparison.Ordinal);
        Restore(read);
        WithoutChecksum(metadata => metadata["format"] = "facedistill-checkpoint-2");
        Assert.Contains("its checksum is missing", Error(() => StudentCheckpoint.Read(File1)), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_head_than_the_weights_have_is_refused_also_without_a_checksum()
    {
        WriteGood();
        WithoutChecksum(metadata =>
        {
            metadata["format"] = "facedistill-checkpoint-1";
            metadata["description"] = metadata["description"].Replace("\"gdc\"", "\"gap\"", StringComparison.Ordinal);
        });
        Assert.Contains("with the head Gap has no gdc", Error(() => StudentCheckpoint.Read(File1).LoadModel().Dispose()), StringComparison.Ordinal);
    }

    [Fact]
    public void The_best_student_of_another_run_is_refused()
    {
        WriteGood(State with { Best = new BestEpoch(1, 0.5) });
        File.Copy(File1, _folder[RunStudent.BestFileName]);
        Assert.Equal(_folder[RunStudent.BestFileName], RunStudent.Open(_folder.Path).Path);
        string best = _folder[RunStudent.BestFileName];
        var (tensors, metadata) = SafetensorsFile.Read(best);
        metadata["description"] = metadata["description"].Replace("\"teacher\": \"teacher\"", "\"teacher\": \"other\"", StringComparison.Ordinal);
        SafetensorsFile.Write(best, tensors, metadata);
        Assert.StartsWith($"{best} is not of the run of ", Error(() => RunStudent.Open(_folder.Path)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_tensor_and_one_of_another_shape_or_type_are_named()
    {
        foreach (string kind in new[] { "missing", "shape", "type" })
        {
            foreach (string prefix in new[] { "model.", "optimizer.", "target." })
            {
                WriteGood();
                string name = "";
                Change((tensors, _) =>
                {
                    name = tensors.Keys.Order(StringComparer.Ordinal).First(n => n.StartsWith(prefix, StringComparison.Ordinal) && tensors[n].Type == "F32");
                    Damage(tensors, name, kind);
                });
                string message = Error(() => Restore(StudentCheckpoint.Read(File1)));
                Assert.StartsWith(File1, message, StringComparison.Ordinal);
                Assert.Contains(name, message, StringComparison.Ordinal);
            }
        }
    }

    private static void Damage(Dictionary<string, SafeTensor> tensors, string name, string kind)
    {
        var tensor = tensors[name];
        switch (kind)
        {
            case "missing":
                tensors.Remove(name);
                break;
            case "shape":
                tensors[name] = tensor with { Shape = [1, .. tensor.Shape] };
                break;
            default:
                tensors[name] = tensor with { Type = "F16", Data = tensor.Data[..(tensor.Data.Length / 2)] };
                break;
        }
    }

    private static void Restore(StudentCheckpoint checkpoint)
    {
        using var model = checkpoint.LoadModel();
        using var optimizer = new AdamWState(model, 0.02);
        checkpoint.Restore(new TrainedStudent(model) { Optimizer = optimizer });
    }

    private void Change(Action<Dictionary<string, SafeTensor>, Dictionary<string, string>> change)
    {
        var (tensors, metadata) = SafetensorsFile.Read(File1);
        change(tensors, metadata);
        SafetensorsFile.Write(File1, tensors, metadata);
    }

    // As versions before the checksum wrote it, byte for byte but for its place.
    private void WithoutChecksum(Action<Dictionary<string, string>> change)
    {
        var (tensors, metadata) = SafetensorsFile.Read(File1);
        metadata.Remove(SafetensorsFile.ChecksumKey);
        change(metadata);
        SafetensorsFile.Write(File1, tensors, metadata);
        byte[] file = File.ReadAllBytes(File1), key = Encoding.UTF8.GetBytes(SafetensorsFile.ChecksumKey);
        int at = file.AsSpan().IndexOf(key);
        file[at] = (byte)'x'; // another key, of no meaning
        File.WriteAllBytes(File1, file);
    }

    private void WriteGood(TrainingState? state = null)
    {
        using var model = new MobileNetV1(Description.Architecture());
        using var optimizer = new AdamWState(model, 0.02) { Steps = 11 };
        StudentCheckpoint.Write(File1, new RunPosition(Description, new TargetScaling([0, 1, 2, 3, 4], 0.125f), Options, state ?? State),
            new TrainedStudent(model) { Optimizer = optimizer });
    }

    private static string Error(Action action)
    {
        string message = Assert.Throws<FaceDistillException>(action).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
