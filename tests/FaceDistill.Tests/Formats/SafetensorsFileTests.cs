using System.Buffers.Binary;
using System.Text;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Formats;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read()
    {
        var tensors = new Dictionary<string, SafeTensor>
        {
            ["b"] = SafeTensor.Of([1f, -2.5f, float.Epsilon, float.MaxValue, 0f, -0f], 2, 3),
            ["a"] = new("I64", [], BitConverter.GetBytes(long.MinValue)),
            ["empty"] = new("F32", [0, 4], []),
            ["ü \"quoted\""] = new("U8", [3], [1, 2, 255]),
        };
        SafetensorsFile.Write(_folder["x"], tensors, new Dictionary<string, string> { ["who"] = "test\nline" });
        var (read, metadata) = SafetensorsFile.Read(_folder["x"]);
        Assert.Equal(tensors.Keys.Order(StringComparer.Ordinal), read.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, tensor) in tensors)
        {
            Assert.Equal(tensor.Type, read[name].Type);
            Assert.Equal(tensor.Shape, read[name].Shape);
            Assert.Equal(tensor.Data, read[name].Data);
        }

        Assert.Equal(["facedistill.sha256", "who"], metadata.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("test\nline", metadata["who"]);
        Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(_folder["x"])) % 8);
    }

    [Fact]
    public void A_byte_that_was_changed_is_refused_wherever_it_stands()
    {
        SafetensorsFile.Write(_folder["x"], new Dictionary<string, SafeTensor> { ["a"] = SafeTensor.Of([1f, 2f], 2), ["b"] = SafeTensor.Of([3f]) },
            new Dictionary<string, string> { ["who"] = "test" });
        byte[] good = File.ReadAllBytes(_folder["x"]);
        string header = Encoding.UTF8.GetString(good);
        foreach (int at in new[] { good.Length - 1, good.Length - 12, header.IndexOf("test", StringComparison.Ordinal),
            header.IndexOf("who", StringComparison.Ordinal),
            header.IndexOf("\"a\"", StringComparison.Ordinal) + 1, header.IndexOf("facedistill.sha256", StringComparison.Ordinal) + 25 })
        {
            byte[] bad = [.. good];
            bad[at] ^= 1;
            File.WriteAllBytes(_folder["x"], bad);
            string message = Assert.Throws<FaceDistillException>(() => SafetensorsFile.Read(_folder["x"])).Message;
            Assert.StartsWith(_folder["x"], message, StringComparison.Ordinal);
            Assert.Contains("was changed or damaged after it was written", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_of_another_program_has_no_checksum_and_is_read()
    {
        byte[] header = Encoding.UTF8.GetBytes("""{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} """);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        File.WriteAllBytes(_folder["x"], [.. length, .. header, 0, 0, 0x80, 0x3f]);
        var (tensors, metadata) = SafetensorsFile.Read(_folder["x"]);
        Assert.Equal([1f], tensors["a"].Floats());
        Assert.Equal("format", Assert.Single(metadata).Key);
    }

    [Fact]
    public void Equal_tensors_give_equal_files_whatever_their_order()
    {
        var (one, two) = (SafeTensor.Of([1f], 1), SafeTensor.Of([2f], 1));
        SafetensorsFile.Write(_folder["x"], new Dictionary<string, SafeTensor> { ["a"] = one, ["b"] = two }, new Dictionary<string, string>());
        SafetensorsFile.Write(_folder["y"], new Dictionary<string, SafeTensor> { ["b"] = two, ["a"] = one }, new Dictionary<string, string>());
        Assert.Equal(File.ReadAllBytes(_folder["x"]), File.ReadAllBytes(_folder["y"]));
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "overlap at 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "gap or overlap at 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "gap or overlap at 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "a of shape [2] does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4, "a of shape [1] does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "a of shape [1] does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}}""", 4, "a of shape [1] does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "a of shape [1] does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "a of shape [3] does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}""", 4, "a of shape [-1, -1] does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,0]}}""", 0, "a of shape [4611686018427387904")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "two tensors named a")]
    [InlineData("""{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown type F33")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "1 bytes belong to no tensor")]
    [InlineData("{}", 5, "5 bytes belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 4, "")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}}""", 4, "")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}""", 6, "")]
    [InlineData("""{"a":7}""", 4, "")]
    [InlineData("[1,2]", 0, "")]
    [InlineData("""{"__metadata__":{"x":1}}""", 0, "")]
    [InlineData("""{"__metadata__":{"x":null}}""", 0, "its metadata's 'x' is null where a text is to stand")]
    public void A_header_that_does_not_describe_the_file_is_named(string header, int dataBytes, string says)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        AssertRefused([.. Length(text.Length), .. text, .. new byte[dataBytes]], says);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    [InlineData(0)]
    [InlineData(3)] // one byte more than there is
    [InlineData(200_000_000)]
    public void A_header_length_that_the_file_does_not_have_is_named(long length) =>
        AssertRefused([.. Length(length), .. "{}"u8], $"a header of {length} bytes in a file of 10");

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        SafetensorsFile.Write(_folder["x"], new Dictionary<string, SafeTensor> { ["a"] = SafeTensor.Of([1f, 2f], 2) }, new Dictionary<string, string>());
        byte[] whole = File.ReadAllBytes(_folder["x"]);
        for (int length = 0; length < whole.Length; length++)
        {
            AssertRefused(whole[..length], "");
        }
    }

    [Fact]
    public void A_file_longer_than_an_array_is_read_tensor_by_tensor_and_a_tensor_that_is_longer_is_named()
    {
        const long first = int.MaxValue - 1_000_000_000, last = 3_000_000_000;
        string At(long start, long end) => $$"""{"dtype":"U8","shape":[{{end - start}}],"data_offsets":[{{start}},{{end}}]}""";
        byte[] text = Encoding.UTF8.GetBytes($$"""{"a":{{At(0, first)}},"b":{{At(first, first + last)}}}""");
        using (var file = File.Create(_folder["x"]))
        {
            file.Write([.. Length(text.Length), .. text]);
            file.SetLength(8 + text.Length + first + last); // zeros that take no place on the disk
        }

        string message = Assert.Throws<FaceDistillException>(() => SafetensorsFile.Read(_folder["x"])).Message;
        Assert.EndsWith($"is not a whole safetensors file: b has 3000000000 bytes, more than the {Array.MaxLength} of one tensor that are read", message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.StartsWith(_folder["none"], Assert.Throws<FaceDistillException>(() => SafetensorsFile.Read(_folder["none"])).Message, StringComparison.Ordinal);

    [Fact]
    public void Floats_of_another_type_are_refused() =>
        Assert.Contains("I64", Assert.Throws<FaceDistillException>(() => new SafeTensor("I64", [1], new byte[8]).Floats()).Message, StringComparison.Ordinal);

    private static byte[] Length(long length)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        return bytes;
    }

    private void AssertRefused(byte[] file, string says)
    {
        File.WriteAllBytes(_folder["bad"], file);
        string message = Assert.Throws<FaceDistillException>(() => SafetensorsFile.Read(_folder["bad"])).Message;
        Assert.StartsWith($"{_folder["bad"]} is not a whole safetensors file: ", message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
