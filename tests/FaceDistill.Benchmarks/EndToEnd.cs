using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Synthetic;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Benchmarks;

/// <summary>The real trainer over drawn faces on disk, with random targets: reading, decoding, mirroring, step and log.</summary>
internal sealed class EndToEnd : IDisposable
{
    private const int Identities = 64, ImagesPerIdentity = 8;
    private readonly string _folder = Directory.CreateTempSubdirectory("facedistill-bench").FullName;
    private readonly AlignedFaces _faces;

    public EndToEnd() => _faces = SyntheticDataset.Write(
        Path.Combine(_folder, "faces"), new DrawnPeople(Identities, ImagesPerIdentity, 1), AlignmentTemplate.Dlib, AlignedFrame.Of(160, 0.1))
        .Hashed(JobContext.None);

    public static int Faces => Identities * ImagesPerIdentity;

    public static int StepsPerEpoch(TrainCase test) => Faces / test.Batch;

    /// <summary>Trains; each epoch's images a second, the first of them with decoding (later ones find the faces in memory).</summary>
    /// <param name="augmented">Whether each epoch draws another view of a face, turned, blurred and recoloured, as with cached targets.</param>
    public double[] ImagesPerSecond(
        TrainCase test, HeadKind head, PrecisionMode precision, int epochs, IProgress<WorkProgress>? progress = null, bool augmented = false)
    {
        var options = new DistillOptions
        {
            Student = new StudentOptions { Name = test.Student, Head = head },
            Run = new TrainingRunOptions { Epochs = epochs, BatchSize = test.Batch, Device = "cpu", Precision = precision },
            Optimizer = new OptimizerOptions { WarmupEpochs = 0, LearningRate = 1e-3 },
            HeldOut = new HeldOutOptions { Part = 0 },
        };
        var description = new StudentDescription(
            test.Student, head, TrainCase.Dimension, FaceTensor.StudentContract(test.Spec.Resolution, "dlib"), "random", "random");
        var faces = new TrainingFaces(_faces, RandomTargets(1), RandomTargets(2), options.HeldOut.Part, options.Run.Seed)
        {
            Augmented = augmented ? new AugmentedTargets(AugmentOptions.Strong, true, 1) { Cached = [RandomTargets(3), RandomTargets(4)] } : null,
        };
        string run = Directory.CreateTempSubdirectory("facedistill-bench").FullName;
        try
        {
            using var trainer = new Trainer(faces, description, options, run);
            return [.. trainer.Run(new JobContext(Progress: progress)).Log.Select(e => e.ImagesPerSecond)];
        }
        finally
        {
            Directory.Delete(run, recursive: true);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private EmbeddingSet RandomTargets(int seed)
    {
        var random = new Random(seed);
        string[] paths = [.. _faces.Dataset.Images.Select(i => i.Path)];
        float[] values = [.. Enumerable.Range(0, paths.Length * TrainCase.Dimension).Select(_ => random.NextSingle() - 0.5f)];
        return new EmbeddingSet("random", TrainCase.Dimension, values, paths, [.. paths.Select(_ => "")]);
    }
}
