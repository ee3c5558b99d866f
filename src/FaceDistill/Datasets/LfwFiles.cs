using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Datasets;

/// <summary>The lines of one of LFW's protocol files: fields between tabs, errors with file and line.</summary>
internal sealed class LfwText
{
    private const int MostCharacters = 16 << 20; // the largest official one has 155 KB
    private readonly string[] _lines;
    private int _next;

    public LfwText(string path)
    {
        File = path;
        var lines = new List<string>();
        using var file = new ListReader(path);
        for (string? line = file.ReadLine(); line is not null; line = file.ReadLine())
        {
            lines.Add(file.Characters <= MostCharacters ? line
                : throw new FaceDistillException($"{path} has more than {MostCharacters} characters and is no LFW protocol file"));
        }

        _lines = [.. lines[..(lines.FindLastIndex(line => !string.IsNullOrWhiteSpace(line)) + 1)]];
    }

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <summary>Whether all lines have been read.</summary>
    public bool AtEnd => _next == _lines.Length;

    /// <summary>The fields of the next line.</summary>
    public string[] Next(string expected)
    {
        if (AtEnd)
        {
            throw new FaceDistillException($"{File} ends at line {_lines.Length}, where {expected} should follow; get the official file again");
        }

        return _lines[_next++].Split('\t', StringSplitOptions.TrimEntries);
    }

    /// <summary>The number of fields of the line after this one, or 0 at the end.</summary>
    public int FieldsAhead => AtEnd ? 0 : _lines[_next].Split('\t').Length;

    /// <summary>A number from 1 to the maximum, from the line last read.</summary>
    public int Number(string field, int maximum, string expected) =>
        InvariantNumber.Count(field, out int value) && value >= 1 && value <= maximum
            ? value : throw Error(expected);

    /// <summary>A person's name, from the line last read.</summary>
    public string Person(string field, string expected) => field.Length > 0 ? field : throw Error(expected);

    /// <summary>The error for the line last read.</summary>
    public FaceDistillException Error(string expected)
    {
        string line = _lines[_next - 1];
        return new($"{File} line {_next}: expected {expected}, found '{(line.Length > 80 ? line[..80] + "..." : line)}'");
    }

    /// <summary>Refuses lines that are left over.</summary>
    public void End()
    {
        if (!AtEnd)
        {
            _next++;
            throw Error("the end of the file");
        }
    }
}

/// <summary>A pair of a verification protocol.</summary>
/// <param name="Fold">From 0.</param>
/// <param name="First">One image's name, for example "Aaron_Eckhart_0001".</param>
/// <param name="Second">The other's.</param>
/// <param name="Same">Whether both show one person.</param>
internal readonly record struct LfwPair(int Fold, string First, string Second, bool Same);

/// <summary>
/// LFW's list of pairs (pairs.txt, pairsDevTrain.txt, pairsDevTest.txt): a line "folds, n" or, for a single fold, "n"; then for
/// each fold n lines "name, i, j" of one person and n lines "name, i, other name, j" of two; fields between tabs.
/// </summary>
/// <param name="File">Where it was read.</param>
/// <param name="Folds">How many folds.</param>
/// <param name="Pairs">All pairs, fold by fold.</param>
internal sealed record LfwPairs(string File, int Folds, IReadOnlyList<LfwPair> Pairs)
{
    private const string SamePair = "name, number, number";
    private const string OtherPair = "name, number, other name, number";

    /// <summary>Reads the list.</summary>
    /// <exception cref="FaceDistillException">Missing or malformed; the message names file and line.</exception>
    public static LfwPairs Read(string path)
    {
        const string header = "the number of folds and of pairs";
        var text = new LfwText(path);
        string[] first = text.Next(header);
        if (first.Length > 2)
        {
            throw text.Error(header);
        }

        int folds = first.Length == 2 ? text.Number(first[0], 1000, header) : 1;
        int size = text.Number(first[^1], 1_000_000, header);
        var pairs = new List<LfwPair>();
        for (int fold = 0; fold < folds; fold++)
        {
            for (int i = 0; i < 2 * size; i++)
            {
                pairs.Add(i < size ? ReadSame(text, fold) : ReadOther(text, fold));
            }
        }

        text.End();
        return new LfwPairs(path, folds, pairs);
    }

    private static LfwPair ReadSame(LfwText text, int fold)
    {
        string[] f = text.Next(SamePair);
        if (f.Length != 3 || f[1] == f[2])
        {
            throw text.Error(SamePair);
        }

        string person = text.Person(f[0], SamePair);
        return new LfwPair(fold, Image(text, person, f[1], SamePair), Image(text, person, f[2], SamePair), Same: true);
    }

    private static LfwPair ReadOther(LfwText text, int fold)
    {
        string[] f = text.Next(OtherPair);
        if (f.Length != 4 || f[0] == f[2])
        {
            throw text.Error(OtherPair);
        }

        return new LfwPair(
            fold,
            Image(text, text.Person(f[0], OtherPair), f[1], OtherPair),
            Image(text, text.Person(f[2], OtherPair), f[3], OtherPair),
            Same: false);
    }

    private static string Image(LfwText text, string person, string number, string expected) =>
        LfwImage.Name(person, text.Number(number, 9999, expected));
}

/// <summary>A person of a list.</summary>
/// <param name="Name">As in image names.</param>
/// <param name="Images">How many images there are of them, numbered from 1.</param>
/// <param name="Set">From 0.</param>
internal readonly record struct LfwPerson(string Name, int Images, int Set);

/// <summary>
/// LFW's list of people: peopleDevTrain.txt and peopleDevTest.txt (a line with their number, then "name, images" a line) or
/// people.txt (a line with the number of sets, then such a list for each set); fields between tabs.
/// </summary>
/// <param name="File">Where it was read.</param>
/// <param name="Sets">How many sets: 1 for the View 1 files.</param>
/// <param name="People">All people, set by set.</param>
internal sealed record LfwPeople(string File, int Sets, IReadOnlyList<LfwPerson> People)
{
    /// <summary>Whether a person's pictures belong to the part.</summary>
    public Func<string, bool> Chooses()
    {
        var names = People.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        return names.Contains;
    }

    /// <summary>Reads the list.</summary>
    /// <exception cref="FaceDistillException">Missing or malformed, or a person comes twice; the message names file and line.</exception>
    public static LfwPeople Read(string path)
    {
        var text = new LfwText(path);
        int first = ReadCount(text);
        var people = new List<LfwPerson>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        bool sets = text.FieldsAhead == 1;
        for (int set = 0; set < (sets ? first : 1); set++)
        {
            int count = sets ? ReadCount(text) : first;
            for (int i = 0; i < count; i++)
            {
                people.Add(ReadPerson(text, set, seen));
            }
        }

        text.End();
        return new LfwPeople(path, sets ? first : 1, people);
    }

    private static int ReadCount(LfwText text)
    {
        const string expected = "a number of people or sets";
        string[] fields = text.Next(expected);
        return fields.Length == 1 ? text.Number(fields[0], 1_000_000, expected) : throw text.Error(expected);
    }

    private static LfwPerson ReadPerson(LfwText text, int set, HashSet<string> seen)
    {
        const string expected = "name, number of images";
        string[] fields = text.Next(expected);
        if (fields.Length != 2)
        {
            throw text.Error(expected);
        }

        string name = text.Person(fields[0], expected);
        return seen.Add(name) ? new LfwPerson(name, text.Number(fields[1], 9999, expected), set) : throw text.Error("each person once");
    }
}

/// <summary>Names of LFW images: "Aaron_Eckhart_0001" is image 1 of Aaron_Eckhart, in a folder with his name.</summary>
internal static class LfwImage
{
    /// <summary>The name of a person's image.</summary>
    public static string Name(string person, int number) => InvariantText.Of($"{person}_{number:D4}");

    /// <summary>The image's name in a path: its last part, without the extension, which differs once images are aligned.</summary>
    public static string NameOf(string path) => Path.GetFileNameWithoutExtension(path);

    /// <summary>The person in an image's name, or null where it does not end in an underscore and four digits.</summary>
    public static string? PersonOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length > 5 && name[^5] == '_' && name.AsSpan(name.Length - 4).IndexOfAnyExceptInRange('0', '9') < 0 ? name[..^5] : null;
    }
}
