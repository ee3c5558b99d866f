using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Formats;
using FaceDistill.Runs;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests.Runs;

public sealed class ModelArgumentTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void Run_folder_exported_file_and_teacher_are_opened_alike()
    {
        OnnxWriter.Write(StudentOnnx.Build(run.Checkpoint), _folder["student.onnx"]);
        string card = TinyTeacher.Write(_folder["teacher"]);
        string[] arguments = [run.Folder, run.Folder + Path.DirectorySeparatorChar, _folder["student.onnx"], "teacher:" + card];
        string[] names = [.. arguments.Select(a =>
        {
            using var model = Open(a);
            Assert.Equal((16, 64, "dlib"), (model.Dimension, model.Contract.Size, model.Contract.Template));
            return model.Name;
        })];
        Assert.Equal(["mobilenet-v1:0.25@64 (run)", "mobilenet-v1:0.25@64 (run)", "mobilenet-v1:0.25@64 (student.onnx)", "tiny"], names);
        Assert.Equal([true, true, false, false], arguments.Select(ModelArgument.IsRun));
        Assert.Equal([false, false, false, true], arguments.Select(ModelArgument.IsTeacher));
    }

    [Fact]
    public void What_is_no_model_is_one_clear_line()
    {
        TinyTeacher.Write(_folder["foreign"]);
        File.WriteAllText(_folder["text.onnx"], "not a model");
        Directory.CreateDirectory(_folder["empty"]);
        Refused(_folder["empty"], "give a run folder");
        Refused(_folder["none.onnx"], "give a run folder");
        Refused("nonsense", "give a run folder");
        Refused("", "give a run folder");
        Refused(_folder["text.onnx"], "is not a model that ONNX Runtime loads");
        Refused(_folder["foreign/tiny.onnx"], "write a card");
        Refused("teacher:no-such", "no-such");
        Refused("teacher:", "teacher");
        string card = TinyTeacher.Write(_folder["foreign"]);
        Refused(card, $"{card} is a card: give teacher:{card}");
        Assert.Contains("is a card", Assert.Throws<FaceDistillException>(() => ModelArgument.Metadata(card)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"size\": 64}")]
    [InlineData("{")]
    [InlineData("{\"size\": 64, \"template\": \"dlib\", \"colorOrder\": \"rgb\", \"layout\": \"nchw\", \"mean\": [0], \"std\": [1, 1, 1]}")]
    [InlineData("{\"size\": 64, \"template\": \"dlib\", \"colorOrder\": \"rgb\", \"layout\": \"nchw\", \"mean\": [0, 0, 0], \"std\": [1, 0, 1]}")]
    public void A_file_with_a_wrong_contract_is_refused(string contract)
    {
        var graph = StudentOnnx.Build(run.Checkpoint);
        graph.Metadata[ExportedModel.ContractKey] = contract;
        OnnxWriter.Write(graph, _folder["student.onnx"]);
        Refused(_folder["student.onnx"], ExportedModel.ContractKey);
    }

    [Theory]
    [InlineData("junk")]
    [InlineData("mobilenet-v1:1000@64")]
    public void Metadata_of_no_student_name_the_file(string student)
    {
        var graph = StudentOnnx.Build(run.Checkpoint);
        StudentMetadata.Write(graph.Metadata, run.Checkpoint.Description, new GraphPrePostprocessing());
        graph.Metadata[ExportedModel.StudentKey] = student;
        OnnxWriter.Write(graph, _folder["student.onnx"]);
        string message = Assert.Throws<FaceDistillException>(() => ModelArgument.Cost(_folder["student.onnx"])).Message;
        Assert.StartsWith($"{_folder["student.onnx"]}, metadata facedistill.student: '{student}' is no student", message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_exported_file_that_gives_every_picture_the_same_embedding_is_refused()
    {
        var graph = new OnnxGraph("dead");
        string x = graph.Input("input", OnnxElementType.Float32, "batch", 3, 64, 64);
        x = graph.Mul("nothing", graph.Flatten("means", graph.GlobalAveragePool("pooled", x)), graph.Initializer<float>("nought", [0], 1));
        graph.Node("Add", "embedding", [x, graph.Initializer<float>("constant", [1, 2, 3], 3)]);
        graph.Output("embedding", OnnxElementType.Float32, "batch", 3);
        StudentMetadata.Write(graph.Metadata, run.Checkpoint.Description, new GraphPrePostprocessing());
        OnnxWriter.Write(graph, _folder["dead.onnx"]);
        Refused(_folder["dead.onnx"], "gives two different pictures the very same embedding");
        Assert.Throws<FaceDistillException>(() => FaceEmbedder.Load(_folder["dead.onnx"]));
    }

    [Fact]
    public void A_damaged_run_is_refused()
    {
        Directory.CreateDirectory(_folder["run"]);
        File.WriteAllText(_folder[$"run/{StudentCheckpoint.FileName}"], "damaged");
        Refused(_folder["run"], "not a whole safetensors file");
    }

    public void Dispose() => _folder.Dispose();

    private IEmbedder Open(string argument) => ModelArgument.Open(argument, new AssetFinder([], [], _folder["cache"]), "cpu");

    private void Refused(string argument, string expected)
    {
        var error = Assert.Throws<FaceDistillException>(() => Open(argument).Dispose());
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
