using System.Text;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Teachers;

/// <summary>Faces of people whose names are known, aligned to several templates: few first, in stages that each hold those before it.</summary>
internal sealed class KnownFaces
{
    /// <summary>The data set that is taken where none is named.</summary>
    public const string Usual = "lfw";

    private const int FewestPeople = 6;
    private static readonly (int People, int Photos)[] StageSizes = [(12, 2), (20, 3), (40, 4)];
    private readonly Dictionary<string, AlignedFaces> _faces;
    private readonly Dictionary<string, int[]> _order;

    private KnownFaces(Dictionary<string, AlignedFaces> faces, Dictionary<string, int[]> order, int[] people, int[] stages) =>
        (_faces, _order, People, Stages) = (faces, order, people, stages);

    /// <summary>Each face's person, from 0.</summary>
    public IReadOnlyList<int> People { get; }

    /// <summary>How many of the faces each stage has, from the first face on.</summary>
    public IReadOnlyList<int> Stages { get; }

    /// <summary>The templates that they are aligned to.</summary>
    public IReadOnlyList<string> Templates => [.. _faces.Keys];

    /// <summary>Chooses people and aligns their photos.</summary>
    /// <param name="named">A folder with one folder a person, or a data set's name; null for <see cref="Usual"/>.</param>
    /// <param name="finder">Finds the data set and the face detector.</param>
    /// <param name="job">Told of every photo.</param>
    /// <exception cref="FaceDistillException">There are no such faces, or too few people with two photos; the message says what is wanted.</exception>
    public static KnownFaces Open(string? named, AssetFinder finder, JobContext job)
    {
        var data = Resolve(named, finder);
        var photos = FaceDataset.List(data.Images, job);
        var chosen = Choose(photos, data.Images);
        string[] templates = (AlignmentManifest.In(data.Images) ? AlignmentManifest.Read(data.Images).Template : photos.Template) is { } aligned ? [aligned]
            : [.. AlignmentTemplate.All.Where(t => t != AlignmentTemplate.Wide).Select(t => t.Name)];
        if (templates.Length == 1)
        {
            job.Say?.Invoke($"{data.Images} is aligned to '{templates[0]}': no other template is tried; give raw photos to try them all");
        }

        var source = new FaceSource(finder);
        var faces = templates.ToDictionary(
            t => t, t => source.Open(data with { Only = new PictureChoice(chosen.ContainsKey, "the choice of known people") }, t, null, job));

        // A photo without a face has none in any template.
        var all = faces.Values.Select(f => f.Dataset.Images.Select(i => Key(i.Path))).Aggregate((a, b) => a.Intersect(b)).ToHashSet(StringComparer.Ordinal);
        var kept = chosen.Where(c => all.Contains(Key(c.Key))).OrderBy(c => c.Value.Stage).ThenBy(c => c.Key, StringComparer.Ordinal).ToList();
        var persons = kept.Select(c => c.Value.Person).Distinct().Select((p, i) => (p, i)).ToDictionary(p => p.p, p => p.i, StringComparer.Ordinal);
        if (persons.Count < FewestPeople)
        {
            throw new FaceDistillException(InvariantText.Of($"of the chosen people of {data.Images} faces of {persons.Count} were found, and ")
                + InvariantText.Of($"{FewestPeople} are needed; give --data DIR with photos of faces, one folder a person"));
        }

        var order = faces.ToDictionary(f => f.Key, f =>
        {
            var places = f.Value.Dataset.Images.Select((image, i) => (Key: Key(image.Path), i)).ToDictionary(p => p.Key, p => p.i, StringComparer.Ordinal);
            return kept.Select(c => places[Key(c.Key)]).ToArray();
        });
        return new KnownFaces(faces, order, [.. kept.Select(c => persons[c.Value.Person])],
            [.. Enumerable.Range(0, StageSizes.Length).Select(s => kept.Count(c => c.Value.Stage <= s))]);
    }

    /// <summary>One face as a template has it.</summary>
    /// <returns>BGR 8-bit, size x size; the caller disposes it.</returns>
    public Mat View(string template, int face, int size) => _faces[template].ReadView(_order[template][face], size);

    private static DataFolder Resolve(string? named, AssetFinder finder)
    {
        if (named is not null)
        {
            return DataFolder.Resolve(named, finder);
        }

        return finder.LocateDataset(DatasetCard.Load(Usual)) is not null ? DataFolder.Resolve(Usual, finder)
            : throw new FaceDistillException($"the contract is found by faces of known people, and {Usual} is not on this machine: give --data DIR with one "
                + $"folder a person (20 people with 3 photos each do), or put {Usual} where '{Hints.Command} datasets list' looks for it");
    }

    // Each chosen photo with its person, and the first stage that it is in. Whose name's hash comes first is chosen: not those at the alphabet's beginning.
    private static Dictionary<string, (string Person, int Stage)> Choose(FaceDataset photos, string folder)
    {
        var people = photos.Images.Where(i => i.Identity.Length > 0).GroupBy(i => i.Identity, StringComparer.Ordinal).Where(g => g.Count() > 1)
            .OrderByDescending(g => Math.Min(g.Count(), StageSizes[^1].Photos)).ThenBy(g => ContentHash.Of(Encoding.UTF8.GetBytes(g.Key)).ToString(),
                StringComparer.Ordinal)
            .Take(StageSizes[^1].People).ToList();
        return people.Count >= FewestPeople
            ? people.SelectMany((person, p) => person.OrderBy(i => i.Path, StringComparer.Ordinal).DistinctBy(i => Key(i.Path)).Take(StageSizes[^1].Photos)
                .Select((image, n) => (image.Path, Of: (person.Key, Array.FindIndex(StageSizes, s => p < s.People && n < s.Photos)))))
                .ToDictionary(c => c.Path, c => c.Of, StringComparer.Ordinal)
            : throw new FaceDistillException($"{folder} has {people.Count} people with two photos or more; give at least {FewestPeople}, each in a folder of "
                + "his own, better 20 with 3 photos each");
    }

    // Aligning changes a photo's ending.
    private static string Key(string path) => ImagePaths.Stem(path);
}
