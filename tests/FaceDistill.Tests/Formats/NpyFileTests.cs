using System.Text;
using FaceDistill.Formats;
using FaceDistill.Tests.Files;

namespace FaceDistill.Tests.Formats;

/// <summary>The base64 texts are whole files that NumPy 1.24 wrote: [[1.5, -2, 0.25], [3, 4, -0]] unless named otherwise.</summary>
public sealed class NpyFileTests : IDisposable
{
    private const string Version1 =
        "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwAAAgD4AAEBAAACAQAAAAIA=";
    private const string Version2 =
        "k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwAAAgD4AAEBAAACAQAAAAIA=";
    private const string Version3 =
        "k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwAAAgD4AAEBAAACAQAAAAIA=";
    private const string Float64 =
        "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4PwAAAAAAAADAAAAAAAAA0D8AAAAAAAAIQAAAAAAAABBAAAAAAAAAAIA=";
    private const string Fortran =
        "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AABAQAAAAMAAAIBAAACAPgAAAIA=";
    private const string BigEndian =
        "k05VTVBZAQB2AHsnZGVzY3InOiAnPmY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgIAo/wAAAwAAAAD6AAABAQAAAQIAAAIAAAAA=";
    private const string Objects =
        "k05VTVBZAQB2AHsnZGVzY3InOiAnfE8nLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMSwgMiksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgIAqAA2NudW1weS5jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnEAY251bXB5Cm5kYXJyYXkKcQFLAIVxAkMBYnEDh3EEUnEFKEsBSwFLAoZx"
        + "BmNudW1weQpkdHlwZQpxB1gCAAAATzhxCImIh3EJUnEKKEsDWAEAAAB8cQtOTk5K/////0r/////Sz90cQxiiV1xDShLAU5ldHEOYi4=";
    private const string OneDimension =
        "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwAAAgD4=";
    private const string Structured =
        "k05VTVBZAQB2AHsnZGVzY3InOiBbKCdhJywgJzxmNCcpXSwgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
        + "ICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAA";

    private readonly TempFolder _folder = new();

    private static float[] Expected => [1.5f, -2, 0.25f, 3, 4, -0.0f];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Version1)]
    [InlineData(Version2)]
    [InlineData(Version3)]
    [InlineData(Float64)]
    public void Reads_what_NumPy_wrote(string base64)
    {
        var matrix = NpyFile.Read(Save(Convert.FromBase64String(base64)));
        Assert.Equal((2, 3), (matrix.Rows, matrix.Columns));
        Assert.Equal(Expected, matrix.Values);
    }

    [Fact]
    public void Writes_the_bytes_that_NumPy_writes()
    {
        NpyFile.Write(_folder["w.npy"], 3, Expected);
        Assert.Equal(Convert.FromBase64String(Version1), File.ReadAllBytes(_folder["w.npy"]));
    }

    [Fact]
    public void Round_trip_over_several_blocks()
    {
        float[] values = [.. Enumerable.Range(0, 3 * 700_001).Select(i => i * 0.5f)];
        NpyFile.Write(_folder["w.npy"], 700_001, values);
        var matrix = NpyFile.Read(_folder["w.npy"]);
        Assert.Equal((3, 700_001), (matrix.Rows, matrix.Columns));
        Assert.Equal(values, matrix.Values);
    }

    [Theory]
    [InlineData(Fortran, "Fortran")]
    [InlineData(BigEndian, "'>f4'")]
    [InlineData(Objects, "'|O'")]
    [InlineData(OneDimension, "shape (3,)")]
    [InlineData(Structured, "no plain 'descr'")]
    public void Other_arrays_of_NumPy_are_refused(string base64, string reason) => Refused(Convert.FromBase64String(base64), reason);

    [Theory]
    [InlineData("(1000000000, 1000000000)", "shape")]
    [InlineData("(99999999999999999999, 2)", "shape")]
    [InlineData("(-2, -3)", "shape")]
    [InlineData("(0, 3)", "shape")]
    [InlineData("(2, 0)", "shape")]
    [InlineData("(65536, 65536)", "shape")]
    [InlineData("(2, 3, 1)", "shape")]
    [InlineData("()", "shape")]
    [InlineData("(500000000, 4)", "claims 500000000 x 4")]
    [InlineData("(1, 3)", "holds 24 bytes")]
    public void Shapes_that_the_file_cannot_hold_are_refused(string shape, string reason) =>
        Refused(File1($"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n"), reason);

    [Theory]
    [InlineData("{}", "'descr'")]
    [InlineData("{'descr': '<f4', 'shape': (2, 3), }", "'fortran_order'")]
    [InlineData("{'descr': '<f4', 'fortran_order': 7, 'shape': (2, 3), }", "'fortran_order'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", "'shape'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3", "'shape'")]
    public void Headers_without_a_key_are_refused(string header, string reason) => Refused(File1(header), reason);

    [Fact]
    public void Every_truncation_is_refused()
    {
        foreach (byte[] whole in new[] { Version1, Version2, Float64 }.Select(Convert.FromBase64String))
        {
            for (int length = 0; length < whole.Length; length++)
            {
                Refused(whole[..length], "");
            }
        }
    }

    [Fact]
    public void Rows_are_checked_before_gigabytes_of_values_are_read()
    {
        string path = Save(File1("{'descr': '<f4', 'fortran_order': False, 'shape': (2000000000, 1), }\n")[..^24]);
        using (var file = new FileStream(path, FileMode.Open))
        {
            file.SetLength(file.Length + 8_000_000_000); // takes no room on the disk
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("2000000000 x 1", Assert.Throws<FaceDistillException>(
            () => NpyFile.Read(path, (rows, columns) => throw new FaceDistillException($"{rows} x {columns}"))).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [UnixFact]
    public void A_pipe_that_nobody_writes_to_is_refused_and_not_waited_for()
    {
        UnixShell.Run(_folder.Path, "mkfifo p.npy");
        Assert.Contains("is a pipe or a device", Assert.Throws<FaceDistillException>(() => NpyFile.Read(_folder["p.npy"])).Message, StringComparison.Ordinal);
        Assert.Contains("is a pipe or a device", Assert.Throws<FaceDistillException>(() => NpyFile.Read("/dev/zero")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_of_four_gigabytes_is_refused()
    {
        byte[] bytes = Convert.FromBase64String(Version2);
        bytes.AsSpan(8, 4).Fill(0xFF);
        Refused(bytes, "4294967295");
    }

    [Fact]
    public void Other_files_and_versions_and_missing_files_are_refused()
    {
        Refused("PK\u0003\u0004 this is an archive"u8.ToArray(), "not a .npy file");
        byte[] bytes = Convert.FromBase64String(Version1);
        bytes[6] = 4;
        Refused(bytes, "version 4.0");
        Assert.Contains("none.npy", Assert.Throws<FaceDistillException>(() => NpyFile.Read(_folder["none.npy"])).Message, StringComparison.Ordinal);
    }

    private static byte[] File1(string header) =>
        [0x93, .. "NUMPY\u0001\u0000"u8, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. new byte[24]];

    private void Refused(byte[] bytes, string reason)
    {
        string path = Save(bytes);
        string message = Assert.Throws<FaceDistillException>(() => NpyFile.Read(path)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    private string Save(byte[] bytes)
    {
        File.WriteAllBytes(_folder["a.npy"], bytes);
        return _folder["a.npy"];
    }
}
