using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Jobs;

namespace FaceDistill.Tests.Datasets;

public sealed class VerificationSetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>What Python 2.7 and 3.11 and NumPy wrote, of the same pictures and flags.</summary>
    public static TheoryData<string> Written { get; } =
    [
        "python2-0", "python2-1", "python2-2", "python3-0", "python3-1", "python3-2", "python3-3", "python3-4", "python3-5", "numpy-0", "numpy-2", "numpy-4",
        "numpy-5", "numpy-flags",
    ];

    [Theory]
    [MemberData(nameof(Written))]
    public void Pairs_of_Python_2_and_3_and_of_NumPy_are_read_alike(string name)
    {
        string file = Sample(name);
        var dataset = FaceDataset.List(file);
        Assert.Equal("arcface", dataset.Template); // 112 x 112
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i:d7}"), dataset.Images.Select(i => i.Path));
        Assert.All(dataset.Images, i => Assert.Equal("", i.Identity));
        Assert.Equal(FaceDataset.List(Sample("python3-4")).Images.Select(i => i.Hash), dataset.Images.Select(i => i.Hash));
        Assert.Equal(dataset.Images.Select(i => i.Hash), dataset.Images.Select(i => FaceDataset.Content(i.Place)));
        var pairs = VerificationSet.Pairs(file);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => new ImagePair($"{2 * i:d7}", $"{(2 * i) + 1:d7}", i % 2 == 0)), pairs.Pairs);
    }

    [Fact]
    public void Names_of_NumPy_2_are_known() // it writes numpy._core for numpy.core
    {
        byte[] bytes = File.ReadAllBytes(Sample("numpy-2"));
        File.WriteAllBytes(_folder["new.bin"],
            Archives.Bytes(System.Text.Encoding.Latin1.GetString(bytes).Replace("cnumpy.core.", "cnumpy._core.", StringComparison.Ordinal)));
        Assert.Equal(20, FaceDataset.List(_folder["new.bin"]).Images.Count);
    }

    [Fact]
    public void Pairs_are_measured_in_ten_folds()
    {
        string card = TinyTeacher.Write(_folder["teacher"]);
        File.WriteAllText(card, File.ReadAllText(card).Replace("\"dlib\"", "\"arcface\"", StringComparison.Ordinal));
        var data = DataFolder.Resolve(Sample("python2-2"), Finder());
        var request = new EvaluateRequest(Evaluator.PairsTenFold, ["teacher:" + card], data, null, "cpu") { Options = new EvaluationOptions { Fars = [0.2] } };
        var model = new EvaluateJob(Finder()).Run(request, JobContext.None).Models.Single();
        Assert.Equal((20, 5L, 5L), (model.Images, model.GenuinePairs, model.ImpostorPairs));
        Assert.Equal((1, 0), (model.Folds!.Accuracy, model.Folds.StandardError)); // a little lighter, or other blocks
        Assert.Equal(10, model.Folds.Folds.Count);
        Assert.Equal(1, model.Rates!.At(0.2)!.Tar);
        Assert.Contains($"measure it with --protocol {Evaluator.PairsTenFold}", Refused(request with { Protocol = Evaluator.AllPairs }),
            StringComparison.Ordinal);
        Pictures.Fill(_folder["people"], 2, 2, 112);
        Assert.Contains("is no verification set: name a .bin file", Refused(request with { Data = DataFolder.Of(_folder["people"]) }),
            StringComparison.Ordinal);
        string Refused(EvaluateRequest other) => Assert.Throws<FaceDistillException>(() => new EvaluateJob(Finder()).Run(other, JobContext.None)).Message;
    }

    [Theory]
    [InlineData("cos\nsystem\n(S'touch %'\ntR.", "byte 0: it names os.system, which plain data do not need; nothing of the file was run")]
    [InlineData("\u0080\u0004\u008c\u0005posix\u0094\u008c\u0006system\u0094\u0093\u008c\u0001x\u0085R.", "it names posix.system")]
    [InlineData("\u0080\u0004\u008c\u0008builtins\u0094\u008c\u0004eval\u0094h\u0000h\u0001\u0093\u008c\u0001x\u0085R.", "it names builtins.eval")]
    [InlineData("\u0080\u0004\u008c\u0005posix]\u008c\u0006system\u0093.", "a name that is made up")]
    [InlineData("(ios\nsystem\n.", "'i' (0x69) is no opcode of plain data")]
    [InlineData("Pmodule\n.", "'P' (0x50) is no opcode of plain data")]
    [InlineData("\u0080\u0006.", "protocol 6")]
    [InlineData("T\u00ff\u00ff\u00ff\u007fabc", "byte 0: 2147483647 bytes are claimed, where the file has 3 more")]
    [InlineData("\u008e\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007fabc", "9223372036854775807 bytes are claimed")]
    [InlineData("\u008e\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ffabc", "-1 bytes are claimed")]
    [InlineData("\u0080\u0004\u0095\u00ff\u0000\u0000\u0000\u0000\u0000\u0000\u0000N.", "a frame that is longer than the file")]
    [InlineData("(lp0\n", "the file ends within the pickle")]
    [InlineData("S'abc", "the file ends within it")]
    [InlineData("N.N.", "byte 2: 2 bytes follow the pickle's end")]
    [InlineData("R.", "is a damaged pickle")]
    [InlineData("N.", "which this is not")]
    [InlineData("((l(lt.", "has 0 pictures and 0 flags")]
    [InlineData("((lK\u0001aK\u0002a(lI01\natt.", "is a damaged pickle")] // no mark is left
    [InlineData("((lK\u0001aK\u0002a(lI01\nat.", "picture 0 is no picture file's bytes")]
    [InlineData("((lU\u0001xaU\u0001xa(lK\u0007at.", "flag 0 is not true or false")]
    [InlineData("((lU\u0001xa(lI01\nat.", "has 1 pictures and 1 flags")]
    [InlineData("", "is empty")]
    public void What_is_no_verification_set_is_refused_in_one_line(string pickle, string says)
    {
        File.WriteAllBytes(_folder["x.bin"], Archives.Bytes(pickle));
        long before = GC.GetTotalAllocatedBytes();
        string message = PlainWords.In(Assert.Throws<FaceDistillException>(() => FaceDataset.List(_folder["x.bin"])).Message);
        Assert.StartsWith(_folder["x.bin"], message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 50_000_000);
    }

    [Fact]
    public void Objects_of_NumPy_and_other_types_are_not_read()
    {
        Assert.Contains("picture 0 is a NumPy array of O8 [1], where the uint8 (u1) of a picture file are expected: objects are not read",
            Assert.Throws<FaceDistillException>(() => FaceDataset.List(Sample("numpy-objects"))).Message, StringComparison.Ordinal);
        string text = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(Sample("numpy-2")));
        File.WriteAllBytes(_folder["other.bin"], Archives.Bytes(text.Replace("u1", "i1", StringComparison.Ordinal)));
        Assert.Contains("NumPy array of i1", Assert.Throws<FaceDistillException>(() => FaceDataset.List(_folder["other.bin"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_library_s_table_of_names_is_left_as_it_was()
    {
        PickleFile.Read(Sample("numpy-4"));
        File.WriteAllBytes(_folder["x"], Archives.Bytes("cnumpy\ndtype\n."));
        using var unpickler = new Razorvine.Pickle.Unpickler();
        Assert.IsType<Razorvine.Pickle.Objects.ClassDictConstructor>(unpickler.loads(File.ReadAllBytes(_folder["x"])));
    }

    [Fact]
    public void A_copy_in_the_cache_that_was_altered_is_made_again()
    {
        // Other pictures than the samples', whose copies other tests read at the same time.
        byte[] one = File.ReadAllBytes(Pictures.Noise(_folder["a.png"], 112, 112, 1234567));
        File.WriteAllBytes(_folder["x.bin"], [.. Archives.Bytes("((l"), .. Text(one), (byte)'a', .. Text(one), .. Archives.Bytes("a(lI01\nat.")]);
        var first = FaceDataset.List(_folder["x.bin"]);
        string blob = first.Images[0].Place.File;
        foreach (int at in new[] { 100, (int)new FileInfo(blob).Length - 5, (int)new FileInfo(blob).Length - 60 })
        {
            byte[] bytes = File.ReadAllBytes(blob);
            bytes[at] ^= 1;
            File.WriteAllBytes(blob, bytes);
            Assert.Equal(first.Images, FaceDataset.List(_folder["x.bin"]).Images);
            Assert.Equal(ContentHash.Of(one), FaceDataset.Content(first.Images[0].Place));
        }

        File.WriteAllBytes(blob, File.ReadAllBytes(blob)[..50]);
        Assert.Equal(ContentHash.Of(one), FaceDataset.Content(FaceDataset.List(_folder["x.bin"]).Images[1].Place));

        static byte[] Text(byte[] bytes) => [(byte)'T', .. BitConverter.GetBytes(bytes.Length), .. bytes];
    }

    private static string Sample(string name) => Path.Combine(Archives.Samples, name + ".bin");

    private AssetFinder Finder() => new([], [], _folder["cache"]);
}
