using FaceDistill.Formats;

namespace FaceDistill.Datasets;

/// <summary>A pair of a user's list.</summary>
/// <param name="First">One image: its path relative to the data set, '/'-separated, with or without extension.</param>
/// <param name="Second">The other.</param>
/// <param name="Same">Whether both show one person.</param>
internal readonly record struct ImagePair(string First, string Second, bool Same);

/// <summary>
/// A user's own list of pairs: a CSV file (RFC 4180, UTF-8) with the header <c>a,b,same</c>; a and b are image paths,
/// same is 1, 0, true or false.
/// </summary>
/// <param name="File">Where it was read.</param>
/// <param name="Pairs">The pairs, in the file's order.</param>
internal sealed record PairList(string File, IReadOnlyList<ImagePair> Pairs)
{
    /// <summary>The list's name where it lies in a data set's folder.</summary>
    public const string FileName = "pairs.csv";

    /// <summary>Whether the ten folds are ten runs of consecutive pairs; else each has its part of either kind.</summary>
    public bool InOrder { get; init; }

    private static readonly string[] Header = ["a", "b", "same"];

    /// <summary>Reads the list in a data set's folder.</summary>
    /// <exception cref="FaceDistillException">As <see cref="Read"/>; also where no folder is given.</exception>
    public static PairList In(string? folder) =>
        folder is not null && Path.Combine(folder, FileName) is var path && System.IO.File.Exists(path) ? Read(path)
        : throw new FaceDistillException($"'pairs' needs --pairs FILE, or {FileName} in the data folder{(folder is null ? "" : " " + folder)} (its header is "
            + "a,b,same)");

    /// <summary>Reads the list.</summary>
    /// <exception cref="FaceDistillException">Missing, not UTF-8 or malformed; an image paired with itself; the same two
    /// images once as one person and once as two. The message names file and line.</exception>
    public static PairList Read(string path)
    {
        using var reader = new ListReader(path);
        return new PairList(path, ReadPairs(path, Csv.Rows(reader, path)));
    }

    private static List<ImagePair> ReadPairs(string path, IEnumerable<CsvRow> rows)
    {
        var pairs = new List<ImagePair>();
        var said = new Dictionary<(string, string), (int Line, bool Same)>();
        bool header = false;
        foreach (var row in rows)
        {
            if (!header)
            {
                header = row.Fields.Select(name => name.Trim()).SequenceEqual(Header, StringComparer.OrdinalIgnoreCase) ? true
                    : throw new FaceDistillException($"{path} line {row.Line}: expected the header a,b,same, found '{Show(row)}'");
                continue;
            }

            var pair = Parse(path, row);
            var key = string.CompareOrdinal(pair.First, pair.Second) < 0 ? (pair.First, pair.Second) : (pair.Second, pair.First);
            if (!said.TryAdd(key, (row.Line, pair.Same)) && said[key].Same != pair.Same)
            {
                throw new FaceDistillException($"{path} line {row.Line}: line {said[key].Line} says otherwise of the same two images; keep one of them");
            }

            pairs.Add(pair);
        }

        return pairs.Count > 0 ? pairs
            : throw new FaceDistillException($"{path} holds no pair; write the header a,b,same and then a pair a line");
    }

    private static ImagePair Parse(string path, CsvRow row)
    {
        bool? same = row.Fields.Count != 3 ? null : row.Fields[2].Trim().ToUpperInvariant() switch
        {
            "1" or "TRUE" => true,
            "0" or "FALSE" => false,
            _ => null,
        };
        if (same is null || string.IsNullOrWhiteSpace(row.Fields[0]) || string.IsNullOrWhiteSpace(row.Fields[1]))
        {
            throw new FaceDistillException($"{path} line {row.Line}: expected two images and 1, 0, true or false, found '{Show(row)}'");
        }

        var pair = new ImagePair(ImagePaths.Normal(row.Fields[0]), ImagePaths.Normal(row.Fields[1]), same.Value);
        return pair.First != pair.Second ? pair
            : throw new FaceDistillException($"{path} line {row.Line}: {pair.First} is paired with itself; remove the line");
    }

    private static string Show(CsvRow row)
    {
        string text = string.Join(',', row.Fields);
        return text.Length > 80 ? text[..80] + "..." : text;
    }
}
