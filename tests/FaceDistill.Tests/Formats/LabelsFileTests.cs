using System.Text;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Formats;

public sealed class LabelsFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Ann\nBob B.\nZoë\n")]
    [InlineData("Ann\r\nBob B.\r\nZoë")]
    [InlineData("\uFEFFAnn\n Bob B. \nZoë\n")]
    [InlineData("Ann\rBob B.\rZoë\r")]
    public void Reads_one_identity_a_line(string text) =>
        Assert.Equal(["Ann", "Bob B.", "Zoë"], LabelsFile.Read(Save(Encoding.UTF8.GetBytes(text)), 3, "x.npy"));

    [Theory]
    [InlineData("Ann\nBob\n", "ends at line 2; x.npy holds 3 embeddings")]
    [InlineData("", "ends at line 0")]
    [InlineData("Ann\nBob\nCid\nDan\n", "line 4: more identities than the 3 embeddings of x.npy")]
    [InlineData("Ann\n \nCid\n", "line 2: no identity")]
    [InlineData("Ann\r\n\r\nCid\r\n", "line 2: no identity")]
    [InlineData("Ann\nBob\nCid\n\n", "line 4: more")]
    public void Other_counts_and_empty_lines_are_refused(string text, string reason) => Refused(Encoding.UTF8.GetBytes(text), reason);

    [Fact]
    public void Other_encodings_are_refused() => Refused(Encoding.Latin1.GetBytes("Ann\nZoë\nCid\n"), "not UTF-8");

    [Fact]
    public void A_missing_file_is_refused() =>
        Assert.Contains("none.txt", Assert.Throws<FaceDistillException>(() => LabelsFile.Read(_folder["none.txt"], 1, "x.npy")).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_folder_and_a_device_without_end_are_refused()
    {
        Assert.Equal($"{_folder.Path} is a folder; name the list itself",
            Assert.Throws<FaceDistillException>(() => LabelsFile.Read(_folder.Path, 1, "x.npy")).Message);
        Assert.StartsWith("cannot read : ", Assert.Throws<FaceDistillException>(() => LabelsFile.Read("", 1, "x.npy")).Message, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.StartsWith("/dev/zero line 1: longer than 2000000 characters",
                Assert.Throws<FaceDistillException>(() => LabelsFile.Read("/dev/zero", 1, "x.npy")).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_line_that_is_no_line_of_a_list_is_refused_with_its_number()
    {
        string most = new('x', ListReader.MostCharacters);
        Assert.Equal(["Ann", most], LabelsFile.Read(Save(Encoding.UTF8.GetBytes($"Ann\n{most}\n")), 2, "x.npy"));
        string path = Save(Encoding.UTF8.GetBytes($"Ann\n{most}x\n"));
        Assert.StartsWith($"{path} line 2: longer than", Assert.Throws<FaceDistillException>(() => LabelsFile.Read(path, 2, "x.npy")).Message,
            StringComparison.Ordinal);
    }

    private void Refused(byte[] bytes, string reason)
    {
        string path = Save(bytes);
        string message = Assert.Throws<FaceDistillException>(() => LabelsFile.Read(path, 3, "x.npy")).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    private string Save(byte[] bytes)
    {
        File.WriteAllBytes(_folder["labels.txt"], bytes);
        return _folder["labels.txt"];
    }
}
