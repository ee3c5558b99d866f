using System.Globalization;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Optimizers;

namespace FaceDistill.Tests.Kernels;

/// <summary>
/// What this assembly does as a program of its own, for tests that need another process: "train OPTIMIZER STEPS" on drawn faces, while another thread gives the
/// garbage collector work; "embed MODEL SECONDS" as an application does, and then lives on; "decode FILE ..." with native libraries' complaints collected,
/// several
/// at once; "crash" while a picture is decoded.
/// </summary>
internal static class CollectedProcess
{
    public static int Main(string[] args)
    {
        using var stop = new CancellationTokenSource();
        var garbage = new Thread(() => Litter(stop.Token)) { IsBackground = true };
        garbage.Start();
        string done = args switch
        {
            ["train", var optimizer, var steps] => Train(Enum.Parse<OptimizerKind>(optimizer), int.Parse(steps, CultureInfo.InvariantCulture)),
            ["embed", var model, var seconds] => Embed(model, int.Parse(seconds, CultureInfo.InvariantCulture)),
            ["decode", .. var files] => Decode(files),
            ["crash"] => Crash(),
            _ => throw new ArgumentException("train OPTIMIZER STEPS | embed MODEL SECONDS | decode FILE ... | crash"),
        };
        stop.Cancel();
        garbage.Join();
        Console.WriteLine(FormattableString.Invariant($"{done} {GC.CollectionCount(0)} collections"));
        return 0;
    }

    // Everything that a step can do: each loss, clipping, the moving average, and at each epoch's end the held-out faces and the checkpoints.
    private static string Train(OptimizerKind optimizer, int steps)
    {
        using var tiny = new TinyRun();
        using var folder = new TempFolder();
        var options = (TinyRun.Options with
        {
            Loss = new LossOptions
            {
                Cosine = 1,
                Distance = 25,
                Angle = 50,
                ArcFace = 0.1,
            },
            Run = TinyRun.Options.Run with { BatchSize = 4, Replicas = optimizer == OptimizerKind.Muon ? 1 : 2 },
            Optimizer = TinyRun.Options.Optimizer with { Kind = optimizer, Ema = 0.99, Clip = 0.5 },
        }).WithUsual(rate: true, decay: true);
        int epoch = tiny.Training().Training.Length / options.Run.BatchSize;
        options = options with
        {
            Run = options.Run with { Epochs = (steps + epoch - 1) / epoch },
            Optimizer = options.Optimizer with { LearningRate = options.Optimizer.LearningRate / 10 },
        };
        using var trainer = tiny.Trainer(folder.Path, options);
        var log = trainer.Run(JobContext.None).Log;
        using var embedder = new StudentEmbedder(RunStudent.Open(folder.Path), "student", "cpu");
        var embedding = new float[embedder.Dimension];
        embedder.Embed(new float[embedder.Contract.Values], 1, embedding);
        Projector.Fit(tiny.Read("original"), [.. Enumerable.Range(0, 100)], 4);
        return FormattableString.Invariant($"{log.Count * epoch} steps, loss {log[0].Loss} to {log[^1].Loss},");
    }

    private static string Embed(string model, int seconds)
    {
        using var embedder = FaceEmbedder.Load(model);
        float[] embedding = embedder.Embed(new byte[3 * embedder.Size * embedder.Size]);
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        return FormattableString.Invariant($"{embedding.Length} values,");
    }

    private static string Decode(string[] files)
    {
        NativeComplaints.Collect();
        var said = new string[files.Length];
        Parallel.For(0, files.Length, i =>
        {
            using var picture = PictureFile.TryRead(files[i], out string complaint);
            said[i] = $"{Path.GetFileName(files[i])} {(picture is null ? "unreadable" : "read")}: {(complaint.Length > 0 ? complaint : "nothing")}";
        });
        return string.Join('\n', said) + "\n";
    }

    private static string Crash()
    {
        NativeComplaints.Collect();
        using var nothing = NativeComplaints.Of<IDisposable>(() =>
        {
            Environment.FailFast("the end");
            return null!;
        }).Result;
        return "";
    }

    private static void Litter(CancellationToken stop)
    {
        byte[][] heap = new byte[16][];
        for (int i = 0; !stop.IsCancellationRequested; i++)
        {
            heap[i % heap.Length] = new byte[32 << 10];
            if (i % 8 == 7)
            {
                Thread.Sleep(1); // after a budget's worth, so that training has the core for the rest of the time
            }
        }
    }
}
