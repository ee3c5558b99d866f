using System.Globalization;
using System.Text;

namespace FaceDistill.Attack.Groups;

/// <summary>LFW's lists, a user's list of pairs and a gallery, beside faces that they do not fit.</summary>
internal static class PairsCases
{
    private const int People = 12, Images = 8, Folds = 2, Each = 6;

    // The line of the list that an edit is in, counted from the header.
    private static readonly (string Name, Func<string, byte[]> Change, int Exit)[] Lists =
    [
        ("control", Utf8, 0),
        ("empty", _ => [], 1),
        ("header only", _ => "2\t6\n"u8.ToArray(), 1),
        ("header junk", s => Utf8(Line(s, 0, "ten\tpairs")), 1),
        ("header negative", s => Utf8(Line(s, 0, "-2\t6")), 1),
        ("header 1e9 folds", s => Utf8(Line(s, 0, "1000000000\t6")), 1),
        ("header 2^63", s => Utf8(Line(s, 0, "9223372036854775808\t6")), 1),
        ("short", s => Utf8(string.Join('\n', s.Split('\n')[..^5])), 1),
        ("extra line", s => Utf8(s + "p_0\t1\t2\n"), 1),
        ("spaces not tabs", s => Utf8(s.Replace('\t', ' ')), 1),
        ("number 0", s => Utf8(Line(s, 1, "p_0\t0\t2")), 1),
        ("number 99999", s => Utf8(Line(s, 1, "p_0\t1\t99999")), 1),
        ("pair with itself", s => Utf8(Line(s, 1, "p_0\t1\t1")), 1),
        ("binary", _ => [.. Enumerable.Range(0, 3000).Select(i => (byte)(i * 73))], 1),
        ("BOM", s => [0xef, 0xbb, 0xbf, .. Utf8(s)], 0),
        ("CRLF", s => Utf8(s.Replace("\n", "\r\n", StringComparison.Ordinal)), 0),
        ("UTF-16", s => [0xff, 0xfe, .. Encoding.Unicode.GetBytes(s)], 0),
        ("one fold", s => Utf8(string.Join('\n', s.Split('\n')[..(1 + (2 * Each))].Prepend("6").Where((_, i) => i != 1)) + "\n"), 1),
        ("20 MB", s => [.. Utf8(s), .. Enumerable.Repeat((byte)'x', 20 << 20)], 1),
    ];

    private static readonly (string Name, Func<string, string> Change, int Exit)[] PeopleLists =
    [
        ("empty", _ => "", 1),
        ("junk", _ => "people of the test\n", 1),
        ("count too high", s => Line(s, 0, "99"), 1),
        ("count wrong", s => Line(s, 0, "3"), 1),
        ("nobody there", _ => "2\nnobody_a\t3\nnobody_b\t4\n", 1),
        ("duplicate person", s => Line(s, 2, "p_0\t8"), 1),
        ("traversal", _ => "2\n../../p_0\t3\n../p_1\t4\n", 1),
        ("fine", s => s, 0),
    ];

    private static readonly (string Name, Func<string, byte[]> Change, int Exit)[] Own =
    [
        ("fine", Utf8, 0),
        ("empty", _ => [], 1),
        ("header only", _ => "a,b,same\n"u8.ToArray(), 1),
        ("no header", s => Utf8(s[(s.IndexOf('\n', StringComparison.Ordinal) + 1)..]), 1),
        ("semicolons", s => Utf8(s.Replace(',', ';')), 1),
        ("quoted", s => Utf8(
            string.Join('\n', s.TrimEnd().Split('\n').Select((l, i) => i == 0 ? l : "\"" + l.Replace(",", "\",\"", StringComparison.Ordinal) + "\""))), 0),
        ("unclosed quote", s => Utf8(Line(s, 2, "\"id_00000/0000.png,id_00001/0000.png,0")), 1),
        ("stray quote", s => Utf8(Line(s, 2, "id_00000/00\"00.png,id_00001/0000.png,0")), 1),
        ("same=yes", s => Utf8(Line(s, 2, "id_00000/0000.png,id_00001/0000.png,yes")), 1),
        ("same=2", s => Utf8(Line(s, 2, "id_00000/0000.png,id_00001/0000.png,2")), 1),
        ("2 fields", s => Utf8(Line(s, 2, "id_00000/0000.png,id_00001/0000.png")), 1),
        ("unknown picture", _ => Utf8("a,b,same\nid_00000/0000.png,id_99999/0000.png,0\n"), 1),
        ("../ picture", _ => Utf8("a,b,same\nid_00000/0000.png,../few/id_00001/0000.png,0\n"), 1),
        ("absolute picture", _ => Utf8("a,b,same\nid_00000/0000.png,/etc/passwd,0\n"), 1),
        ("itself", s => Utf8(Line(s, 2, "id_00000/0000.png,id_00000/0000.png,1")), 1),
        ("contradiction", s => Utf8(s + "id_00000/0000.png,id_00000/0001.png,0\n"), 1),
        ("latin-1", s => [.. Encoding.Latin1.GetBytes(s + "id_00000/\u00e9.png,id_00001/0000.png,0\n")], 1),
        ("NUL", _ => Utf8("a,b,same\nid_00000/0000.png\0,id_00001/0000.png,0\n"), 1),
        ("only genuine", s => Utf8(string.Join('\n', s.Split('\n').Where(l => !l.EndsWith(",0", StringComparison.Ordinal)))), 1),
        ("BOM", s => [0xef, 0xbb, 0xbf, .. Utf8(s)], 0),
        ("50 MB unclosed quote", s => [.. Utf8(Line(s, 2, "\"id_00000/0000.png")), .. Enumerable.Repeat((byte)'x', 50 << 20)], 1),
        ("same=2 (own cache)", s => Utf8(Line(s, 1, "id_00000/0000.png,id_00000/0001.png,2")), 1),
        ("2 fields (own cache)", s => Utf8(Line(s, 1, "id_00000/0000.png,id_00000/0001.png")), 1),
    ];

    private static readonly (string Name, byte[] Bytes)[] Galleries =
    [
        ("gallery empty", []),
        ("gallery duplicate", "id_00000/0000.png\nid_00000/0000.png\n"u8.ToArray()),
        ("gallery latin-1", Encoding.Latin1.GetBytes("id_00000/\u00e9.png\n")),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Lists.Select((l, i) => new Case(l.Name, t => Judge(t, l.Exit, TenFold(t, l.Change(Pairs())), "pairs.txt"), Short: i is 0 or 3)),
        new("directory", t => Judge(t, 1, TenFold(t, null, d => Directory.CreateDirectory(Path.Combine(d, "pairs.txt"))), "pairs.txt")),
        new("pairs.txt is a directory", t => Judge(t, 1, TenFold(t, null, d => Directory.CreateDirectory(Path.Combine(d, "pairs.txt", "x"))), "pairs.txt")),
        new("pairs.txt is missing", t => Judge(t, 1, TenFold(t, null), "pairs.txt")),
        .. PeopleLists.Select(l => new Case($"peopleDevTest: {l.Name}", t =>
        {
            string folder = Lfw(t);
            File.WriteAllText(Path.Combine(folder, "peopleDevTest.txt"), l.Change(PeopleText()));
            Judge(t, l.Exit, Evaluate(t, folder, "lfw-view1-test"), "peopleDevTest.txt");
        })),
        .. Own.Select((o, i) =>
            new Case($"pairs csv: {o.Name}", t => Judge(t, o.Exit, t.Run("evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--protocol", "pairs",
            "--pairs", t.Write("p.csv", o.Change(OwnPairs())), "--resamples", "0"), "p.csv"), Short: i is 0 or 7)),
        .. Galleries.Select(g =>
            new Case(g.Name, t => Judge(t, 1, t.Run("evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--protocol", "identification",
            "--gallery", t.Write("g.txt", g.Bytes), "--resamples", "0"), "g.txt"))),
        new("pairs.txt names a picture that is not there: is it said?", t =>
        {
            string folder = Lfw(t);
            File.WriteAllText(Path.Combine(folder, "pairs.txt"), Line(Pairs(), 1, "p_0\t1\t77"));
            var outcome = Evaluate(t, folder, "lfw-10fold");
            t.Done(outcome);
            t.Expect(outcome.Output.Contains("1 image of the protocol is missing", StringComparison.Ordinal), "a pair is dropped without a word");
        }),
    ];

    private static void Judge(Trial t, int exit, Outcome outcome, string names)
    {
        if (exit == 0)
        {
            t.Done(outcome);
        }
        else
        {
            t.Refused(outcome, names);
        }
    }

    private static Outcome TenFold(Trial t, byte[]? pairs, Action<string>? then = null)
    {
        string folder = Lfw(t);
        if (pairs is not null)
        {
            File.WriteAllBytes(Path.Combine(folder, "pairs.txt"), pairs);
        }

        then?.Invoke(folder);
        return Evaluate(t, folder, "lfw-10fold");
    }

    private static Outcome Evaluate(Trial t, string folder, string protocol, params string[] more) =>
        t.Run(["evaluate", "--model", t.Bases.Model, "--data", folder, "--protocol", protocol, "--resamples", "0", .. more]);

    /// <summary>Aligned faces under LFW's names: p_3/p_3_0002.png.</summary>
    private static string Lfw(Trial t)
    {
        string folder = t["lfw"];
        foreach (string file in Files.Under(t.Bases.More))
        {
            string[] parts = file.Split('/');
            int person = parts.Length == 2 ? int.Parse(parts[0].AsSpan(3), CultureInfo.InvariantCulture) : 0;
            string to = parts.Length == 1 ? file : $"p_{person}/p_{person}_{int.Parse(parts[1].AsSpan(0, 4), CultureInfo.InvariantCulture) + 1:D4}.png";
            Files.Copy(Path.Combine(t.Bases.More, file), Path.Combine(folder, "images", to));
        }

        return folder;
    }

    private static string Pairs()
    {
        var text = new StringBuilder($"{Folds}\t{Each}\n");
        for (int fold = 0; fold < Folds; fold++)
        {
            for (int i = 0; i < Each; i++)
            {
                text.Append(CultureInfo.InvariantCulture, $"p_{(fold * Each) + i}\t1\t{2 + i}\n");
            }

            for (int i = 0; i < Each; i++)
            {
                text.Append(CultureInfo.InvariantCulture, $"p_{(fold * Each) + i}\t{1 + i}\tp_{((fold * Each) + i + 3) % People}\t{1 + (i % Images)}\n");
            }
        }

        return text.ToString();
    }

    private static string PeopleText() => "4\n" + string.Concat(Enumerable.Range(0, 4).Select(i => $"p_{i}\t{Images}\n"));

    private static string OwnPairs() => "a,b,same\n" + string.Concat(Enumerable.Range(0, 6).SelectMany(i => new[]
    {
        $"id_0000{i}/0000.png,id_0000{i}/0001.png,1\n", $"id_0000{i}/0000.png,id_0000{(i + 1) % 6}/0002.png,0\n",
    }));

    private static string Line(string text, int number, string line)
    {
        string[] lines = text.Split('\n');
        lines[number] = line;
        return string.Join('\n', lines);
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
