using System.Buffers.Binary;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Files;

namespace FaceDistill.Tests.Datasets;

public sealed class RecordIoTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Rec => _folder["set/train.rec"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_training_set_of_InsightFace_gives_pictures_and_people()
    {
        var people = Write(3, 2, 112);
        var dataset = FaceDataset.List(_folder["set"]);
        Assert.Equal(Rec, dataset.Root);
        Assert.Equal(["0000000/0000001", "0000000/0000002", "0000001/0000003", "0000001/0000004", "0000002/0000005", "0000002/0000006"],
            dataset.Images.Select(i => i.Path));
        Assert.Equal(["0000000", "0000001", "0000002"], dataset.Images.Select(i => i.Identity).Distinct());
        Assert.Equal("arcface", dataset.Template);
        var hashed = AlignedFaces.OpenAsserted(dataset, "arcface").Hashed(JobContext.None);
        Assert.Equal(people.SelectMany(p => p).Select(p => ContentHash.Of(p)), hashed.Dataset.Images.Select(i => i.Hash));
        using var frame = hashed.ReadFrame(3);
        Assert.Equal((112, 112), (frame.Width, frame.Height));
    }

    [Fact]
    public void Without_its_index_and_property_it_is_read_alike_and_the_size_of_the_pictures_says_whether_they_are_aligned()
    {
        Write(2, 2, 112);
        var before = FaceDataset.List(Rec);
        File.Delete(Path.ChangeExtension(Rec, ".idx"));
        Assert.Equal(before.Images, FaceDataset.List(Rec).Images);
        Write(2, 2, 100);
        Assert.Null(FaceDataset.List(Rec).Template);
        File.WriteAllText(_folder["set/property"], "2,112,112\n");
        Assert.Contains("is 100x100, and", Error(), StringComparison.Ordinal);
        File.WriteAllText(_folder["set/property"], "2,112");
        Assert.Contains("property: expected people,width,height, found '2,112'", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void Records_of_several_labels_and_of_im2rec_without_a_header_are_read()
    {
        byte[] picture = Picture(1);
        Archives.WriteRecords(Rec, [Archives.Content([5], 0, picture), Archives.Content([7, 0.5f, 0.25f], 1, picture), Archives.Content([5], 2, Picture(2))]);
        Assert.Equal(["0000005/0000000", "0000005/0000002", "0000007/0000001"], FaceDataset.List(Rec).Images.Select(i => i.Path));
        Assert.Equal(FaceDataset.Content(FaceDataset.List(Rec).Images[2].Place), ContentHash.Of(picture));
    }

    [Fact]
    public void A_record_that_was_cut_at_a_magic_in_its_picture_is_put_together()
    {
        byte[] picture = Picture(1), magic = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, Archives.Magic);
        byte[] odd = [.. picture, .. new byte[(4 - (picture.Length & 3)) & 3], .. magic, .. magic, 1, 2, 3, .. magic]; // bytes after a PNG's end
        Archives.WriteRecords(Rec, [Archives.Content([0], 0, Picture(2)), Archives.Content([1], 1, odd), Archives.Content([2], 2, Picture(3))]);
        Assert.True(new FileInfo(Rec).Length > odd.Length);
        var dataset = FaceDataset.List(Rec);
        Assert.Equal(ContentHash.Of(odd), FaceDataset.Content(dataset.Place(dataset.Images[1])));
        File.WriteAllBytes(dataset.Images[1].Place.File, [1]); // what the cache holds is compared
        Assert.Equal(ContentHash.Of(odd), FaceDataset.Content(FaceDataset.List(Rec).Images[1].Place));
    }

    [Fact]
    public void What_is_damaged_is_named_with_file_record_and_offset()
    {
        var offsets = Archives.WriteRecords(Rec, Enumerable.Range(0, 4).Select(i => Archives.Content([i], (ulong)i, Picture(i))));
        byte[] whole = File.ReadAllBytes(Rec);
        string Damaged(Action<byte[]> damage, int bytes = int.MaxValue)
        {
            byte[] copy = whole[..Math.Min(bytes, whole.Length)];
            damage(copy);
            File.WriteAllBytes(Rec, copy);
            return Error();
        }

        string second = $"{Rec}: record 1 at byte {offsets[1]}: ", last = $"{Rec}: record 3 at byte {offsets[3]}: ";
        Assert.StartsWith(second + "no record begins here", Damaged(b => b[offsets[1]] ^= 1), StringComparison.Ordinal);
        Assert.StartsWith(last, Damaged(_ => { }, whole.Length - 10), StringComparison.Ordinal);
        Assert.StartsWith(last + "the file ends within", Damaged(_ => { }, (int)offsets[3] + 6), StringComparison.Ordinal);
        long before = GC.GetTotalAllocatedBytes();
        Assert.StartsWith(second + "536870911 bytes long", Damaged(b => BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan((int)offsets[1] + 4), 0x1fffffff)),
            StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 10_000_000);
        Assert.StartsWith(second + "too short for its header and 4294967295 labels", Damaged(b => b.AsSpan((int)offsets[1] + 8, 4).Fill(255)),
            StringComparison.Ordinal);
        Assert.StartsWith(second + "its label 0.5 is no person's number", Damaged(b => BinaryPrimitives.WriteSingleLittleEndian(
            b.AsSpan((int)offsets[1] + 12), 0.5f)), StringComparison.Ordinal);
        Assert.StartsWith(second + "a part of kind 3", Damaged(b => b[offsets[1] + 7] |= 3 << 5), StringComparison.Ordinal);
        Assert.StartsWith($"{Rec}: record 3 at byte {offsets[3]}: the file ends", Damaged(b => b[offsets[3] + 7] |= 1 << 5), StringComparison.Ordinal);
        File.WriteAllBytes(Rec, []);
        Assert.StartsWith(Path.ChangeExtension(Rec, ".idx"), Error(), StringComparison.Ordinal);
        File.Delete(Path.ChangeExtension(Rec, ".idx"));
        Assert.Equal($"{Rec} holds no picture", Error());
    }

    [Theory]
    [InlineData("0\t0\n1\tX\n", "line 2: expected a record's number, a tab and its offset, found '1\tX'")]
    [InlineData("0\t0\n0\t4\n", "line 2: record 0, or offset 4, comes twice")]
    [InlineData("0\t0\n1\t4\n", "line 2: no record of")]
    [InlineData("0\t0\n1\t99999999999\n", "line 2: no record of")]
    [InlineData("1\t0\n0 0\n", "line 2")]
    public void An_index_that_does_not_fit_is_named_with_its_line(string index, string says)
    {
        Archives.WriteRecords(Rec, [Archives.Content([0], 0, Picture(1))]);
        string file = Path.ChangeExtension(Rec, ".idx");
        File.WriteAllText(file, index);
        string message = Error();
        Assert.StartsWith(file, message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
        File.WriteAllText(file, "5\t1\n");
        Assert.StartsWith($"{Rec}: record 0 at byte 0: {file} does not name it", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void People_who_do_not_fit_the_pictures_are_named()
    {
        byte[] picture = Picture(1), head = Archives.Content([2, 3], 0, []), person = Archives.Content([1, 2], 2, []);
        string With(params byte[][] contents)
        {
            Archives.WriteRecords(Rec, contents);
            return Error();
        }

        Assert.Contains("record 0 at byte 0: says that the people are records 3 to 4, and they are 2 to 3",
            With(Archives.Content([3, 4], 0, []), Archives.Content([0], 1, picture), person), StringComparison.Ordinal);
        Assert.Contains("should say which pictures a person has, of 1 to 2, and says 1 to 9",
            With(head, Archives.Content([0], 1, picture), Archives.Content([1, 9], 2, [])), StringComparison.Ordinal);
        Assert.Contains("record 1 at byte 40: holds no picture", With(head, Archives.Content([0], 1, []), person), StringComparison.Ordinal);
        Assert.Contains("record 0 at byte 0: holds no picture", With(Archives.Content([0], 0, [])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_that_is_none_is_named_with_its_place()
    {
        var offsets = Archives.WriteRecords(Rec, [Archives.Content([0], 0, Picture(1)), Archives.Content([0], 1, [1, 2, 3])]);
        var faces = AlignedFaces.OpenAsserted(FaceDataset.List(Rec), "arcface");
        Assert.Equal($"{Rec}/0000000/0000001 (at byte {offsets[1] + 32} of train.rec) is not readable as a picture; make the file again, or leave the picture "
            + "out (--exclude)", Assert.Throws<FaceDistillException>(() => faces.ReadFrame(1)).Message);
    }

    [Fact]
    public void Two_files_are_two_sets_of_numbers()
    {
        Write(2, 1, 112);
        Archives.WriteInsightFace(_folder["other/train.rec"], [[Picture(90)], [Picture(91)]]);
        var source = new FaceSource(new AssetFinder([], [], _folder["cache"]));
        var both = source.Open([DataFolder.Resolve(_folder["set"], Finder()), DataFolder.Resolve(_folder["other/train.rec"], Finder())], "arcface", null,
            JobContext.None);
        Assert.Equal(["set/train.rec/0000000", "set/train.rec/0000001", "other/train.rec/0000000", "other/train.rec/0000001"],
            both.Dataset.Images.Select(i => i.Identity));
        Assert.Equal(4, both.Dataset.Images.Select(i => i.Hash).Distinct().Count());
        both.ReadFrame(3).Dispose();
        string message = Assert.Throws<FaceDistillException>(() => source.Open(
            [DataFolder.Resolve(_folder["set"], Finder()), DataFolder.Resolve(Rec, Finder())], "arcface", null, JobContext.None)).Message;
        Assert.Contains("comes twice in the data", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_is_called_after_its_folder_whether_that_is_named_or_the_file()
    {
        Write(1, 1, 112);
        Directory.CreateDirectory(_folder["faces_emore"]);
        File.Copy(Rec, _folder["faces_emore/train.rec"]);
        Assert.Equal(["faces_emore", "faces_emore"],
            new[] { "faces_emore", "faces_emore/train.rec" }.Select(path => DataFolder.Resolve(_folder[path], Finder()).Name));
    }

    [Fact]
    public void Folders_of_pictures_and_of_records_are_told_apart()
    {
        Write(1, 1, 112);
        Pictures.Fill(_folder["set"], 1, 1, 112);
        Assert.Contains("holds pictures and train.rec: name that file", Error(_folder["set"]), StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["two"]);
        File.Copy(Rec, _folder["two/val.rec"]);
        File.Copy(Rec, _folder["two/train.rec"]);
        Assert.Contains("holds 2 .rec files (first: train.rec)", Error(_folder["two"]), StringComparison.Ordinal);
        File.WriteAllText(_folder["a.txt"], "");
        Assert.Contains("is a file of no format that is read; --data takes a folder, or a file .rec",
            Assert.Throws<FaceDistillException>(() => DataFolder.Resolve(_folder["a.txt"], Finder())).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["a.tar.gz"], "");
        Assert.Contains("is packed", Assert.Throws<FaceDistillException>(() => DataFolder.Resolve(_folder["a.tar.gz"], Finder())).Message,
            StringComparison.Ordinal);
    }

    private byte[][][] Write(int people, int each, int side)
    {
        Pictures.Fill(_folder["pictures"], people, each, side);
        var pictures = Archives.PicturesOf(_folder["pictures"]);
        Archives.WriteInsightFace(Rec, pictures);
        return pictures;
    }

    private byte[] Picture(int seed) => File.ReadAllBytes(Pictures.Noise(_folder[$"noise/{seed}.png"], 112, 112, seed));

    private AssetFinder Finder() => new([], [], _folder["cache"]);

    private string Error(string? path = null) => Assert.Throws<FaceDistillException>(() => FaceDataset.List(path ?? Rec)).Message;
}
