using FaceDistill.Formats;

namespace FaceDistill.Datasets;

/// <summary>
/// Pictures that are never to train: a text file (UTF-8) with a line <c>NAME tab PATH</c> for each, where NAME is that of the data set's folder and PATH
/// the picture's in it, or the list that <c>audit</c> writes (a CSV file whose columns data and path are these).
/// </summary>
/// <remarks>
/// A path is that of a photo or of its aligned face. Aligning makes .jpg of every ending, and adds it where two photos differ in
/// their endings only; so a line means every face that may be of its photo.
/// </remarks>
internal sealed class ExclusionList
{
    private readonly Dictionary<string, List<string>> _paths; // by the data set's name

    private ExclusionList(string file, Dictionary<string, List<string>> paths) => (File, _paths) = (file, paths);

    /// <summary>Where it was read.</summary>
    public string File { get; }

    /// <summary>The data sets' names, in ordinal order.</summary>
    public IEnumerable<string> Names => _paths.Keys.Order(StringComparer.Ordinal);

    /// <summary>How many pictures of a data set it names.</summary>
    public int Count(string name) => _paths.GetValueOrDefault(name)?.Count ?? 0;

    /// <summary>Reads a list; a picture that comes twice counts once.</summary>
    /// <exception cref="FaceDistillException">Missing, not UTF-8, empty or malformed; the message names file and line.</exception>
    public static ExclusionList Read(string path)
    {
        bool lines = FirstLine(path).Contains('\t', StringComparison.Ordinal);
        using var reader = new ListReader(path);
        var pictures = (lines ? Lines(reader, path) : Table(Csv.Rows(reader, path), path)).Distinct().ToList();
        var sets = pictures.GroupBy(p => p.Name, StringComparer.Ordinal);
        return pictures.Count > 0 ? new ExclusionList(path, sets.ToDictionary(g => g.Key, g => g.Select(p => p.Path).ToList(), StringComparer.Ordinal))
            : throw new FaceDistillException($"{path} names no picture; write a data set's folder name, a tab and a path in it on each line");
    }

    /// <summary>Which pictures of a data set are on the list.</summary>
    /// <param name="name">The data set's name.</param>
    /// <param name="paths">Its pictures' paths, each once.</param>
    /// <param name="own">Of a folder of all faces (<see cref="AlignedFolder.OwnFaces"/>): a photo's own face stands for the photo, with which all go whom it
    /// shows; null of others.</param>
    /// <returns>For each picture whether it is excluded; and the lines of this name that fit none, in their order.</returns>
    public (bool[] Excluded, IReadOnlyList<string> Unknown) In(string name, IReadOnlyList<string> paths, Func<string, string?>? own = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var excluded = new bool[paths.Count];
        var unknown = new List<string>();
        if (!_paths.TryGetValue(name, out var listed))
        {
            return (excluded, unknown);
        }

        var exact = paths.Select((path, i) => (path, i)).ToDictionary(p => p.path, p => p.i, StringComparer.Ordinal);
        var stems = paths.Select((path, i) => (Stem: ImagePaths.Stem(path), i)).ToLookup(p => p.Stem, p => p.i, StringComparer.Ordinal);
        foreach (string path in listed)
        {
            int[] faces = ImagePaths.Spellings(path).Select(Faces).FirstOrDefault(found => found.Length > 0) ?? [];
            Array.ForEach(faces, face => excluded[face] = true);
            if (faces.Length == 0)
            {
                unknown.Add(path);
            }
        }

        if (own is not null)
        {
            var gone = paths.Where((_, i) => excluded[i]).ToHashSet(StringComparer.Ordinal);
            excluded = [.. paths.Select((path, i) => excluded[i] || (own(path) is { } first && gone.Contains(first)))];
        }

        return (excluded, unknown);

        int[] Faces(string path)
        {
            int[] faces = [.. new[] { path, path + ".jpg" }.Where(exact.ContainsKey).Select(p => exact[p])];
            return faces.Length > 0 ? faces : [.. stems[ImagePaths.Stem(path)]];
        }
    }

    /// <summary>Tells in a line what the list took out of a data set, and how many of its lines mean nothing there.</summary>
    public void Tell(string name, int excluded, int faces, IReadOnlyList<string> unknown, JobContext job) =>
        job.Say?.Invoke($"{name}: {excluded} of {faces} faces excluded by {File}"
            + (unknown.Count == 0 ? "" : $"; {unknown.Count} of its lines fit no face here (first: {unknown[0]})"));

    /// <summary>Tells in a line of the data sets that the list names beside those that are used.</summary>
    public void TellOthers(IEnumerable<string> used, JobContext job)
    {
        string[] others = [.. Names.Except(used, StringComparer.Ordinal)];
        if (others.Length > 0)
        {
            string names = string.Join(", ", others.Take(10)) + (others.Length > 10 ? ", ..." : "");
            job.Say?.Invoke($"{File}: {others.Sum(Count)} lines are of other data sets ({names})");
        }
    }

    private static string FirstLine(string path)
    {
        using var reader = new ListReader(path);
        string? line = reader.ReadLine();
        while (line is not null && line.Trim().Length == 0)
        {
            line = reader.ReadLine();
        }

        return line ?? "";
    }

    private static IEnumerable<(string Name, string Path)> Lines(ListReader reader, string path)
    {
        while (reader.ReadLine() is { } text)
        {
            if (text.Trim().Length == 0)
            {
                continue;
            }

            string[] fields = text.Split('\t');
            yield return fields.Length == 2 && fields[0].Trim().Length > 0 && fields[1].Trim().Length > 0 ? (fields[0].Trim(), ImagePaths.Normal(fields[1]))
                : throw new FaceDistillException(
                    $"{path} line {reader.Line}: expected a data set's folder name, a tab and a path in it, found '"
                        + $"{(text.Length > 80 ? text[..80] + "..." : text)}'");
        }
    }

    private static IEnumerable<(string Name, string Path)> Table(IEnumerable<CsvRow> rows, string path)
    {
        int data = -1, picture = -1, columns = 0;
        foreach (var row in rows)
        {
            if (columns == 0)
            {
                string[] header = [.. row.Fields.Select(name => name.Trim().ToLowerInvariant())];
                (data, picture, columns) = (Array.IndexOf(header, "data"), Array.IndexOf(header, "path"), header.Length);
                if (data < 0 || picture < 0)
                {
                    throw new FaceDistillException(
                        $"{path} line {row.Line}: neither a line with a tab between a data set's folder name and a path, "
                        + "nor the header of a CSV file with the columns data and path");
                }

                continue;
            }

            yield return row.Fields.Count == columns && row.Fields[data].Trim().Length > 0 && row.Fields[picture].Trim().Length > 0
                ? (row.Fields[data].Trim(), ImagePaths.Normal(row.Fields[picture]))
                : throw new FaceDistillException($"{path} line {row.Line}: expected {columns} fields, those of data and path not empty");
        }
    }
}
