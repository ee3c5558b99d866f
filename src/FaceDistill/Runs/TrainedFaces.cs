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
/// unrelated folders of one name are not. An identity is a name unless it is a number: has fewer than two letters, or digits and the letters of another
/// identity of the set (n000012, person_7). People whose other pictures were trained on under a number are therefore not found; the audit finds these.
/// </remarks>
internal sealed class TrainedFaces
{
    /// <summary>
    /// The list in a run folder: the content of each face and of its photo, whom it shows, and whether the person was held out (1) or not (0). Lists of
    /// earlier versions do not have the last.
    /// </summary>
    public const string FileName = "trained-on.csv";

    private const string Header = "face,photo,identity,held_out";
    private const string Unknown = "(and others, unknown)";
    private readonly HashSet<ContentHash> _contents = [];
    private readonly HashSet<string> _names;

    private TrainedFaces(IEnumerable<(ContentHash Face, ContentHash Photo, string Identity, string HeldOut)> faces)
    {
        var people = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (face, photo, identity, _) in faces)
        {
            if (face.IsNone)
            {
                IsPartial |= identity == Unknown;
                continue;
            }

            _contents.Add(face);
            _contents.Add(photo);
            people.Add(identity);
        }

        _contents.Remove(default);
        _names = Names(people);
    }

    /// <summary>Whether the student started from one of which it is not known on which faces it was trained.</summary>
    public bool IsPartial { get; }

    /// <summary>Writes a run's list.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="faces">Faces that are hashed.</param>
    /// <param name="start">The run folder of the student that it starts from, whose faces count too; null for none.</param>
    /// <param name="heldOut">The places of the faces of people who are held out; null for nobody.</param>
    /// <exception cref="FaceDistillException">The file cannot be written, or the start's list is damaged.</exception>
    public static void Write(string run, AlignedFaces faces, string? start = null, IEnumerable<int>? heldOut = null)
    {
        ArgumentNullException.ThrowIfNull(faces);
        var strangers = heldOut?.ToHashSet() ?? [];
        IEnumerable<object[]> before = start is null ? []
            : !File.Exists(Path.Combine(start, FileName)) ? [[default(ContentHash), default(ContentHash), Unknown, ""]]
            : Rows(Path.Combine(start, FileName)).Select(f => new object[] { f.Face, f.Photo, f.Identity, f.HeldOut });
        Csv.Write(Path.Combine(run, FileName), Header,
            faces.Dataset.Images.Select((face, i) => new object[] { face.Hash, face.Photo, face.Identity, strangers.Contains(i) ? "1" : "0" }).Concat(before));
    }

    /// <summary>Reads a run's list; null where the run of an earlier version has none.</summary>
    /// <exception cref="FaceDistillException">It is damaged.</exception>
    public static TrainedFaces? Read(string run) =>
        Path.Combine(run, FileName) is var path && File.Exists(path) ? new TrainedFaces(Rows(path)) : null;

    /// <summary>
    /// Which of some people a run, or one that it started from, was trained on: by their faces' contents, and by those of their names that are no numbers.
    /// </summary>
    /// <param name="run">The run folder.</param>
    /// <param name="faces">Faces of the people, each with the person's name as <see cref="FaceDataset.PersonOf"/> has it.</param>
    /// <returns>Null where nobody is found and the list does not say of all faces whether they were held out.</returns>
    /// <exception cref="FaceDistillException">The list is damaged.</exception>
    public static IReadOnlySet<string>? Met(string run, IEnumerable<(string Person, FaceImage Face)> faces)
    {
        string path = Path.Combine(run, FileName);
        HashSet<string> names = new(StringComparer.Ordinal), met = new(StringComparer.Ordinal);
        var contents = new Dictionary<ContentHash, string>();
        foreach (var (person, face) in faces)
        {
            _ = Last(person).All(char.IsAsciiDigit) || names.Add(person);
            (contents[face.Hash], contents[face.Photo]) = (person, person);
        }

        contents.Remove(default);
        bool tells = File.Exists(path);
        foreach (var (face, photo, identity, heldOut) in tells ? Rows(path) : [])
        {
            tells &= heldOut.Length > 0;
            string name = FaceDataset.PersonOf(identity);
            if (heldOut == "0" && (names.Contains(name) ? name : contents.GetValueOrDefault(face) ?? contents.GetValueOrDefault(photo)) is { } person)
            {
                met.Add(person);
            }
        }

        return tells || met.Count > 0 ? met : null;
    }

    private static IEnumerable<(ContentHash Face, ContentHash Photo, string Identity, string HeldOut)> Rows(string path)
    {
        using var reader = new ListReader(path);
        foreach (var row in Csv.Rows(reader, path).Skip(1))
        {
            yield return row.Fields.Count is 3 or 4 && ContentHash.TryParse(row.Fields[0], out var face) && ContentHash.TryParse(row.Fields[1], out var photo)
                ? (face, photo, row.Fields[2], row.Fields.Count == 4 ? row.Fields[3] : "")
                : throw new FaceDistillException($"{path} line {row.Line}: not two hashes and an identity; the run says no more what it was trained on");
        }
    }

    /// <summary>Whether a face, or its photo, is one of them.</summary>
    public bool Has(FaceImage image) => Has(image.Hash, image.Photo);

    /// <summary>Whether a face, or its photo, is one of them.</summary>
    public bool Has(ContentHash face, ContentHash photo) => _contents.Contains(face) || _contents.Contains(photo);

    /// <summary>How many of the measured people and faces were trained on.</summary>
    /// <param name="set">Embeddings with contents, of those who are measured.</param>
    public TrainedOverlap Of(EmbeddingSet set)
    {
        ArgumentNullException.ThrowIfNull(set);
        var measured = set.Identities.Where(i => i.Length > 0).ToHashSet(StringComparer.Ordinal);
        var names = Names(measured);
        int[] same = [.. Enumerable.Range(0, set.Count).Where(i => Has(set.Faces![i], set.Photos![i]))];
        var byContent = same.Select(i => set.Identities[i]).Where(i => i.Length > 0).ToHashSet(StringComparer.Ordinal);
        int byName = measured.Count(i => !byContent.Contains(i) && names.Contains(Last(i)) && _names.Contains(Last(i)));
        return new TrainedOverlap(byContent.Count + byName, byName, measured.Count, same.Length, set.Count);
    }

    // The last folders' names, of those that are names.
    private static HashSet<string> Names(IReadOnlySet<string> identities)
    {
        string[] people = [.. identities.Select(Last).Where(i => i.Length > 0).Distinct(StringComparer.Ordinal)];
        var letters = people.CountBy(WithoutDigits, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Value, StringComparer.Ordinal);
        bool IsNumber(string name) => WithoutDigits(name) is var rest && (rest.Count(char.IsLetter) < 2 || (rest != name && letters[rest] > 1));
        return people.Length < 2 ? [] : people.Where(name => !IsNumber(name)).ToHashSet(StringComparer.Ordinal); // one folder for all is no person
    }

    private static string WithoutDigits(string name) => string.Concat(name.Where(c => !char.IsDigit(c)));

    private static string Last(string identity) => identity[(identity.LastIndexOf('/') + 1)..];
}
