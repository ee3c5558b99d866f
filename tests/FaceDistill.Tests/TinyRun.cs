using FaceDistill.Assets;
using FaceDistill.Cluster;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Synthetic;
using FaceDistill.Teachers;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Tests;

/// <summary>Everything that a trainer needs, on faces that are drawn once a process, and the tiny teacher: made once for a test class.</summary>
public sealed class TinyRun : IDisposable
{
    private static readonly Lazy<string> Drawn = new(() => Draw(TestCache.Folder("tiny-faces")).Dataset.Root);

    private readonly TempFolder _folder = new();
    private readonly IEmbedder _teacher;
    private readonly IReadOnlyList<EmbeddingSet> _sets;

    public TinyRun()
    {
        TempFolder.Copy(Drawn.Value, _folder["faces"]);
        Faces = Draw(_folder["faces"]).Hashed(JobContext.None);
        _teacher = TeacherCard.Open(TinyTeacher.Write(_folder["teacher"]), new AssetFinder([], [], _folder["cache"]));
        _sets = new FaceEmbeddings(_teacher, Faces).Of([EmbeddedView.Of(FaceView.Original), EmbeddedView.Of(FaceView.Mirrored)], JobContext.None);
    }

    /// <summary>The log of a finished first epoch, as a checkpoint's state has it.</summary>
    public const string OneEpoch =
        """{"epoch": 1, "loss": 1, "validationLoss": null, "validationCosine": null, "learningRate": 0.001, "seconds": 1, "imagesPerSecond": 1}""";

    public AlignedFaces Faces { get; }

    public IEmbedder Teacher => _teacher;

    public static DistillOptions Options { get; } =
        new()
        {
            Student = new StudentOptions { Name = "mobilenet-v1:0.25@64", Head = HeadKind.Gap },
            Run = new TrainingRunOptions { Epochs = 3, BatchSize = 16, Precision = PrecisionMode.Fp32, Device = "cpu" },
            Optimizer = new OptimizerOptions { Kind = OptimizerKind.AdamW, LearningRate = 4e-3, WarmupEpochs = 1, Ema = 0.999 },
            HeldOut = new HeldOutOptions { Part = 0.1 },
        };

    /// <summary>A checkpoint's text of a run within its second epoch.</summary>
    /// <param name="step">Steps done in it.</param>
    internal static string SecondEpoch(int step) =>
        JsonFile.Serialize(new TrainingState(1, step, step > 0 ? 1 : 0, [new EpochLog(1, 1, null, null, 0, 1) { ImagesPerSecond = 1 }]));

    internal TrainingFaces Training(double validation = 0.1, long seed = 1, int people = 0) =>
        new(Faces, Read("original"), Read("mirrored"), validation, seed, people);

    /// <summary>A copy, which a test may spoil.</summary>
    public EmbeddingSet Read(string view) => _sets[view == "original" ? 0 : 1].Of([.. Enumerable.Range(0, Faces.Dataset.Images.Count)]);

    internal Trainer Trainer(string folder, DistillOptions? options = null, IStudentMeasure? measure = null, Ranks? ranks = null)
    {
        options ??= Options;
        var spec = StudentSpec.Parse(options.Student.Name);
        var description = new StudentDescription(
            options.Student.Name, options.Student.Head, _teacher.Dimension, FaceTensor.StudentContract(spec.Resolution, "dlib"), _teacher.Name, _teacher.Hash);
        return new Trainer(Training(options.HeldOut.Part, options.Run.Seed, options.HeldOut.People ?? 0), description, options, folder, measure, ranks: ranks);
    }

    private static AlignedFaces Draw(string folder) =>
        SyntheticDataset.Write(folder, new DrawnPeople(12, 10, 3), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));

    public void Dispose()
    {
        _teacher.Dispose();
        _folder.Dispose();
    }
}
