using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Teachers;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using FaceDistill.Training.Starts;

namespace FaceDistill.Table14;

/// <summary>What names everything that decides a row, by contents.</summary>
/// <param name="recipe">The table's recipe.</param>
/// <param name="finder">Finds data and models.</param>
internal sealed class Table14RowKey(Table14Recipe recipe, AssetFinder finder)
{
    private readonly Dictionary<string, string> _contents = new(StringComparer.Ordinal);

    // A start by what it is, not by where it lies.
    private DistillOptions OptionsOf(Table14RecipeRow row)
    {
        var options = recipe.OptionsOf(row, Of);
        string? start = options.Student.Init is not { } init ? null
            : BackboneCard.Is(init) ? ContentOf(BackboneCard.Load(init).Files)
            : ExportedStudent.Is(init) ? File.Exists(init) ? FileHash.Sha256(init) : throw new FaceDistillException(
                $"{row.Name} starts from {init}, by whose contents its figures are known, and there is no such file: bring it back, or take the row out of the "
                    + "recipe")
            : init;
        return options with { Student = options.Student with { Init = start } };
    }

    /// <summary>Whether a row is the one beside which its student is trained without the teacher: the first of that student.</summary>
    public bool HasBaseline(Table14RecipeRow row) =>
        recipe.Baseline?.Students.Contains(row.Student) == true && recipe.Rows.First(r => r.Student == row.Student).Name == row.Name;

    // A data set by what is in it: a picture that was changed, added or removed makes another row.
    private string ContentOf(string data)
    {
        if (_contents.TryGetValue(data, out string? known))
        {
            return known;
        }

        var folder = DataFolder.Resolve(data, finder);
        string people = folder.People is null ? "" : FileHash.Sha256(folder.People);
        return _contents[data] = FaceDataset.List(folder.Images).ContentId(JobContext.None) + people;
    }

    private string TeacherKey()
    {
        var (card, files) = TeacherCard.Load(recipe.Teacher);
        return EmbeddingCache.ModelHash(ContentOf(files), card.Contract);
    }

    // A card that names no hash takes whatever file lies there.
    private string ContentOf(AssetSet files) => string.Join(' ', files.Assets.Select(a => a.Sha256
        ?? (finder.Find(files, a) is var file && _contents.TryGetValue(file, out string? known) ? known : _contents[file] = FileHash.Sha256(file))));

    // A table without one has the keys of before.
    private string SecondTest() => recipe.SecondTest is { } second
        ? string.Join(' ', [$"{second.Protocol} {ContentOf(second.Data)}", .. ListsOf(second.Protocol, second.Data)]) : "";

    // The user's lists that decide a test beside its pictures; LFW's own (pairs.txt, peopleDevTest.txt) are never others.
    private IEnumerable<string> ListsOf(string protocol, string data)
    {
        string root = DataFolder.Resolve(data, finder).Root;
        string[] names = protocol == Evaluator.Pairs ? [PairList.FileName]
            : protocol == Evaluator.Blufr ? [.. BlufrLists.Files.SelectMany(f => new[] { f, Path.Combine("blufr", f) })] : [];
        return names.Select(name => Path.Combine(root, name)).Where(File.Exists).Select(FileHash.Sha256);
    }

    private string? ExclusionHash() => recipe.Exclude is { } list ? FileHash.Sha256(list) : null;

    /// <summary>The key of a row. Where files lie, how long they are timed and when checkpoints are written does not make another student; another start
    /// does.</summary>
    /// <param name="row">A row of the recipe.</param>
    /// <exception cref="FaceDistillException">Data or teacher are not there.</exception>
    public string Of(Table14RecipeRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var options = OptionsOf(row);
        string text = JsonFile.Serialize(new
        {
            Teacher = TeacherKey(), Data = recipe.Data.Select(ContentOf), Test = ContentOf(recipe.Test), recipe.Protocols,
            Options = KeyOf(options with { Run = options.Run with { Device = "" } }),
            Baseline = HasBaseline(row) ? (recipe.Baseline! with { Students = [], Data = [.. recipe.Baseline.Data.Select(ContentOf)] }) : null,
        }) + string.Concat(recipe.Protocols.SelectMany(p => ListsOf(p, recipe.Test))) + ExclusionHash() + SecondTest();
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }

    // Options that came later stand in a key only where they ask for something new, so that rows of before keep theirs; the time between checkpoints never
    // does.
    private static JsonObject KeyOf(DistillOptions options)
    {
        var text = JsonSerializer.SerializeToNode(
            options with { HeldOut = options.HeldOut with { People = options.HeldOut.People ?? -1 } }, JsonFile.Options)!.AsObject();
        var before = JsonSerializer.SerializeToNode(
            options with
            {
                Student = options.Student with { InitChannels = ChannelRule.L1, InitRefit = false },
                Optimizer = options.Optimizer with { Schedule = ScheduleKind.Cosine },
                HeldOut = options.HeldOut with { People = 0 },
            },
            JsonFile.Options)!.AsObject();
        text.Remove("checkpointMinutes");
        text.Remove("pictureMemory");
        foreach (string name in new[] { "schedule", "validationPeople", "initChannels", "initRefit" })
        {
            if (JsonNode.DeepEquals(text[name], before[name]))
            {
                text.Remove(name);
            }
        }

        return text;
    }
}
