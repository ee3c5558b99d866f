using System.Runtime.InteropServices;
using System.Text.Json;
using FaceDistill.Cli;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Synthetic;

namespace FaceDistill.Tests.Cli;

public sealed class CommandLineTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task Evaluate_json_is_one_document_with_the_fixed_keys()
    {
        Numbers("a.npy", seed: 1);
        Numbers("b.npy", seed: 2);
        var (code, output, _) = await Run("evaluate", "--embeddings", _folder["a.npy"], _folder["b.npy"], "--labels", Labels(), "--json");
        Assert.Equal(CommandLine.Done, code);
        using var document = JsonDocument.Parse(output);
        Assert.Equal(["models", "peakMemoryBytes", "protocol", "seconds", "warnings"], Keys(document.RootElement));
        var models = document.RootElement.GetProperty("models");
        Assert.Equal(["a.npy", "b.npy"], models.EnumerateArray().Select(m => m.GetProperty("name").GetString()!));
        foreach (var model in models.EnumerateArray())
        {
            Assert.Subset(Keys(model).ToHashSet(), new HashSet<string> { "name", "images", "genuinePairs", "impostorPairs", "tarAtFar", "thresholdAtFar" });
            Assert.DoesNotContain("tenFoldAccuracy", Keys(model));
            Assert.DoesNotContain("retentionAt1e-4", Keys(model));
            Assert.Equal((60, 10 * 15, (60 * 59 / 2) - (10 * 15)),
                (model.GetProperty("images").GetInt32(), model.GetProperty("genuinePairs").GetInt32(), model.GetProperty("impostorPairs").GetInt32()));
            var tar = model.GetProperty("tarAtFar");
            Assert.Equal(["1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6"], tar.EnumerateObject().Select(p => p.Name));
            Assert.InRange(tar.GetProperty("1e-2").GetDouble(), 0, 1);
            Assert.Equal(JsonValueKind.Null, tar.GetProperty("1e-4").ValueKind);
            Assert.Equal(JsonValueKind.Null, model.GetProperty("thresholdAtFar").GetProperty("1e-4").ValueKind);
        }
    }

    [Fact]
    public async Task Count_json_has_exactly_its_keys_and_several_students_give_a_list()
    {
        string[] keys = ["multAdds", "multAddsBackbone", "paper", "parameters", "parametersBackbone", "student"];
        using var one = JsonDocument.Parse((await Run("count", "mobilenet-v1:0.75@128", "--json")).Output);
        Assert.Equal(keys, Keys(one.RootElement));
        using var all = JsonDocument.Parse((await Run("count", "--json")).Output);
        Assert.Equal(
            ["mobilenet-v1:1.0@160", "mobilenet-v1:1.0@128", "mobilenet-v1:0.75@160", "mobilenet-v1:0.75@128"],
            all.RootElement.EnumerateArray().Select(s => s.GetProperty("student").GetString()!));
        Assert.All(all.RootElement.EnumerateArray(), s => Assert.Equal(keys, Keys(s)));
    }

    [Fact]
    public async Task A_result_goes_to_standard_output_and_everything_else_to_standard_error()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(4, 8, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        string card = TinyTeacher.Write(_folder["teacher"]);
        var (code, output, error) = await Run(
            "distill", "--student", "mobilenet-v1:0.25@64", "--teacher", card, "--data", _folder["faces"], "--output", _folder["run"],
            "--epochs", "1", "--batch-size", "8", "--validation", "0", "--device", "cpu", "--json");
        Assert.Equal(CommandLine.Done, code);
        using (var report = JsonDocument.Parse(output))
        {
            Assert.Equal(JsonFile.Serialize(report.RootElement),
                JsonFile.Serialize(JsonDocument.Parse(File.ReadAllText(_folder["run/report.json"])).RootElement));
        }

        Assert.NotEqual("", error);
        using var export = JsonDocument.Parse(
            (await Run("export", "--model", _folder["run"], "--format", "onnx", "--output", _folder["x.onnx"], "--json")).Output);
        Assert.Subset(Keys(export.RootElement).ToHashSet(), new HashSet<string> { "files", "maxAbsDifference", "minCosine" });
        Assert.InRange(export.RootElement.GetProperty("minCosine").GetDouble(), 0.9999, 1);
        Assert.True(File.Exists(_folder["x.onnx"]));
    }

    [Theory]
    [InlineData("quickstart")]
    [InlineData("align")]
    [InlineData("embed")]
    [InlineData("distill")]
    [InlineData("evaluate")]
    [InlineData("export")]
    [InlineData("count")]
    [InlineData("teachers")]
    [InlineData("teachers list")]
    [InlineData("teachers pull")]
    [InlineData("teachers verify")]
    [InlineData("teachers add")]
    [InlineData("datasets")]
    [InlineData("datasets list")]
    [InlineData("datasets pull")]
    [InlineData("datasets verify")]
    public async Task Every_verb_has_help_and_the_first_help_names_it(string verb)
    {
        var (code, output, error) = await Run([.. verb.Split(' '), "--help"]);
        Assert.Equal((CommandLine.Done, ""), (code, error));
        Assert.Contains($"facedistill {verb}", output, StringComparison.Ordinal);
        Assert.Contains(verb.Split(' ')[0], (await Run("--help")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("count mobilenet-v1:0.5@96 --head round")]
    [InlineData("embed --bogus")]
    [InlineData("distill --student mobilenet-v1:0.5@96")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data x --output y --epochs many")]
    [InlineData("evaluate --model x")]
    [InlineData("export")]
    [InlineData("export --model x --format coreml")]
    [InlineData("teachers bogus")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data x --output y --optimizer 7")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data x --output y --keep 1")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data x --output y --augment mild,strong")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data x --output y --targets 0")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data x --output y --epochs 2 --minutes 3")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data x --output y --aligned x")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data x --output y --models /no/such/folder")]
    [InlineData("count --head 1")]
    [InlineData("export --model x --format onnx-int8 --ranges 0")]
    [InlineData("export --model x --aligned dlib")]
    [InlineData("evaluate --model x.onnx --data y --labels z")]
    [InlineData("evaluate --model x.onnx --data y --device cpu")]
    [InlineData("evaluate --embeddings x.npy --labels z --aligned dlib")]
    [InlineData("evaluate --embeddings x.npy --labels z --flip")]
    [InlineData("embed --teacher x --data y --mirrored --flip")]
    [InlineData("embed --teacher x --data y --device cpu")]
    [InlineData("bench --model x.onnx --aligned dlib")]
    [InlineData("bench --model x.onnx --device cpu")]
    [InlineData("evaluate --embeddings x.npy --labels z --provider cuda")]
    [InlineData("embed --model x.safetensors --data y --provider cuda")]
    [InlineData("compare a.jpg b.jpg --model x.tflite --provider cuda")]
    [InlineData("search a.jpg --gallery y --model x.ncnn.param --provider directml")]
    [InlineData("audit --data x --within --output y --provider gpu")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data x --output y --provider CUDA")]
    public async Task Wrong_usage_is_one_line_and_exit_code_2(string line) => await Refused(line.Split(' '), CommandLine.Usage, "--help");

    // A list takes all that follows it, and an option that needs a value the next word.
    [Theory]
    [InlineData("distill --data p --epoch 3", "'--epoch' is no option of distill; did you mean '--epochs'?")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data p --output y --epoch=3", "'--epoch=3' is no option of distill; did you mean '--epochs'?")]
    [InlineData("count mobilenet-v1:0.5@96 --layer", "'--layer' is no option of count; did you mean '--layers'?")]
    [InlineData("teachers verify --modls x", "'--modls' is no option of teachers verify; did you mean '--models'?")]
    [InlineData("datasets pull lfw --jsn", "'--jsn' is no option of datasets pull; did you mean '--json'?")]
    [InlineData("bench --model a.onnx --round 3", "'--round' is no option of bench; did you mean '--rounds'?")]
    [InlineData("align --data --output y --template dlib", "--data needs a value")]
    [InlineData("align --data --outptu y --template dlib", "'--outptu' is no option of align; did you mean '--output'?")]
    public async Task A_mistyped_option_is_no_value(string line, string says) => await Refused(line.Split(' '), CommandLine.Usage, says);

    [Fact]
    public async Task A_path_that_begins_like_an_option_is_a_path()
    {
        string name = $"--{Path.GetFileName(_folder.Path)}"; // in the folder in which the tests run
        Directory.CreateDirectory(name);
        try
        {
            await Refused(["embed", "--teacher", "teacher:nobody", "--data", name], CommandLine.Failed, "nobody");
        }
        finally
        {
            Directory.Delete(name);
        }
    }

    [Theory]
    [InlineData("export --model {0}/nothing", "facedistill distill")]
    [InlineData("evaluate --model {0}/nothing.onnx --data {0}", "nothing.onnx")]
    [InlineData("evaluate --model teacher:nobody --data {0}", "nobody")]
    [InlineData("evaluate --embeddings {0}/text.npy --labels {0}/text.npy", "text.npy")]
    [InlineData("evaluate --embeddings {0}/a.npy", "--labels")]
    [InlineData("evaluate --embeddings {0}/a.npy --labels {0}/text.npy", "text.npy")]
    [InlineData("embed --teacher {0}/text.npy --data {0} --output {0}/out", "text.npy")]
    [InlineData("distill --student mobilenet-v1:0.5@100 --data {0} --output {0}/run", "resolution")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data {0} --output {0}/run --epochs 0", "epochs are 1 to 10000")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data {0} --output {0}/run --device cuda", "no CUDA device")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data {0} --output {0}/run --init {0}/nope", "--init {0}/nope: there is no such")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data {0} --output {0}/run --arcface-scale 30", "belong to --loss-arcface")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data {0} --output {0}/run --no-init-refit", "belong to --init")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data {0} --output {0}/run --views 4", "--augment")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data {0} --output {0}/run --keep best --validation 0 --validation-people 0", "--keep best")]
    [InlineData("quickstart --epochs 0 --output {0}/run", "epochs are 1 to 10000, not 0")]
    [InlineData("quickstart --epochs -1 --output {0}/run", "epochs are 1 to 10000, not -1")]
    [InlineData("quickstart --device cuda --output {0}/run", "no CUDA device")]
    [InlineData("export --model {0} --output {0} --format onnx", "is a folder; name a file")]
    [InlineData("embed --teacher dlib-resnet --data {0} --output {0}/text.npy", "is a file; name a folder")]
    [InlineData("bench --model x.onnx --output {0}/text.npy", "is a file; name a folder")]
    [InlineData("bench --model x.onnx --output {0}/text.npy/out", "--output {0}/text.npy/out cannot be written ({0}/text.npy is a file)")]
    [InlineData("evaluate --embeddings {0}/a.npy --labels {0}/text.npy --report {0}/text.npy/out", "/text.npy/out cannot be written ({0}/text.npy is a file)")]
    [InlineData("audit --data {0} --test {0} --teacher nobody --output {0}/text.npy/out.csv", "out.csv cannot be written ({0}/text.npy is a file)")]
    [InlineData("evaluate --model {0}/nothing.onnx --data {0} --protocol pairs --pairs {0}/none.csv", "none.csv")]
    [InlineData("evaluate --model {0}/nothing.onnx --data {0} --protocol lfw-10fold --score euclidean", "scores by cosine only")]
    [InlineData("teachers pull dlib-resnet nobody", "nobody")]
    [InlineData("datasets pull synthetic nobody", "nobody")]
    [InlineData("align --data {0}/nowhere --output {0}/out --template arcface", "nowhere")]
    [InlineData("align --data {0} --output {0}/out --shard 0/3", "--shard 0/3: a part is I/N, its number and how many there are")]
    [InlineData("align --data {0} --output {0}/out --shard 4/3", "--shard 4/3: a part is I/N, its number and how many there are")]
    [InlineData("bench --model teacher:dlib-resnet --provider openvino", "provider openvino: the ONNX Runtime that is installed has cpu")]
    [InlineData("datasets verify nobody", "nobody")]
    public async Task Wrong_input_is_one_line_that_names_it_and_exit_code_1(string line, string expected)
    {
        Numbers("a.npy", seed: 1);
        File.WriteAllText(_folder["text.npy"], "no numbers");
        string Filled(string text) => text.Replace("{0}", _folder.Path, StringComparison.Ordinal);
        await Refused([.. line.Split(' ').Select(Filled)], CommandLine.Failed, Filled(expected));
        Assert.Equal([_folder["a.npy"], _folder["text.npy"]], Directory.GetFileSystemEntries(_folder.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_the_number_of_faces_and_the_teacher_do_not_permit_is_refused_before_anything_is_embedded()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(2, 4, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        string card = TinyTeacher.Write(_folder["teacher"]);
        foreach (var (more, says) in new[] { ("--batch-size 9", "fewer than one batch of 9"), ("--batch-size 4 --dimension 17", "--dimension 17, tiny has 16"),
            ("--batch-size 4 --validation-people 3", "3 people are to be held out") })
        {
            string line = $"distill --student mobilenet-v1:0.25@64 --teacher {card} --data {_folder["faces"]} --output {_folder["run"]} {more}";
            await Refused(line.Split(' '), CommandLine.Failed, says);
            Assert.False(Directory.Exists(_folder["run"]));
        }
    }

    [Theory]
    [InlineData("Out of memory", typeof(OutOfMemoryException), "out of memory: ")]
    [InlineData("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried to allocate 64 bytes", typeof(ExternalException),
        "out of memory: ")]
    [InlineData("No space left on device : '/x/y'", typeof(IOException), "the system refuses: No space left on device : '/x/y'")]
    [InlineData("at the wrong place", typeof(InvalidOperationException), "unexpected InvalidOperationException: at the wrong place")]
    public void A_failure_is_said_in_words(string message, Type type, string says) =>
        Assert.StartsWith(says, FailureLine.Of((Exception)Activator.CreateInstance(type, message)!), StringComparison.Ordinal);

    [Fact]
    public async Task A_folder_that_another_process_writes_is_refused()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(2, 2, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        string card = TinyTeacher.Write(_folder["teacher"]);
        using var held = FolderLock.Take(_folder["run"]);
        await Refused(
            ["distill", "--student", "mobilenet-v1:0.25@64", "--teacher", card, "--data", _folder["faces"], "--output", _folder["run"]],
            CommandLine.Failed, "another facedistill is writing to");
    }

    // Blocks of more than 64 MB are kept in the heap of a process's first thread alone (docs/training.md): a verb works on the one that calls.
    [Fact]
    public async Task A_verb_works_on_the_thread_that_calls()
    {
        int here = Environment.CurrentManagedThreadId;
        using var output = new ThreadNoter();
        Assert.Equal(CommandLine.Done, await CommandLine.RunAsync(["count", "mobilenet-v1:0.5@96"], output, TextWriter.Null));
        Assert.Equal([here], output.Threads);
    }

    public void Dispose() => _folder.Dispose();

    private sealed class ThreadNoter : StringWriter
    {
        public HashSet<int> Threads { get; } = [];

        public override void Write(char value) => Threads.Add(Environment.CurrentManagedThreadId);

        public override void Write(string? value) => Threads.Add(Environment.CurrentManagedThreadId);
    }

    private static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        int code = await CommandLine.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }

    private static async Task Refused(string[] args, int expectedCode, string expected)
    {
        var (code, output, error) = await Run(args);
        Assert.Equal((expectedCode, ""), (code, output));
        Assert.StartsWith("facedistill: ", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.DoesNotContain("unexpected", error, StringComparison.Ordinal);
    }

    private static string[] Keys(JsonElement element) => [.. element.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal)];

    private void Numbers(string name, int seed)
    {
        var random = new Random(seed);
        NpyFile.Write(_folder[name], 8, [.. Enumerable.Range(0, 60 * 8).Select(_ => random.NextSingle() - 0.5f)]);
    }

    private string Labels()
    {
        File.WriteAllLines(_folder["labels.txt"], Enumerable.Range(0, 60).Select(i => $"person {i / 6}"));
        return _folder["labels.txt"];
    }
}
