using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Students;

namespace FaceDistill.Runs;

/// <summary>What a run folder says of the faces that its student was trained on.</summary>
internal static class TrainingData
{
    /// <summary>The data with their licences, from the cards of data sets; a folder without a card has none.</summary>
    /// <exception cref="FaceDistillException">A card is malformed.</exception>
    public static IReadOnlyList<ModelCardSource> Sources(string run, AssetFinder finder) =>
        Arguments(run) is var named && RunInfo.Read(run).TrainedOn is { } places && places.Count == named.Count
            ? [.. named.Zip(places, (a, place) => ModelCardSource.OfData(a, finder, place.Root))]
            : [.. named.Select(a => ModelCardSource.OfData(a, finder))];

    /// <summary>The teacher with its licence; without one where its card is not at hand.</summary>
    /// <exception cref="FaceDistillException">The card is malformed.</exception>
    public static ModelCardSource Teacher(string run, string name) => ModelCardSource.OfTeacher(name, Recipe(run)?.Teacher ?? name);

    /// <summary>The folders that the student was trained on, without the pictures that the run left out; null in runs of earlier versions.</summary>
    /// <exception cref="FaceDistillException">The run is not whole.</exception>
    public static IReadOnlyList<DataFolder>? Folders(string run) =>
        RunInfo.Read(run).TrainedOn is { } folders ? [.. folders.Select(f => f with { Exclude = ListOf(run) })] : null;

    private static string? ListOf(string run) => Path.Combine(run, RunInfo.ExcludedFileName) is var file && File.Exists(file) ? file : null;

    /// <summary>The aligned faces that the student was trained on, and none besides.</summary>
    /// <exception cref="FaceDistillException">They are gone; the message says what to do.</exception>
    public static AlignedFaces Open(string run, string template, AssetFinder finder, JobContext job)
    {
        const string remedy = "name others with --data (and, for int8, --calibration)";
        if (Folders(run) is not { } folders || TrainedFaces.Read(run) is not { } trained)
        {
            throw new FaceDistillException($"{run} was made by an earlier version and does not say on which faces it was trained; {remedy}");
        }

        if (folders.FirstOrDefault(f => !f.Exists) is { } gone)
        {
            throw new FaceDistillException($"the faces that {run} was trained on are not at hand any more ({gone.Images}); {remedy}");
        }

        var faces = new FaceSource(finder).Open(folders, template, Aligned(run), job with { Say = null }); // what was said when it was trained
        FaceImage[] images = [.. faces.Dataset.Images.Where(trained.Has)];
        if (images.Length < faces.Dataset.Images.Count)
        {
            job.Say?.Invoke($"{run}: {faces.Dataset.Images.Count - images.Length} of the {faces.Dataset.Images.Count} faces found now are none that it was "
                + "trained on, and are left out");
        }

        int known = RunInfo.Read(run).Images;
        if (images.Length > 0 && images.Length < known)
        {
            job.Say?.Invoke($"{run}: {known - images.Length} of the {known} faces that it was trained on are not there any more "
                + $"({string.Join(", ", folders.Select(f => f.Images))} changed since); the other {images.Length} are taken");
        }

        return images.Length > 0 ? faces with { Dataset = faces.Dataset with { Images = images } }
            : throw new FaceDistillException($"no face that {run} was trained on is at hand any more; {remedy}");
    }

    /// <summary>The data as the user named them: folders or data sets' names; where the run kept no recipe, folders, a part as "FOLDER (LIST)".</summary>
    private static IReadOnlyList<string> Arguments(string run) => Recipe(run) is { Data.Count: > 0 } recipe ? recipe.Data : RunInfo.Read(run).Data.Split(", ");

    /// <summary>The template that the training pictures were said to be aligned to; null where FaceDistill aligned them.</summary>
    /// <param name="run">The run folder.</param>
    public static string? Aligned(string run) => Recipe(run)?.Aligned;

    private static Recipe? Recipe(string run) => Path.Combine(run, FaceDistill.Runs.Recipe.FileName) is var path && File.Exists(path)
        ? JsonFile.Read<Recipe>(path)
        : null;
}

/// <summary>Finds out whether a student is measured on people that it was trained on.</summary>
internal static class TrainingOverlap
{
    /// <summary>How many of the people measured a model was trained on; null where that is not known.</summary>
    /// <param name="model">A model argument; only a run folder tells: a file may lie anywhere.</param>
    /// <param name="data">The faces that are measured.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="set">The model's embeddings of them.</param>
    /// <param name="options">Where a list of pairs lies; null for beside the faces.</param>
    /// <exception cref="FaceDistillException">The run's list of faces, or a list of people, is damaged, or nobody of these people is there.</exception>
    public static TrainedOverlap? Of(string model, DataFolder data, string protocol, EmbeddingSet set, EvaluationOptions? options = null)
    {
        var overlap = Directory.Exists(model) ? TrainedFaces.Read(model) : null;
        var known = overlap?.Of(Evaluator.Measured(protocol, set, data.Root, options ?? new EvaluationOptions()));
        return overlap?.IsPartial == true && known?.Any == false ? null : known; // nothing found says nothing where faces are unknown
    }

    /// <summary>What the audit in a run folder found of the faces that are measured.</summary>
    /// <param name="model">A model argument; only a run folder holds an audit.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="set">The model's embeddings of the faces.</param>
    /// <returns>One line for each audit of these faces that found something.</returns>
    /// <exception cref="FaceDistillException">The audit is damaged.</exception>
    public static IEnumerable<string> Audited(string model, string protocol, EmbeddingSet set) =>
        from test in ModelArgument.IsRun(model) ? AuditSummary.In(model)?.Tests ?? [] : []
        where test.Counts.Any(c => c.Matches > 0 || c.SameFiles > 0)
            && new[] { set.PhotosId, set.FacesId }.OfType<string>().Any(id => test.PartsIds?.Contains(id) == true
                || ((test.PhotosId ?? test.FacesId) == id
                    && (test.Protocol == protocol || (test.Protocol == AuditTest.AllFaces && protocol != Evaluator.LfwView1Test))))
        let threshold = InvariantText.Of($"{test.Threshold:0.0000}")
        select $"{set.Name}: {test.Outcome()} (cosine of at least {threshold} by {AuditSummary.In(model)!.Teacher})";
}
