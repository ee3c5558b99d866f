using System.Globalization;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Formats;

public sealed class TfjsWeightsTests
{
    private const string Good = """
        [{"weights": [
          {"name": "q", "shape": [2, 2], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1}},
          {"name": "f", "shape": [2], "dtype": "float32"}],
          "paths": ["w.bin"]}]
        """;

    private static readonly byte[] GoodBytes = [0, 1, 2, 255, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)];

    [Fact]
    public void Reads_quantised_and_plain_tensors()
    {
        using var folder = new TempFolder();
        TfjsWeights weights = Read(folder, Good, GoodBytes);
        Assert.Equal(["f", "q"], weights.Names.Order());
        Assert.Equal([-1f, -0.5f, 0f, 126.5f], weights.Get("q", 2, 2).Values);
        Assert.Equal([1.5f, -2f], weights.Get("f", 2).Values);
    }

    [Fact]
    public void Reads_the_manifest_within_a_models_json_and_reads_over_whole_numbers()
    {
        using var folder = new TempFolder();
        string whole = Good.Replace("[2], \"dtype\": \"float32\"", "[2], \"dtype\": \"int32\"", StringComparison.Ordinal);
        TfjsWeights weights = Read(folder, $$"""{"format": "graph-model", "modelTopology": {"node": []}, "weightsManifest": {{whole}}}""", GoodBytes);
        Assert.Equal(["q"], weights.Names);
        Assert.Equal([-1f, -0.5f, 0f, 126.5f], weights.Get("q", 2, 2).Values);
        Assert.Contains("no model of TensorFlow.js", Refused(folder, "{}", GoodBytes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(11, "holds 11 bytes and ends within f, which ends at byte 12")]
    [InlineData(3, "holds 3 bytes and ends within q, which ends at byte 4")]
    [InlineData(0, "holds 0 bytes and ends within q")]
    [InlineData(13, "holds 13 bytes, 1 more than")]
    public void A_file_of_the_wrong_length_is_refused(int length, string message)
    {
        using var folder = new TempFolder();
        byte[] bytes = [.. GoodBytes, 0];
        string said = Refused(folder, Good, bytes[..length]);
        Assert.StartsWith(folder["w.bin"], said, StringComparison.Ordinal);
        Assert.Contains(message, said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"uint8\"", "\"uint16\"", "q is stored as uint16")]
    [InlineData("[2], \"dtype\": \"float32\"", "[2], \"dtype\": \"bool\"", "f is stored as bool")]
    [InlineData("[2, 2]", "[2, -2]", "q has the impossible shape [2, -2]")]
    [InlineData("[2, 2]", "[0]", "q has the impossible shape [0]")]
    [InlineData("[2, 2]", "[2147483647, 2147483647, 2147483647]", "q has the impossible shape")]
    [InlineData("\"f\"", "\"q\"", "lists q twice")]
    [InlineData("[\"w.bin\"]", "[\"a\", \"b\"]", "expected one group of weights in one file")]
    [InlineData("\"scale\"", "\"scales\"", "line 2")]
    [InlineData("[{\"weights\"", "[[{\"weights\"", "line ")]
    public void A_manifest_that_does_not_fit_is_refused(string old, string replacement, string message)
    {
        using var folder = new TempFolder();
        Assert.Contains(old, Good, StringComparison.Ordinal);
        string said = Refused(folder, Good.Replace(old, replacement, StringComparison.Ordinal), GoodBytes);
        Assert.StartsWith(folder["m.json"], said, StringComparison.Ordinal);
        Assert.Contains(message, said, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_files_are_named()
    {
        using var folder = new TempFolder();
        string said = Assert.Throws<FaceDistillException>(() => TfjsWeights.Read(folder["m.json"], folder["w.bin"], "dlib's network")).Message;
        Assert.Contains(folder["m.json"], said, StringComparison.Ordinal);
        File.WriteAllText(folder["m.json"], Good);
        said = Assert.Throws<FaceDistillException>(() => TfjsWeights.Read(folder["m.json"], folder["w.bin"], "dlib's network")).Message;
        Assert.Contains(folder["w.bin"], said, StringComparison.Ordinal);
    }

    [Fact]
    public void An_absent_tensor_or_another_shape_is_refused()
    {
        using var folder = new TempFolder();
        TfjsWeights weights = Read(folder, Good, GoodBytes);
        Assert.Contains("has no tensor g", Assert.Throws<FaceDistillException>(() => weights.Get("g", 1)).Message, StringComparison.Ordinal);
        string said = Assert.Throws<FaceDistillException>(() => weights.Get("q", 4)).Message;
        Assert.Equal(string.Format(CultureInfo.InvariantCulture, "{0}: q has shape [2, 2], dlib's network needs [4]", folder["m.json"]), said);
    }

    private static TfjsWeights Read(TempFolder folder, string manifest, byte[] bytes)
    {
        File.WriteAllText(folder["m.json"], manifest);
        File.WriteAllBytes(folder["w.bin"], bytes);
        return TfjsWeights.Read(folder["m.json"], folder["w.bin"], "dlib's network");
    }

    private static string Refused(TempFolder folder, string manifest, byte[] bytes) =>
        Assert.Throws<FaceDistillException>(() => Read(folder, manifest, bytes)).Message;
}
