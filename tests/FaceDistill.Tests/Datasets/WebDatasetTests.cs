using System.Formats.Tar;
using System.Text;
using FaceDistill.Datasets;
using FaceDistill.Files;

namespace FaceDistill.Tests.Datasets;

public sealed class WebDatasetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Tar => _folder["shards/a.tar"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ustar", "000002")]
    [InlineData("gnu", "b")]
    [InlineData("pax", "b")]
    public void Shards_of_Python_s_tarfile_are_read_from_their_places(string style, string last)
    {
        string file = Path.Combine(Archives.Samples, style + ".tar"), key = last == "b" ? new string('b', 110) : last;
        var dataset = FaceDataset.List(file);
        Assert.Equal([$"0000000/{style}-000000.png", $"0000000/{style}-000001.png", $"0000001/{style}-{key}.png"], dataset.Images.Select(i => i.Path));
        Assert.Equal(["0000000", "0000000", "0000001"], dataset.Images.Select(i => i.Identity));
        var pairs = FaceDataset.List(Path.Combine(Archives.Samples, "python3-5.bin")); // made of the same pictures
        Assert.Equal(new[] { 0, 2, 4 }.Select(i => pairs.Images[i].Hash), dataset.Images.Select(i => FaceDataset.Content(dataset.Place(i))));
        Assert.Null(dataset.Template); // a shard does not say how its pictures were aligned
    }

    [Fact]
    public void Labels_stand_in_cls_or_json_and_other_members_do_not_count()
    {
        byte[] one = Picture(1), two = Picture(2);
        Archives.WriteTar(Tar, ("x/0.jpg", one), ("x/0.json", Text("""{"caption": "a", "identity": "Ann Lee"}""")), ("x/0.txt", Text("a")),
            ("x/1.JSON", Text("""{"label": 12}""")), ("x/1.left.png", two), ("__info__.json", Text("{}")), (".hidden.jpg", one), ("readme", Text("")),
            ("2.cls", Text("7\n")), ("2.npy", Text("a")));
        Archives.WriteTar(_folder["shards/deep/b.tar"], ("0.cls", Text("7")), ("0.webp", one));
        var dataset = FaceDataset.List(_folder["shards"]);
        Assert.Equal(["0000007/deep~b-0.webp", "0000012/a-x~1.png", "Ann Lee/a-x~0.jpg"], dataset.Images.Select(i => i.Path));
        Assert.Equal(["0000007", "0000012", "Ann Lee"], dataset.Images.Select(i => i.Identity));
        Assert.Equal(new[] { one, two, one }.Select(p => ContentHash.Of(p)), dataset.Images.Select(i => FaceDataset.Content(dataset.Place(i))));
    }

    [Fact]
    public void Without_labels_the_folder_in_a_shard_is_the_person()
    {
        Directory.CreateDirectory(_folder["shards"]);
        using (var tar = new TarWriter(File.Create(Tar), TarEntryFormat.Pax, leaveOpen: false))
        {
            tar.WriteEntry(new PaxGlobalExtendedAttributesTarEntry(new Dictionary<string, string> { ["comment"] = "x" }));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "ann"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "./ann/1.png") { DataStream = new MemoryStream(Picture(1)) });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "2.png") { DataStream = new MemoryStream(Picture(2)) });
        }

        Assert.Equal([("a-2.png", ""), ("ann/a-1.png", "ann")], FaceDataset.List(Tar).Images.Select(i => (i.Path, i.Identity)));
    }

    [Fact]
    public void What_is_damaged_is_named_with_file_member_and_offset()
    {
        byte[] picture = Picture(1);
        Archives.WriteTar(Tar, ("0.cls", Text("1")), ("0.png", picture));
        byte[] whole = File.ReadAllBytes(Tar);
        string Damaged(Action<byte[]> damage, int bytes = int.MaxValue)
        {
            byte[] copy = whole[..Math.Min(bytes, whole.Length)];
            damage(copy);
            File.WriteAllBytes(Tar, copy);
            return PlainWords.In(Error());
        }

        Assert.StartsWith($"{Tar}: 0.png at byte 1024: {picture.Length} bytes long, where the file has 100 more", Damaged(_ => { }, 1536 + 100),
            StringComparison.Ordinal);
        Assert.StartsWith($"{Tar}: the file ends at byte {whole.Length - 1024} without a tar's end", Damaged(_ => { }, whole.Length - 1024),
            StringComparison.Ordinal);
        Assert.StartsWith($"{Tar}: 0.qng at byte 1024: the sum of its header is wrong", Damaged(b => b[1026] = (byte)'q'), StringComparison.Ordinal);
        Assert.StartsWith($"{Tar}: ", Damaged(b => b.AsSpan(1024 + 124, 12).Fill(255)), StringComparison.Ordinal);
        Assert.StartsWith($"{Tar}: ", Damaged(b => new Random(1).NextBytes(b)), StringComparison.Ordinal);
        for (int seed = 0; seed < 40; seed++)
        {
            Assert.StartsWith($"{Tar}: ", Damaged(b => new Random(seed).NextBytes(b.AsSpan(1024 + (12 * (seed % 40)), 12))), StringComparison.Ordinal);
        }

        File.WriteAllBytes(Tar, []);
        Assert.StartsWith(Tar, Error(), StringComparison.Ordinal);
        File.WriteAllBytes(Tar, new byte[10240]);
        Assert.Contains("holds no picture", Error(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.png:x 1.cls:4 2.png:x", "2 at byte 2048: has no label (.cls, or .json with label, identity or person), as others have")]
    [InlineData("1.png:x 1.cls:four", "1.cls at byte 1024: 'four' is no person's number")]
    [InlineData("1.png:x 1.json:{", "1.json at byte 1024: not JSON")]
    [InlineData("1.png:x 1.json:{\"label\":-1}", "its label is neither a text nor a whole number from 0")]
    [InlineData("1.png:x 1.json:{\"label\":\"\\ud800\"}", "1.json at byte 1024: a label that is no text")]
    [InlineData("1.png:x 1.json:{\"person\":\"../../etc\"}", "the label '../../etc' can be no person's name")]
    [InlineData("1.png:x 1.json:{\"person\":\"/etc\"}", "the label '/etc' can be no person's name")]
    [InlineData("1.png:x 1.jpg:x", "1.jpg at byte 1024: a second picture of one sample")]
    [InlineData("1.png:", "1.png at byte 0: is empty")]
    [InlineData("1.png:x 1.cls:", "1.cls at byte 1024: a label of 0 bytes")]
    [InlineData("1.png:x 1.cls:1 2.png:x 2.cls:1 1.png:x 1.cls:1", "two samples give 0000001/a-1.png (at bytes 512 and 4608)")]
    [InlineData("../1.png:x", "../1.png at byte 0: its name leads out of the shard")]
    [InlineData("/1.png:x", "/1.png at byte 0: its name leads out of the shard")]
    [InlineData("a\u001b[31m/1.png:x", "a\\u001B[31m/1.png at byte 0: its name has a control character")]
    [InlineData("a\t1.png:x", "a\\u00091.png at byte 0: its name has a control character")]
    [InlineData("1.txt:x", "holds no picture: a sample is KEY.jpg with KEY.cls or KEY.json")]
    public void Members_that_do_not_belong_are_refused(string members, string says)
    {
        Archives.WriteTar(Tar,
            [.. members.Split(' ').Select(m => (m[..m.IndexOf(':', StringComparison.Ordinal)], Text(m[(m.IndexOf(':', StringComparison.Ordinal) + 1)..])))]);
        string message = PlainWords.In(Error());
        Assert.StartsWith(Tar, message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink, "symbolic link")]
    [InlineData(TarEntryType.HardLink, "hard link")]
    public void Links_are_refused(TarEntryType kind, string words)
    {
        Directory.CreateDirectory(_folder["shards"]);
        using (var tar = new TarWriter(File.Create(Tar), TarEntryFormat.Ustar, leaveOpen: false))
        {
            tar.WriteEntry(new UstarTarEntry(kind, "1.png") { LinkName = "/etc/passwd" });
        }

        Assert.Equal($"{Tar}: 1.png at byte 0: a {words}, where a shard holds plain files", Error());
    }

    [Fact]
    public void A_folder_of_two_formats_or_of_packed_shards_is_refused()
    {
        Archives.WriteTar(Tar, ("1.png", Picture(1)));
        File.WriteAllText(_folder["shards/b.parquet"], "");
        Assert.Contains("holds .tar and .parquet files (first: a.tar): name the one that is meant",
            Assert.Throws<FaceDistillException>(() => FaceDataset.List(_folder["shards"])).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["packed"]);
        File.WriteAllText(_folder["packed/a.tar.gz"], "");
        Assert.Contains("holds no picture, but a.tar.gz, which is packed",
            Assert.Throws<FaceDistillException>(() => FaceDataset.List(_folder["packed"])).Message, StringComparison.Ordinal);
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private byte[] Picture(int seed) => File.ReadAllBytes(Pictures.Noise(_folder[$"noise/{seed}.png"], 40, 40, seed));

    private string Error() => Assert.Throws<FaceDistillException>(() => FaceDataset.List(Tar)).Message;
}
