using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;
using FaceDistill.Training.Starts;

namespace FaceDistill.Table14;

/// <summary>Whether the run in a row's folder started from what the recipe says. Where the start lies, and how its path is written, does not count.</summary>
internal static class Table14Start
{
    /// <summary>Refuses a run that started from something else: it would be measured, or go on, as a student that it is not.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="asked">What the row starts from: a finished row's run folder, an exported file, a backbone's card, or null for random weights.</param>
    /// <exception cref="FaceDistillException">It did.</exception>
    public static void Require(string run, string? asked)
    {
        var info = RunInfo.Read(run);
        string? made = info.Options.Student.Init;
        bool same = asked is null ? made is null
            : made is not null && (BackboneCard.Is(asked) ? Backbone(info) == BackboneCard.Load(asked).Card.Name
                : ExportedStudent.Is(asked) || info.StartHash is not null ? ExportedStudent.Is(asked) && info.StartHash == FileHash.Sha256(asked)
                : Backbone(info) is null && IsRun(made, asked));
        if (!same)
        {
            throw new FaceDistillException($"{run} holds a student that started from {made ?? StudentOrigin.Random}, and the recipe's row starts from "
                + $"{asked ?? StudentOrigin.Random}; move the folder away, and the row is trained");
        }
    }

    // A run says what it started from where it got as far as to start.
    private static string? Backbone(RunInfo info) => info.Origins is [var origin, ..] ? origin.Kind == StudentOrigin.Backbone ? origin.Name : null
        : info.Options.Student.Init is { } init && !Directory.Exists(init) && BackboneCard.Is(init) ? BackboneCard.Load(init).Card.Name : null;

    // Where the start still lies there it is known by its weights, else by its folder's name.
    private static bool IsRun(string made, string asked)
    {
        string folder = DistillStart.ListOf(made)!;
        return new[] { folder, asked }.All(f => File.Exists(Path.Combine(f, StudentCheckpoint.FileName))) ? Weights(folder) == Weights(asked)
            : NameOf(folder) == NameOf(asked);
    }

    private static string Weights(string folder) => FileHash.Sha256(RunStudent.Open(folder).Path);

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}

/// <summary>What a row's training was predicted to take, by a few steps of it on the machine that made the table (prediction.json in its folder).</summary>
/// <param name="Minutes">Its time.</param>
/// <param name="ImagesPerSecond">The measured rate.</param>
/// <param name="Before">Whether that was measured before the training began; else when the table took the finished run over.</param>
internal sealed record Table14Prediction(double Minutes, double ImagesPerSecond, bool Before)
{
    /// <summary>A run folder's.</summary>
    /// <param name="run">The folder.</param>
    internal sealed class File(string run)
    {
        private readonly string _file = Path.Combine(run, "prediction.json");

        /// <summary>The prediction; null where the training is too short to be worth one.</summary>
        /// <exception cref="FaceDistillException">It is damaged.</exception>
        public Table14Prediction? Read() => System.IO.File.Exists(_file) ? JsonFile.Read<Table14Prediction>(_file) : null;

        /// <summary>Measures and keeps it, unless one was made, the training is short, or the teacher's live work is part of it.</summary>
        /// <param name="options">The run's options.</param>
        /// <param name="faces">Training and held-out faces.</param>
        /// <param name="dimension">Tells the teacher's embedding's length.</param>
        /// <param name="before">Whether the training is still to begin.</param>
        /// <param name="job">Told of it.</param>
        public void Keep(DistillOptions options, int faces, Func<int> dimension, bool before, JobContext job)
        {
            bool begun = before && System.IO.File.Exists(Path.Combine(run, StudentCheckpoint.FileName));
            bool kept = System.IO.File.Exists(_file) && (begun || !before); // of a training that never began it may be another's
            if (kept || begun || options.Targets.Mode == TargetMode.Live || !TrainingCost.IsLong(faces, options))
            {
                return;
            }

            job.Say?.Invoke($"{run}: measuring a few steps, to predict its time");
            var cost = TrainingCost.Measure(options, dimension(), faces, job.Cancel);
            JsonFile.Write(_file, new Table14Prediction(cost.Minutes, cost.ImagesPerSecond, before));
        }
    }
}
