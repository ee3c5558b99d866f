using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace FaceDistill.Attack.Groups;

/// <summary>Embeddings of another tool in broken .npy files: 40 vectors of 16 values, 10 people.</summary>
internal static class NpyCases
{
    private const int Rows = 40, Columns = 16;

    // Shapes that the 640 values do not have.
    private static readonly string[] Shapes =
    [
        "(0, 16)", "(40, 0)", "(640,)", "()", "(10, 4, 16)", "(1000000000000, 16)", "(40, 1000000000000)", "(2147483647, 2147483647)", "(-40, 16)", "(40, -16)",
        "(4e1, 16)", "(40L, 16L)", "(46341, 46341)", "(99999999999999999999999999, 1)",
    ];

    /// <summary>Files that are no matrix of finite float32 or float64 values.</summary>
    private static readonly (string Name, Func<byte[]> Bytes)[] Broken =
    [
        ("wrong magic", () => [.. "\u0093NUMPZ"u8, .. Good()[6..]]),
        ("empty file", () => []),
        ("9 bytes", () => Good()[..9]),
        ("version 4", () => Edited(Good(), 6, 4)),
        ("v2 claims 4 GB header", () => [.. Good()[..6], 2, 0, 0xff, 0xff, 0xff, 0xff, .. Good()[10..]]),
        ("v1 truncated header", () => Good()[..40]),
        ("fortran", () => Npy(Header(fortran: true), Values())),
        ("big endian", () => Npy(Header(">f4"), Values())),
        .. new[] { "<i4", "<i8", "|u1", "<f2", "<c8", "|O", "|b1", "<U5" }.Select(type => ($"dtype {type}", (Func<byte[]>)(() => Npy(Header(type), Values())))),
        ("object pickle", () => Npy(Header("|O"), [0x80, 4, .. "cos\nsystem\n(S'touch pwned'\ntR."u8])),
        ("structured dtype", () => Npy("{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (40,), }", Values())),
        .. Shapes.Select(shape => ($"shape {shape}", (Func<byte[]>)(() => Npy(Header(shape: shape), Values())))),
        ("truncated data", () => Good()[..^10]),
        ("trailing data", () => [.. Good(), 1, 2, 3, 4]),
        ("NaN", () => With(v => v[100] = float.NaN)),
        ("Inf", () => With(v => v[100] = float.PositiveInfinity)),
        ("zero row", () => With(v => v[16..32].Clear())),
        ("all zero", () => With(v => v.Clear())),
        ("all NaN", () => With(v => v.Fill(float.NaN))),
        ("f8 1e300 row", () => Npy(Header("<f8"), MemoryMarshal.AsBytes<double>([.. Numbers().Select((v, i) => i < Columns ? 1e300 : (double)v)]).ToArray())),
        ("npz named npy", () => [.. "PK\u0003\u0004"u8, .. Good()]),
        ("gzip named npy", () => Zipped(Good())),
        ("header with python code", () => Npy("{'descr': __import__('os').system('touch pwned'), 'fortran_order': False, 'shape': (40, 16), }", Values())),
    ];

    /// <summary>Files that are odd and right.</summary>
    private static readonly (string Name, Func<byte[]> Bytes)[] Sound =
    [
        ("control ok", Good),
        ("v2 header valid", () => Npy(Header(), Values(), version: 2)),
        ("v3 header valid", () => Npy(Header(), Values(), version: 3)),
        ("huge 1e38", () => With(v => v[..Columns].Fill(1e38f))),
        ("denormal row", () => With(v => v[..Columns].Fill(1e-41f))),
        ("identical rows", () => With(v => v.Fill(1))),
        ("D=1", () => Npy(Header(shape: "(40, 1)"), Values()[..(Rows * sizeof(float))])),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Broken.Select((b, i) => new Case(b.Name, t => Refused(t, t.Write("x.npy", b.Bytes()), "x.npy"), Short: i % 8 == 0)),
        .. Sound.Select(s => new Case(s.Name, t => t.Done(Evaluate(t, t.Write("x.npy", s.Bytes()))), Short: s.Name == "control ok")),
        new("sparse 8 GB file claims 2e9", t =>
        {
            string file = t.Write("big.npy", Npy(Header(shape: "(125000000, 16)"), []));
            using (var stream = File.OpenWrite(file))
            {
                stream.SetLength(128 + (125000000L * Columns * sizeof(float)));
            }

            Refused(t, file, "big.npy");
        }),
        new("1 row", t => Refused(t, t.Write("x.npy", Npy(Header(shape: "(1, 16)"), Values()[..64])), null, Labels(1))),
        new("2 rows same person", t => Refused(t, t.Write("x.npy", Npy(Header(shape: "(2, 16)"), Values()[..128])), null, Labels(2))),
        new("npy is a directory", t => Refused(t, Directory.CreateDirectory(t["d.npy"]).FullName, "d.npy")),
        new("npy missing", t => Refused(t, t["nope.npy"], "nope.npy")),
        new("/dev/null", t => Refused(t, "/dev/null", "/dev/null")),
        new("/dev/zero", t => Refused(t, "/dev/zero", "/dev/zero")),
        new("fifo", t =>
        {
            t.Run(new Launch(t["f.npy"]) { Program = ["mkfifo"] });
            Refused(t, t["f.npy"], "f.npy");
        }),
    ];

    /// <summary>A sound file of 40 vectors.</summary>
    public static byte[] Good() => Npy(Header(), Values());

    /// <summary>Labels of so many vectors, four a person.</summary>
    public static string Labels(int rows = Rows) => string.Concat(Enumerable.Range(0, rows).Select(i => $"person{i / 4}\n"));

    /// <summary>Measures them, with the right labels and a report.</summary>
    private static Outcome Evaluate(Trial t, string file, string? labels = null) => t.Run(
        "evaluate", "--embeddings", file, "--labels", t.Write("labels.txt", labels ?? Labels()), "--report", t["report"], "--resamples", "0");

    private static void Refused(Trial t, string file, string? names, string? labels = null) =>
        t.Refused(Evaluate(t, file, labels), names, output: t["report"]);

    private static float[] Numbers()
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, Rows * Columns).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }

    private static byte[] Values() => Onnx.Floats(Numbers());

    private static byte[] With(SpanAction change)
    {
        float[] values = Numbers();
        change(values);
        return Npy(Header(), Onnx.Floats(values));
    }

    private static byte[] Edited(byte[] bytes, int at, byte value)
    {
        bytes[at] = value;
        return bytes;
    }

    private static string Header(string type = "<f4", string shape = "(40, 16)", bool fortran = false) =>
        $"{{'descr': '{type}', 'fortran_order': {(fortran ? "True" : "False")}, 'shape': {shape}, }}";

    private static byte[] Npy(string header, byte[] data, int version = 1)
    {
        int prefix = version == 1 ? 10 : 12;
        header = header.PadRight((((header.Length + prefix + 64) / 64) * 64) - prefix - 1) + "\n";
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)header.Length) : BitConverter.GetBytes(header.Length);
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. length, .. Encoding.Latin1.GetBytes(header), .. data];
    }

    private static byte[] Zipped(byte[] bytes)
    {
        using var memory = new MemoryStream();
        using (var zip = new GZipStream(memory, CompressionLevel.Fastest))
        {
            zip.Write(bytes);
        }

        return memory.ToArray();
    }

    private delegate void SpanAction(Span<float> values);
}
