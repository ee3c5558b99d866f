namespace FaceDistill.Attack.Groups;

/// <summary>Teachers in the cache that are not what their cards say.</summary>
internal static class VerifyCases
{
    /// <summary>The cases; all need dlib's weights, and one conversion each.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("converted teacher in the cache altered: teachers verify", t =>
        {
            Alter(Converted(t));
            var outcome = t.Run("teachers", "verify", "dlib-resnet");
            t.Expect(outcome.Exit != 0 || Healed(t), "verify says all is well");
        }),
        new("converted teacher altered: embed", t =>
        {
            Alter(Converted(t));
            t.DoneOrRefused(t.Run("embed", "--data", t["al"], "--teacher", "dlib-resnet", "--output", t["e2"]), "dlib-resnet");
            t.Expect(t.Exits[^1] != 0 || Healed(t), "runs the altered network silently");
        }),
        new("converted teacher replaced by junk: one line with remedy?", t =>
        {
            File.WriteAllText(Converted(t), "junk");
            t.DoneOrRefused(t.Run("embed", "--data", t["al"], "--teacher", "dlib-resnet", "--output", t["e2"]), "dlib-resnet");
        }),
        new("junk converted teacher: does pull heal it?", t =>
        {
            File.WriteAllText(Converted(t), "junk");
            t.Run("teachers", "pull", "dlib-resnet");
            t.Works("teachers", "verify", "dlib-resnet");
            t.Expect(Healed(t), "pull does not remake the junk file");
        }),
        new("weights truncated", t =>
        {
            string model = Converted(t);
            File.Delete(model);
            string weights = t["h/models/dlib-resnet/face_recognition_model.bin"];
            Files.Copy(t.Bases.Home, t["h"]);
            File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..1000]);
            t.Refused(t.Run(new Launch(
                "embed", "--data", t["al"], "--teacher", "dlib-resnet", "--output", t["e2"]) { Environment = { ["FACEDISTILL_HOME"] = t["h"] } }),
                "face_recognition_model.bin", output: t["e2"]);
        }),
        new("someone's card named dlib-resnet poisons the shipped teacher", t =>
        {
            byte[] right = Files.Hash(Converted(t));
            File.Delete(Model(t));
            string folder = Directory.CreateDirectory(t["evil"]).FullName;
            Files.Copy(Path.Combine(t.Bases.Home, "models", "dlib-resnet"), folder);
            byte[] weights = File.ReadAllBytes(Path.Combine(folder, "face_recognition_model.bin"));
            weights.AsSpan(100_000, 200_000).Reverse();
            File.WriteAllBytes(Path.Combine(folder, "face_recognition_model.bin"), weights);
            var contract = Onnx.Contract();
            contract["size"] = 150;
            var card = new System.Text.Json.Nodes.JsonObject
            {
                ["name"] = "dlib-resnet", ["description"] = "d", ["licence"] = "l", ["source"] = "s",
                ["assets"] = new System.Text.Json.Nodes.JsonArray([.. Files.Under(folder).Select(f => new System.Text.Json.Nodes.JsonObject
                {
                    ["file"] = f, ["source"] = new System.Text.Json.Nodes.JsonObject { ["path"] = f },
                })]),
                ["convert"] = "dlib-resnet", ["model"] = "dlib-resnet.onnx", ["dimension"] = 128, ["contract"] = contract,
            };
            File.WriteAllText(Path.Combine(folder, "evil.json"), card.ToJsonString());
            t.Run("embed", "--data", t["al"], "--teacher", Path.Combine(folder, "evil.json"), "--output", t["e8"]);
            t.Works("embed", "--data", t["al"], "--teacher", "dlib-resnet", "--output", t["e9"]);
            t.Same("the shipped teacher's embeddings", t["e1"], t["e9"], f => f.EndsWith(".parquet", StringComparison.Ordinal));
            t.Expect(Directory.GetFiles(Models(t), "*.onnx", SearchOption.AllDirectories).Any(f => Files.Hash(f).SequenceEqual(right)),
                "the shipped dlib-resnet now runs the network that the other card made");
        }),
    ];

    private static string Models(Trial t) => Path.Combine(t.Cache, "facedistill", "models");

    private static string Model(Trial t) =>
        Path.Combine(Models(t), Files.Under(Models(t)).FirstOrDefault(f => f.EndsWith(".onnx", StringComparison.Ordinal)) ?? "dlib-resnet/dlib-resnet.onnx");

    /// <summary>Lets the teacher be converted into the case's cache.</summary>
    private static string Converted(Trial t)
    {
        t.Bases.NeedsDlib();
        t.Works("align", "--data", t.Bases.Photos, "--template", "dlib", "--output", t["al"]);
        t.Works("embed", "--data", t["al"], "--teacher", "dlib-resnet", "--output", t["e1"]);
        File.Copy(Model(t), t["right.onnx"]);
        return Model(t);
    }

    private static void Alter(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        for (int i = bytes.Length / 2; i < (bytes.Length / 2) + 400; i += 4)
        {
            bytes[i] ^= 0x55; // the low bits of some weights
        }

        File.WriteAllBytes(file, bytes);
    }

    private static bool Healed(Trial t) => Files.Hash(Model(t)).SequenceEqual(Files.Hash(t["right.onnx"]));
}

/// <summary>Dates that are odd.</summary>
internal static class ClockCases
{
    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. new[] { 2096, 1970 }.Select(year => new Case($"photos dated {year}", t => t.Works("align", "--data", Dated(t, year), "--output", t["a"]))),
        new("photos dated 1938", t => t.Works("embed", "--data", Dated(t, 1938), "--teacher", t.Bases.Card)),
    ];

    private static string Dated(Trial t, int year)
    {
        string photos = t.Copy(t.Bases.Photos, "raw");
        foreach (string file in Files.Under(photos))
        {
            File.SetLastWriteTimeUtc(Path.Combine(photos, file), new DateTime(year, 1, 2, 0, 0, 0, DateTimeKind.Utc));
        }

        return photos;
    }
}

/// <summary>What a failed run leaves does not block the next.</summary>
internal static class LeftoverCases
{
    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("after a failed embed (store.json left) the right model into the same --output", t =>
        {
            string card = Onnx.WriteCard(t["m"], Onnx.Tiny([Onnx.Node("Sub", ["embedding", "embedding"], ["z"]), Onnx.Node("Div", ["z", "z"], ["o"])],
                Onnx.Value("o", Onnx.Float, "batch", 16)), "nan");
            t.Refused(t.Run("embed", "--data", t.Bases.Few, "--teacher", card, "--output", t["es"]), "nan.onnx");
            t.Works("embed", "--data", t.Bases.Few, "--teacher", t.Bases.Card, "--output", t["es"]);
        }, Short: true),
        new("after a refused distill (run.json left) a right one into the same --output", t =>
        {
            string[] line = ["distill", "--data", t.Bases.Few, "--student", Bases.Student, "--epochs", "1", "--batch-size", "8", "--teacher", t.Bases.Card,
                "--output", t["dl"]];
            t.RefusedOrUsage(t.Run([.. line, "--init", "/nope"]));
            t.Works([.. line, "--device", "cpu"]);
        }),
    ];
}
