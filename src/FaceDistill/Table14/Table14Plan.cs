using System.Diagnostics;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Teachers;
using FaceDistill.Training;
using FaceDistill.Training.Options;

namespace FaceDistill.Table14;

/// <summary>What a row's training is expected to cost here.</summary>
/// <param name="Student">The row; the training without a teacher says so behind it.</param>
/// <param name="Images">Faces shown in all epochs.</param>
/// <param name="Epochs">Passes over the faces.</param>
/// <param name="MultAdds">Multiply-accumulates of one face forward.</param>
/// <param name="ImagesPerSecond">The measured rate of training steps and of drawing their views.</param>
/// <param name="MultAddsPerSecond">The same in mult-adds of the forward direction.</param>
/// <param name="Minutes">The predicted time; with live targets the teacher's is in it.</param>
/// <param name="Finished">Whether the row is finished already.</param>
internal sealed record Table14PlanLine(
    string Student, long Images, int Epochs, long MultAdds, double ImagesPerSecond, double MultAddsPerSecond, double Minutes, bool Finished);

/// <summary>What a table is expected to cost on this machine.</summary>
/// <param name="Faces">Pictures of the training data; aligning them may leave some out.</param>
/// <param name="TeacherPasses">How often the teacher embeds each of them, once for all rows, unless that was done before.</param>
/// <param name="TeacherFacesPerSecond">The teacher's measured rate on all cores; decoding and drawing the views come on top.</param>
/// <param name="Lines">The rows.</param>
internal sealed record Table14Plan(int Faces, int TeacherPasses, double TeacherFacesPerSecond, IReadOnlyList<Table14PlanLine> Lines)
{
    private const int TeacherBatch = 32, TeacherRounds = 3;

    /// <summary>The time that the teacher takes at least.</summary>
    public double TeacherMinutes => (double)Faces * TeacherPasses / TeacherFacesPerSecond / 60;

    /// <summary>The predicted training time of the rows that are not finished.</summary>
    public double Minutes => Lines.Where(l => !l.Finished).Sum(l => l.Minutes);

    /// <summary>Counts the training faces and measures each row's student for a few seconds; nothing is aligned, embedded or written.</summary>
    /// <param name="request">The table.</param>
    /// <param name="finder">Finds teacher and data.</param>
    /// <param name="job">Told of each row.</param>
    /// <exception cref="FaceDistillException">Data or teacher are not there.</exception>
    public static Table14Plan Of(Table14Request request, AssetFinder finder, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = request with { Recipe = request.Recipe.Validated() };
        var recipe = request.Recipe;
        var rowJob = new Table14RowJob(request, finder);
        var rows = recipe.Of(request.Rows).Rows;
        Table14Job.Require(recipe, rows, rowJob, finder);
        using var teacher = TeacherCard.Open(recipe.Teacher, finder, OnnxProviders.Auto, job.Say);
        double rate = Rate(teacher, job.Cancel);
        int faces = recipe.Data.Sum(d => Pictures(DataFolder.Resolve(d, finder) with { Exclude = recipe.Exclude }));
        var lines = new List<Table14PlanLine>();
        var measured = new Dictionary<DistillOptions, TrainingCost>(); // a start, a seed and a rate take no time
        TrainingCost CostOf(DistillOptions options, int pictures)
        {
            var plain = options with
            {
                Student = options.Student with { Init = null }, Optimizer = options.Optimizer with { LearningRate = 1e-3 },
                Run = options.Run with { Seed = 1, Epochs = 1 },
            };
            return (measured.TryGetValue(plain, out var known) ? known
                : measured[plain] = TrainingCost.Measure(options, teacher.Dimension, pictures, job.Cancel)) with { Images =
                    TrainingCost.ImagesOf(pictures, options) };
        }

        foreach (var row in rows)
        {
            job.Progress?.Report(new WorkProgress($"measuring training steps of {row.Name}", lines.Count, rows.Count, "rows"));
            var options = recipe.OptionsOf(row, start => start.Name);
            bool finished = rowJob.Finished(row) is not null;
            lines.Add(LineOf(row.Name, options, CostOf(options, faces), rate, finished));
            if (rowJob.HasBaseline(row))
            {
                var alone = recipe.Baseline!.OptionsOf(options);
                int named = recipe.Baseline.Data.Sum(d => Pictures(DataFolder.Resolve(d, finder) with { Exclude = recipe.Exclude }));
                lines.Add(LineOf($"{row.Name} without teacher", alone, CostOf(alone, named), rate, finished));
            }
        }

        bool cached = recipe.Options.Targets.IsAugmented && recipe.Options.Targets.Mode == TargetMode.Cached;
        bool mirrored = recipe.Options.Targets is { Mirror: true, IsAugmented: false };
        return new Table14Plan(faces, (mirrored ? 2 : 1) + (cached ? recipe.Options.Targets.Views : 0), rate, lines);
    }

    /// <summary>Whether every row's training is so long that measuring it is little beside it.</summary>
    public static bool IsLong(Table14Request request, AssetFinder finder)
    {
        var recipe = request.Recipe;
        int faces = recipe.Data.Sum(d => Pictures(DataFolder.Resolve(d, finder) with { Exclude = recipe.Exclude }));
        return recipe.Of(request.Rows).Rows.All(row => TrainingCost.IsLong(faces, recipe.OptionsOf(row, start => start.Name)));
    }

    private static Table14PlanLine LineOf(string name, DistillOptions options, TrainingCost cost, double teacherRate, bool finished)
    {
        double live = options.Targets.Mode == TargetMode.Live ? cost.Images / teacherRate / 60 : 0; // the teacher's work in each epoch
        return new Table14PlanLine(
            name, cost.Images, options.Run.Epochs, cost.MultAdds, cost.ImagesPerSecond, cost.MultAddsPerSecond, cost.Minutes + live, finished);
    }

    // Every core embeds its own batches, as <see cref="FaceDistill.Stores.FaceEmbeddings"/> does; the first round is not timed.
    private static double Rate(IEmbedder teacher, CancellationToken cancel)
    {
        int cores = Environment.ProcessorCount;
        long start = 0;
        for (int round = 0; round <= TeacherRounds; round++)
        {
            start = round == 1 ? Stopwatch.GetTimestamp() : start;
            Parallel.For(0, cores, new ParallelOptions { MaxDegreeOfParallelism = cores, CancellationToken = cancel }, _ =>
                teacher.Embed(new float[TeacherBatch * teacher.Contract.Values], TeacherBatch, new float[TeacherBatch * teacher.Dimension]));
        }

        return cores * TeacherBatch * TeacherRounds / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Counts a data set's pictures; aligning may leave some out.</summary>
    internal static int Pictures(DataFolder data)
    {
        var chosen = data.People is null ? null : LfwPeople.Read(data.People).Chooses();
        string[] paths = [.. FaceDataset.List(data.Images).Images.Where(i => chosen?.Invoke(i.Identity) != false).Select(i => i.Path)];
        return paths.Length - (data.Exclude is null ? 0
            : ExclusionList.Read(data.Exclude).In(data.Name, paths, AlignedFolder.OwnFaces(data.Images)).Excluded.Count(excluded => excluded));
    }
}
