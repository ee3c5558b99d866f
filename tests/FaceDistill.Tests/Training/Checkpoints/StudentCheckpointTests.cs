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

    private void WriteGood()
    {
        using var model = new MobileNetV1(Description.Architecture());
        using var optimizer = new AdamWState(model, 0.02) { Steps = 11 };
        StudentCheckpoint.Write(File1, new RunPosition(Description, new TargetScaling([0, 1, 2, 3, 4], 0.125f), Options, State),
            new TrainedStudent(model) { Optimizer = optimizer });
    }

    private static string Error(Action action)
    {
        string message = Assert.Throws<FaceDistillException>(action).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
