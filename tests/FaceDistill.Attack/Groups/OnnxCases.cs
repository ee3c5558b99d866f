using System.Text.Json.Nodes;
using static FaceDistill.Attack.Onnx;

namespace FaceDistill.Attack.Groups;

/// <summary>Models that are no model, or one that cannot embed faces.</summary>
internal static class OnnxCases
{
    private static readonly Proto Out = Value("embedding", Float, "batch", 16);
    private static readonly Proto In = Value("input", Float, "batch", 3, 64, 64);

    /// <summary>Given with --model, as a file that does not say what it wants.</summary>
    private static readonly (string Name, string File, Func<byte[]?> Bytes)[] Files =
    [
        ("missing", "nope.onnx", () => null),
        ("empty", "e.onnx", () => []),
        ("garbage", "g.onnx", () => [.. Enumerable.Range(0, 5000).Select(i => (byte)((i * 7919) >> 3))]),
        ("text", "tx.onnx", () => [.. "not a model\n"u8]),
        ("not .onnx ending", "x.bin", () => Tiny()),
        ("jpeg named onnx", "j.onnx", () => Pictures.Jpeg()),
        ("no contract metadata", "nm.onnx", () => Tiny()),
        ("contract not JSON", "cj.onnx", () => Tiny(metadata: (ContractKey, "{size: 64"))),
        ("contract empty", "ce.onnx", () => Tiny(metadata: (ContractKey, ""))),
        ("contract null", "cn.onnx", () => Tiny(metadata: (ContractKey, "null"))),
        ("contract 1e999", "c9.onnx",
            () => Tiny(metadata: (ContractKey, Contract().ToJsonString().Replace("255,255,255", "1e999,1,1", StringComparison.Ordinal)))),
        ("contract deep nesting", "cd.onnx", () => Tiny(metadata: (ContractKey, new string('[', 100_000)))),
    ];

    /// <summary>Contracts in a file's metadata, by the value that is wrong.</summary>
    private static readonly (string Key, string Value)[] Contracts =
    [
        ("evil", "1"), ("size", "0"), ("size", "-1"), ("size", "100000"), ("size", "2147483647"), ("size", "1e+300"), ("mean", "[1]"), ("mean", "[]"),
            ("mean", "null"),
        ("std", "[0, 0, 0]"), ("std", "[-1, 1, 1]"), ("std", "[\"a\"]"), ("template", "\"../../x\""), ("template", "null"), ("layout", "\"zzz\""),
            ("colorOrder", "7"),
        ("mean", "[1e+39, 0, 0]"),
    ];

    /// <summary>Given with a card, which says what they want.</summary>
    private static readonly (string Name, string File, Func<byte[]> Bytes, bool Works)[] Graphs =
    [
        ("dynamic H/W", "dyn.onnx", () => Tiny(input: Value("input", Float, "n", 3, "h", "w"), output: Value("embedding", Float, "n", "d")), true),
        ("rank 3 input", "r3.onnx", () => Tiny(input: Value("input", Float, 3, 64, 64)), false),
        ("rank 2 input", "r2.onnx", () => Tiny(input: Value("input", Float, "batch", 12288)), false),
        ("rank 5 input", "r5.onnx", () => Tiny(input: Value("input", Float, "batch", 3, 64, 64, 1)), false),
        ("two inputs", "i2.onnx", () => Model(Graph([.. Grey(), Node("Add", ["embedding", "other"], ["sum"])], [In, Value("other", Float, "batch", 16)],
            [Value("sum", Float, "batch", 16)], Third())), false),
        ("no input", "i0.onnx", () => Model(Graph([Node("Identity", ["c"], ["embedding"])], [], [Value("embedding", Float, 1, 16)], Sixteen("c"))), false),
        ("int64 input", "i64.onnx",
            () => Model(Graph([Node("Cast", ["input"], ["f"], Int("to", Float)), .. Grey("f")], [Value("input", I64, "batch", 3, 64, 64)], [Out],
            Third())), false),
        ("int64 output", "o64.onnx", () => Cast(I64), false),
        ("string output", "ostr.onnx", () => Cast(Str), false),
        ("output [N,C,1,1]", "o4.onnx",
            () => Tiny([Node("Reshape", ["embedding", "to"], ["o"])], Value("o", Float, "batch", 16, 1, 1), constants: [Shape(-1, 16, 1, 1)]), true),
        ("output [N,C,H,W]", "ochw.onnx",
            () => Tiny([Node("Reshape", ["embedding", "to"], ["o"])], Value("o", Float, "batch", 4, 2, 2), constants: [Shape(-1, 4, 2, 2)]), true),
        ("output rank 1", "o1.onnx", () => Tiny([Node("Reshape", ["embedding", "to"], ["o"])], Value("o", Float, "n"), constants: [Shape(-1)]), false),
        ("output scalar", "o0.onnx", () => Tiny([Node("ReduceMean", ["embedding"], ["o"], Int("keepdims", 0))], Value("o", Float)), false),
        ("output D=1", "od1.onnx", () => Tiny([Node("ReduceMean", ["embedding"], ["o"], Ints("axes", 1), Int("keepdims", 1))], Value("o", Float, "batch", 1)),
            false),
        ("sequence output", "seq.onnx", () => Tiny([Node("SequenceConstruct", ["embedding"], ["s"])], Sequence("s")), false),
        ("sequence input", "seqi.onnx",
            () => Model(Graph([Node("ConcatFromSequence", ["input"], ["x"], Int("axis", 0)), .. Grey("x")], [Sequence("input")], [Out], Third())), false),
        ("opset 99", "op99.onnx", () => Tiny(opset: 99), false),
        ("ir 99", "ir99.onnx", () => Tiny(ir: 99), false),
        ("undefined value", "und.onnx", () => Tiny([Node("Add", ["embedding", "nowhere"], ["o"])], Value("o", Float, "batch", 16)), false),
        ("cycle", "cyc.onnx", () => Tiny([Node("Add", ["embedding", "b"], ["a"]), Node("Add", ["a", "embedding"], ["b"])], Value("b", Float, "batch", 16)),
            false),
        ("huge initializer claimed", "hi.onnx", () => Add(Tensor("c", [1L << 40], Floats(1))), false),
        ("negative dim initializer", "ni.onnx", () => Add(Tensor("c", [-16], Floats(1))), false),
        ("overflow dims initializer", "oi.onnx", () => Add(Tensor("c", [1L << 33, 1L << 33], Floats(1))), false),
        ("ConstantOfShape 640 GB", "cos.onnx", () => Tiny([Node("ConstantOfShape", ["to"], ["z"]), Node("ReduceMean", ["z"], ["m"], Int("keepdims", 0)),
            Node("Add", ["embedding", "m"], ["o"])], Value("o", Float, "batch", 16), constants: [Shape(160_000_000_000)]), false),
        ("external data missing", "em.onnx", () => External("nothing.bin", 0, 64), false),
        ("external data ../../etc/passwd", "ep.onnx", () => External("../../../../../../etc/passwd", 0, 64), false),
        ("external data absolute", "ea.onnx", () => External("/etc/passwd", 0, 64), false),
        ("external data via symlink to /etc/passwd", "es.onnx", () => External("link.bin", 0, 64), false),
        ("external data offset beyond", "eo.onnx", () => External("data.bin", 1000, 64), false),
        ("external data length 2^62", "el.onnx", () => External("data.bin", 0, 1L << 62), false),
        ("fixed batch 4", "fb4.onnx", () => Tiny(input: Value("input", Float, 4, 3, 64, 64), output: Value("embedding", Float, 4, 16)), true),
        ("fixed batch 2^31-1", "fbh.onnx",
            () => Tiny(input: Value("input", Float, int.MaxValue, 3, 64, 64), output: Value("embedding", Float, int.MaxValue, 16)), false),
        ("fixed batch 100000", "fbl.onnx", () => Tiny(input: Value("input", Float, 100_000, 3, 64, 64), output: Value("embedding", Float, 100_000, 16)), false),
        ("batch 0", "fb0.onnx", () => Tiny(input: Value("input", Float, 0, 3, 64, 64), output: Value("embedding", Float, 0, 16)), false),
        ("wrong size 64", "ws.onnx", () => Tiny(input: Value("input", Float, "batch", 3, 96, 96)), false),
        ("1 channel", "c1.onnx", () => Model(Graph([Node("AveragePool", ["input"], ["p"], Ints("kernel_shape", 16, 16), Ints("strides", 16, 16)),
            Node("Flatten", ["p"], ["embedding"])], [Value("input", Float, "batch", 1, 64, 64)], [Out])), false),
        ("NaN output", "nan.onnx", () => Tiny([Node("Sub", ["embedding", "embedding"], ["z"]), Node("Div", ["z", "z"], ["o"])], Value("o", Float, "batch", 16)),
            false),
        ("batch-dependent rows", "bd.onnx", () => Tiny([Node("ReduceMean", ["embedding"], ["m"], Ints("axes", 0), Int("keepdims", 1)),
            Node("Sub", ["embedding", "m"], ["d"]), Node("Add", ["d", "m"], ["e"]), Node("Mul", ["e", "m"], ["o"])], Value("o", Float, "batch", 16)), false),
        ("output of other rows", "or.onnx", () => Tiny([Node("Reshape", ["embedding", "to"], ["o"])], Value("o", Float, "x", 32), constants: [Shape(-1, 32)]),
            false),
        ("endless Loop", "loop.onnx", Endless, false),
    ];

    /// <summary>What a student's file says of itself, where bench reads it: as long as the right name.</summary>
    private static readonly (string Name, string Student)[] Students =
    [
        ("bench: student name junk", "zzzzzzzzzzzzzzzzzzzz"), ("bench: student name <script>", "<script>al()</script"),
            ("bench: student ESC", "\u001b[31mred-----------"),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("control", t => t.Works("embed", "--data", t.Bases.Few, "--model", t.Bases.Model, "--output", t["store"])),
        new("control card", t => t.Works("embed", "--data", t.Bases.Few, "--teacher", t.Bases.Card, "--output", t["store"])),
        .. Files.Select((f, i) => new Case(f.Name, t => File(t, f.File, f.Bytes()), Short: i < 3)),
        new("truncated half", t => File(t, "t.onnx", Read(t)[..(Read(t).Length / 2)])),
        new("truncated last byte", t => File(t, "t1.onnx", Read(t)[..^1])),
        new("directory", t => File(t, Path.GetFileName(Directory.CreateDirectory(t["d.onnx"]).FullName), null)),
        new("contract unknown key", t => File(t, "cu.onnx", With("evil", "1"))),
        .. Contracts.Skip(1).Select(c => new Case($"contract {c.Key}={c.Value}", t => File(t, "c.onnx", With(c.Key, c.Value)))),
        .. Graphs.Select((g, i) => new Case(g.Name, t => Card(t, g.File, g.Bytes(), g.Works), Short: i is 1 or 5 or 14)),
        new("opset 1", t => t.DoneOrRefused(Embed(t, "op1.onnx", Tiny(opset: 1)), "op1.onnx", null)),
        new("fp16 I/O", t => t.DoneOrRefused(Embed(t, "h.onnx", Model(Graph([Node("Cast", ["input"], ["f"], Int("to", Float)), .. Grey("f", "e"),
            Node("Cast", ["e"], ["embedding"], Int("to", F16))], [Value("input", F16, "batch", 3, 64, 64)], [Value("embedding", F16, "batch", 16)], Third()))),
                "h.onnx", null)),
        new("fp16 output only", t => t.DoneOrRefused(Embed(t, "ho.onnx", Cast(F16)), "ho.onnx", null)),
        new("double output", t => t.DoneOrRefused(Embed(t, "od.onnx", Cast(F64)), "od.onnx", null)),
        new("two outputs", t =>
            t.DoneOrRefused(Embed(t, "o2.onnx", Model(Graph([.. Grey(), Node("Neg", ["embedding"], ["minus"])], [In], [Out, Value("minus", Float, "batch", 16)],
            Third()))), "o2.onnx", null)),
        new("zero output", t =>
            t.DoneOrRefused(Embed(t, "z.onnx", Tiny([Node("Sub", ["embedding", "embedding"], ["o"])], Value("o", Float, "batch", 16))), "z.onnx", null)),
        new("NHWC model NCHW card", t => Card(t, "nhwc.onnx", Nhwc(), works: false)),
        new("NHWC model NHWC card", t => Card(t, "nhwc.onnx", Nhwc(), works: true, "nhwc")),
        .. Students.Select(s =>
            new Case(s.Name, t => t.Refused(t.Run("bench", "--rounds", "1", "--model", t.Write("b.onnx", Renamed(Read(t), s.Student))), "b.onnx"))),
        new("bench: dimension 2e9", t => t.DoneOrRefused(t.Run("bench", "--rounds", "1", "--model",
            t.Write("b.onnx", Tiny(metadata: [(ContractKey, Contract().ToJsonString()), ("dimension", "2000000000")]))), "b.onnx")),
        .. new[] { ("junk", "{1e-4"), ("array", "[1, 2]"), ("NaN", "{\"1e-4\": NaN}") }.Select(
            s => new Case($"evaluate: thresholds {s.Item1}", t => t.DoneOrRefused(t.Run(
            "evaluate", "--resamples", "0", "--data", t.Bases.Few, "--model",
            t.Write("th.onnx", Tiny(metadata: [(ContractKey, Contract().ToJsonString()), ("facedistill.thresholds", s.Item2)]))), "th.onnx"))),
    ];

    private static byte[] Renamed(byte[] model, string student)
    {
        for (int at; (at = model.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(Bases.Student))) >= 0;)
        {
            System.Text.Encoding.ASCII.GetBytes(student).CopyTo(model, at);
        }

        return model;
    }

    private static byte[] Read(Trial t) => System.IO.File.ReadAllBytes(t.Bases.Model);

    private static void File(Trial t, string name, byte[]? bytes)
    {
        string file = bytes is null ? t[name] : t.Write(name, bytes);
        t.Refused(t.Run("embed", "--data", t.Bases.Few, "--model", file, "--output", t["store"]), name, output: t["store"]);
    }

    private static Outcome Embed(Trial t, string file, byte[] model, string layout = "nchw")
    {
        string card = WriteCard(t["m"], model, "c", file, layout: layout);
        System.IO.File.WriteAllBytes(Path.Combine(t["m"], "data.bin"), new byte[64]);
        System.IO.File.CreateSymbolicLink(Path.Combine(t["m"], "link.bin"), "/etc/passwd");
        return t.Run("embed", "--data", t.Bases.Few, "--teacher", card, "--output", t["store"]);
    }

    private static void Card(Trial t, string file, byte[] model, bool works, string layout = "nchw")
    {
        var outcome = Embed(t, file, model, layout);
        if (works)
        {
            t.Done(outcome);
        }
        else
        {
            t.Refused(outcome, file, output: t["store"]);
        }
    }

    private static byte[] With(string key, string value)
    {
        var contract = Contract();
        contract[key] = JsonNode.Parse(value);
        return Tiny(metadata: (ContractKey, contract.ToJsonString()));
    }

    private static Proto Third() => Tensor("thirds", [1, 3, 1, 1], Floats(1 / 3f, 1 / 3f, 1 / 3f));

    private static Proto Sixteen(string name) => Tensor(name, [1, 16], Floats([.. Enumerable.Range(1, 16).Select(i => (float)i)]));

    private static Proto Shape(params long[] dims) =>
        Tensor("to", [dims.Length], System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(dims).ToArray(), I64);

    private static byte[] Cast(int type) => Tiny([Node("Cast", ["embedding"], ["o"], Int("to", type))], Value("o", type, "batch", 16));

    private static byte[] Add(Proto constant) => Tiny([Node("Add", ["embedding", "c"], ["o"])], Value("o", Float, "batch", 16), constants: [constant]);

    private static byte[] External(string file, long offset, long length) => Add(Tensor("c", [16], [], external: (file, offset, length)));

    private static byte[] Nhwc() => Model(Graph([Node("Transpose", ["input"], ["x"], Ints("perm", 0, 3, 1, 2)), .. Grey("x")],
        [Value("input", Float, "batch", 64, 64, 3)], [Out], Third()));

    // A loop whose condition stays true, without a bound of trips.
    private static byte[] Endless()
    {
        var body = new Proto().Add(1, Node("Identity", ["cond"], ["again"]), Node("Identity", ["v"], ["w"])).Add(2, "body")
            .Add(11, Value("i", I64), Value("cond", 9), Value("v", Float, "batch", 16)).Add(12, Value("again", 9), Value("w", Float, "batch", 16));
        return Tiny([Node("Loop", ["", "true", "embedding"], ["o"], GraphAttribute("body", body))], Value("o", Float, "batch", 16),
            constants: [Tensor("true", [], [1], 9)]);
    }
}
