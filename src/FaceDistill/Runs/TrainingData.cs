using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Students;

namespace FaceDistill.Runs;

/// <summary>What a run folder says of the faces that its student was trained on.</summary>
internal static class TrainingData
{
    /// <summary>
    /// Whether the training faces may hold people of a test: the same data set, or a part of it, unless the protocol is View 1 of LFW,
    /// which keeps the people of its training list apart.
    /// </summary>
    /// <param name="run">The run folder.</param>
    /// <param name="data">The test data's name.</param>
    /// <param name="protocol">The protocol.</param>
    /// <exception cref="FaceDistillException">The run is not whole.</exception>
    public static bool Shares(string run, string data, string protocol) => Arguments(run).Any(argument =>
    {
        bool card = Cards.Names(Cards.Datasets).Contains(argument);
        string? whole = card ? DatasetCard.Load(argument).Of : PartOf(argument);
        return whole is null ? NameOf(argument) == data : NameOf(whole) == data && protocol != FaceDistill.Evaluation.Evaluator.LfwView1Test;
    });

    /// <summary>The data with their licences, from the cards of data sets; a folder without a card has none.</summary>
    /// <exception cref="FaceDistillException">A card is malformed.</exception>
    public static IReadOnlyList<ModelCardSource> Sources(string run, AssetFinder finder) => [.. Arguments(run).Select(a => Source(a, finder))];

    /// <summary>The teacher with its licence; without one where its card is not at hand.</summary>
    /// <exception cref="FaceDistillException">The card is malformed.</exception>
    public static ModelCardSource Teacher(string run, string name)
    {
        if (name == StudentDescription.NoTeacher)
        {
            return new ModelCardSource(name, "none: trained by identities alone", "none");
        }

        string argument = Recipe(run)?.Teacher ?? name;
        bool known = Cards.Names(Cards.Teachers).Contains(argument)
            || (argument.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(argument));
        if (!known)
        {
            return new ModelCardSource(name, null, null);
        }

        var card = FaceDistill.Teachers.TeacherCard.Load(argument).Card;
        return new ModelCardSource(name, card.Licence, card.Source);
    }

    /// <summary>The folders that the student was trained on, without the pictures that the run left out; null in runs of earlier versions.</summary>
    /// <exception cref="FaceDistillException">The run is not whole.</exception>
    public static IReadOnlyList<DataFolder>? Folders(string run) =>
        RunInfo.Read(run).TrainedOn is { } folders ? [.. folders.Select(f => f with { Exclude = ListOf(run) })] : null;

    private static string? ListOf(string run) => Path.Combine(run, RunInfo.ExcludedFileName) is var file && File.Exists(file) ? file : null;

    /// <summary>The aligned faces that the student was trained on.</summary>
    /// <exception cref="FaceDistillException">They are gone; the message says what to do.</exception>
    public static AlignedFaces Open(
        string run, string template, AssetFinder finder, JobContext job)
    {
        string aligned = RunInfo.Read(run).Aligned;
        if (AlignmentManifest.In(aligned))
        {
            var faces = AlignedFaces.Open(aligned);
            return Folders(run) is [var only] ? FaceSource.Chosen(faces, only, job with { Say = null }) : faces;
        }

        // Several data sets were joined: their common folder has no manifest of its own, and may hold other faces as well.
        if (Recipe(run) is { Data.Count: > 0 } recipe && Directory.Exists(aligned))
        {
            DataFolder[] data = [.. recipe.Data.Select(d => DataFolder.Resolve(d, finder) with { Exclude = ListOf(run) })];
            return new FaceSource(finder).Open(data, template, recipe.Aligned, job);
        }

        // A single folder that its owner says is aligned.
        if (Recipe(run) is null && Arguments(run) is [_] && Directory.Exists(aligned))
        {
            return AlignedFaces.OpenAsserted(aligned, template);
        }

        throw new FaceDistillException(
            $"the faces that {run} was trained on are not at hand any more ({aligned}); name others with --data (and, for int8, --calibration)");
    }

    /// <summary>The data as the user named them: folders or data sets' names; where the run kept no recipe, folders, a part as "FOLDER (LIST)".</summary>
    private static IReadOnlyList<string> Arguments(string run) => Recipe(run) is { Data.Count: > 0 } recipe ? recipe.Data : RunInfo.Read(run).Data.Split(", ");

    private static string? PartOf(string argument) => argument.EndsWith(')') && argument.LastIndexOf(" (", StringComparison.Ordinal) is > 0 and var at
        ? argument[..at]
        : null;

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));

    /// <summary>The template that the training pictures were said to be aligned to; null where FaceDistill aligned them.</summary>
    /// <param name="run">The run folder.</param>
    public static string? Aligned(string run) => Recipe(run)?.Aligned;

    private static Recipe? Recipe(string run) => Path.Combine(run, FaceDistill.Runs.Recipe.FileName) is var path && File.Exists(path)
        ? JsonFile.Read<Recipe>(path)
        : null;

    private static ModelCardSource Source(string argument, AssetFinder finder)
    {
        bool card = Cards.Names(Cards.Datasets).Contains(argument) || (argument.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(argument));
        string? name = card ? argument : Cards.Names(Cards.Datasets).FirstOrDefault(n => IsFolderOf(n, PartOf(argument) ?? argument, finder));
        if (name is null)
        {
            return new ModelCardSource(argument, null, null);
        }

        var found = DatasetCard.Load(name);
        var whole = found.Of is { } of ? DatasetCard.Load(of) : found; // a part has the terms of the whole
        return new ModelCardSource(found.Name + (PartOf(argument) is { } folder ? argument[folder.Length..] : ""), whole.Licence, whole.Source);
    }

    // A folder is a card's data set where FaceDistill would look for it there.
    private static bool IsFolderOf(string card, string folder, AssetFinder finder) =>
        DatasetCard.Load(card) is { Of: null } dataset && finder.LocateDataset(dataset) is { } found
            && Path.GetFullPath(found) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
}

/// <summary>Finds out whether a run's student is measured on people that it was trained on.</summary>
internal static class TrainingOverlap
{
    /// <summary>The warning about one model.</summary>
    /// <param name="model">A model argument; only a run folder tells what it was trained on.</param>
    /// <param name="data">The faces that are measured.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="set">The model's embeddings of them, with identities.</param>
    /// <returns>One line, or null where there is nothing to warn of, or the run does not say.</returns>
    /// <exception cref="FaceDistillException">The run folder, or a list of people, is damaged.</exception>
    public static string? Of(string model, DataFolder data, string protocol, EmbeddingSet set)
    {
        if (!ModelArgument.IsRun(model) || !RunInfo.In(model))
        {
            return null;
        }

        string[] measured = protocol == Evaluator.LfwView1Test
            ? [.. Names(Path.Combine(data.Root, "peopleDevTest.txt"))]
            : [.. set.Identities.Distinct().Where(i => i.Length > 0)];
        int known = (RunInfo.Read(model).TrainedOn ?? []).Where(source => source.Images == data.Images)
            .Select(source => source.People is null ? measured.Length : measured.Intersect(Names(source.People)).Count()).DefaultIfEmpty(0).Max();
        return known == 0 ? null : InvariantText.Of(
            $"{set.Name} was trained on {known} of the {measured.Length} people measured here: no figure for strangers; measure it on people that it has "
                + $"not seen (for lfw-train: --protocol lfw-view1-test)");
    }

    /// <summary>What the audit in a run folder found of the faces that are measured.</summary>
    /// <param name="model">A model argument; only a run folder holds an audit.</param>
    /// <param name="data">The faces that are measured.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="name">The model's name.</param>
    /// <returns>One line for each audit of these faces that found something.</returns>
    /// <exception cref="FaceDistillException">The audit is damaged.</exception>
    public static IEnumerable<string> Audited(string model, DataFolder data, string protocol, string name) =>
        from test in ModelArgument.IsRun(model) ? AuditSummary.In(model)?.Tests ?? [] : []
        where test.Test == data.Name && (test.Protocol == protocol || (test.Protocol == AuditTest.AllFaces && protocol != Evaluator.LfwView1Test))
            && test.Counts.Any(c => c.Matches > 0 || c.SameFiles > 0)
        let threshold = InvariantText.Of($"{test.Threshold:0.0000}")
        select $"{name}: {test.Outcome()} (cosine of at least {threshold} by {AuditSummary.In(model)!.Teacher})";

    private static IEnumerable<string> Names(string people) => LfwPeople.Read(people).People.Select(p => p.Name);
}

/// <summary>A teacher or a data set in a model card.</summary>
/// <param name="Name">Its name, or its folder.</param>
/// <param name="Licence">Its terms; null where FaceDistill has no card that says them.</param>
/// <param name="Source">Where it comes from; null where that is not known.</param>
internal sealed record ModelCardSource(string Name, string? Licence, string? Source);
