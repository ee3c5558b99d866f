using FaceDistill.Datasets;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Stores;

namespace FaceDistill.Runs;

/// <summary>
/// The faces that a run was trained on or chose its best epoch by, kept in its folder, and the one rule for 'was trained on these people'.
/// </summary>
/// <remarks>
/// A measured person counts as trained on where one of the person's measured faces, or the photo of it, is a training face's by content; and, where both sides
/// have names, where a training face has the person's name. Folders, their dates and data sets' names decide nothing: a renamed copy is found, and two
/// unrelated folders of one name are not. An identity is a name unless it is a number: has digits, and either fewer than two letters or the letters of
/// another identity of the set (n000012, person_7). People whose other pictures were trained on under a number are therefore not found; the audit finds these.
/// </remarks>
internal sealed class TrainedFaces
{
    /// <summary>The list in a run folder: the content of each face and of its photo, and whom it shows.</summary>
    public const string FileName = "trained-on.csv";

    private const string Header = "face,photo,identity";
    private readonly HashSet<ContentHash> _contents = [];
    private readonly HashSet<string> _names;

    private TrainedFaces(IEnumerable<(ContentHash Face, ContentHash Photo, string Identity)> faces)
    {
        var people = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (face, photo, identity) in faces)
        {
            _contents.Add(face);
            _contents.Add(photo);
            people.Add(identity);
        }

        _contents.Remove(default);
        _names = Names(people);
    }

    /// <summary>Writes a run's list.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="faces">Faces that are hashed.</param>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(string run, AlignedFaces faces)
    {
        ArgumentNullException.ThrowIfNull(faces);
        AtomicFile.WriteText(
            Path.Combine(run, FileName), Csv.Text(Header, faces.Dataset.Images.Select(i => new object[] { i.Hash, i.Photo, i.Identity })));
    }

    /// <summary>Reads a run's list; null where the run of an earlier version has none.</summary>
    /// <exception cref="FaceDistillException">It is damaged.</exception>
    public static TrainedFaces? Read(string run)
    {
        string path = Path.Combine(run, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        using var reader = new ListReader(path);
        return new TrainedFaces(Csv.Rows(reader, path).Skip(1).Select(row =>
            row.Fields.Count == 3 && ContentHash.TryParse(row.Fields[0], out var face) && ContentHash.TryParse(row.Fields[1], out var photo)
                ? (face, photo, row.Fields[2])
                : throw new FaceDistillException($"{path} line {row.Line}: not two hashes and an identity; the run says no more what it was trained on")));
    }

    /// <summary>Whether a face, or its photo, is one of them.</summary>
    public bool Has(FaceImage image) => _contents.Contains(image.Hash) || _contents.Contains(image.Photo);

    /// <summary>How many of the measured people and faces were trained on.</summary>
    /// <param name="set">Embeddings with contents.</param>
    /// <param name="people">The people who are measured; null for all of the set.</param>
    public TrainedOverlap Of(EmbeddingSet set, IReadOnlySet<string>? people = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        var names = Names(set.Identities.ToHashSet(StringComparer.Ordinal));
        int[] rows = [.. Enumerable.Range(0, set.Count).Where(i => people?.Contains(set.Identities[i]) != false)];
        int[] same = [.. rows.Where(i => _contents.Contains(set.Faces![i]) || _contents.Contains(set.Photos![i]))];
        var byContent = same.Select(i => set.Identities[i]).Where(i => i.Length > 0).ToHashSet(StringComparer.Ordinal);
        var measured = rows.Select(i => set.Identities[i]).Where(i => i.Length > 0).ToHashSet(StringComparer.Ordinal);
        int byName = measured.Count(i => !byContent.Contains(i) && names.Contains(Last(i)) && _names.Contains(Last(i)));
        return new TrainedOverlap(byContent.Count + byName, byName, measured.Count, same.Length, rows.Length);
    }

    // The last folders' names, of those that are names.
    private static HashSet<string> Names(IReadOnlySet<string> identities)
    {
        string[] people = [.. identities.Select(Last).Where(i => i.Length > 0).Distinct(StringComparer.Ordinal)];
        var letters = people.CountBy(WithoutDigits, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Value, StringComparer.Ordinal);
        bool IsNumber(string name) => WithoutDigits(name) is var rest && rest != name && (rest.Count(char.IsLetter) < 2 || letters[rest] > 1);
        return people.Length < 2 ? [] : people.Where(name => !IsNumber(name)).ToHashSet(StringComparer.Ordinal); // one folder for all is no person
    }

    private static string WithoutDigits(string name) => string.Concat(name.Where(c => !char.IsDigit(c)));

    private static string Last(string identity) => identity[(identity.LastIndexOf('/') + 1)..];
}
