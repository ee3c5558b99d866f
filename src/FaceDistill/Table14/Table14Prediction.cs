using FaceDistill.Files;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;

namespace FaceDistill.Table14;

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
