using FaceDistill.Datasets;
using FaceDistill.Files;
using Parquet;
using Parquet.Schema;

namespace FaceDistill.Tests.Datasets;

public sealed class HubParquetTests : IDisposable
{
    private const string Names = """{"info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["ann", "bob"], "_type": "ClassLabel"}}}}""";
    private readonly TempFolder _folder = new(), _pictures = new();

    private string Parquet => _folder["data/train-00000-of-00001.parquet"];

    public void Dispose()
    {
        _folder.Dispose();
        _pictures.Dispose();
    }

    [Fact]
    public async Task Pictures_and_labels_are_read_and_the_names_of_the_numbers_where_they_are_given()
    {
        byte[][] pictures = [.. Enumerable.Range(0, 3).Select(Picture)];
        await Archives.WriteParquet(Parquet, [(pictures[0], 1), (pictures[1], 0), (pictures[2], 1)]);
        var dataset = FaceDataset.List(_folder.Path);
        const string file = "train-00000-of-00001";
        Assert.Equal([$"0000000/{file}-0000001", $"0000001/{file}-0000000", $"0000001/{file}-0000002"], dataset.Images.Select(i => i.Path));
        Assert.Equal(new[] { 1, 0, 2 }.Select(i => ContentHash.Of(pictures[i])), dataset.Images.Select(i => i.Hash));
        Assert.Equal(dataset.Images.Select(i => i.Hash), dataset.Images.Select(i => FaceDataset.Content(i.Place)));
        await Archives.WriteParquet(_folder["data/train-00001-of-00002.parquet"], [(pictures[0], 1)], Names);
        Assert.Equal(["0000000", "0000001", "0000001", "bob"], FaceDataset.List(_folder["data"]).Images.Select(i => i.Identity));
        await Archives.WriteParquet(Parquet, [(pictures[0], 2)], Names);
        Assert.Equal($"{Parquet} row 0: label 2, where 2 names are given", Error());
    }

    [Fact]
    public async Task Rows_without_picture_or_label_and_other_columns_are_named()
    {
        await Archives.WriteParquet(Parquet, [(Picture(1), 1), (Picture(2), 1), (null, 1)]);
        Assert.Equal($"{Parquet} row 2: no bytes of a picture (a path alone is not followed)", Error());
        await Archives.WriteParquet(Parquet, [(null, 1), (Picture(1), 1)]);
        Assert.Equal($"{Parquet} row 0: no bytes of a picture (a path alone is not followed)", Error());
        await Archives.WriteParquet(Parquet, [(Picture(1), 1), (Picture(2), null)]);
        Assert.Equal($"{Parquet} row 1: no label", Error());
        await Archives.WriteParquet(Parquet, [(Picture(1), 1), (Picture(2), -1)]);
        Assert.StartsWith($"{Parquet} row 1: label -1, which stands for no label", Error(), StringComparison.Ordinal);
        var text = new DataField<string>("text");
        await using (var stream = File.Create(Parquet))
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(text), stream))
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(text, ["a"]);
        }

        Assert.Equal($"{Parquet}: expected a column 'image' with 'bytes', as Hugging Face writes pictures; it has text", Error());
    }

    [Fact]
    public async Task What_is_damaged_is_one_line_that_names_the_file()
    {
        await Archives.WriteParquet(Parquet, [(Picture(1), 1), (Picture(2), 1)]);
        byte[] whole = File.ReadAllBytes(Parquet);
        foreach (int cut in new[] { 0, 3, 100, whole.Length / 2, whole.Length - 1 })
        {
            File.WriteAllBytes(Parquet, whole[..cut]);
            Refused();
        }

        for (int i = 0; i < 100; i++) // whatever is turned round is read, or refused; nothing else escapes
        {
            byte[] copy = [.. whole];
            copy[whole.Length - 9 - (i * 7 % 300)] ^= (byte)(1 + (i % 255));
            File.WriteAllBytes(Parquet, copy);
            Exception? e = Record.Exception(() => FaceDataset.List(Parquet));
            Assert.True(e is null or FaceDistillException, e?.ToString());
            PlainWords.In(e?.Message ?? "");
        }

        void Refused()
        {
            Assert.StartsWith(Parquet, PlainWords.In(Error()), StringComparison.Ordinal);
        }
    }

    private byte[] Picture(int seed) => File.ReadAllBytes(Pictures.Noise(_pictures[$"{seed}.png"], 40, 40, seed));

    private string Error() => Assert.Throws<FaceDistillException>(() => FaceDataset.List(Parquet)).Message;
}
