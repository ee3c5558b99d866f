using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Runs;
using FaceDistill.Synthetic;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests;

/// <summary>The folder of a run of two epochs on drawn faces: each test class has a copy, which its tests may spoil, of the one that was trained.</summary>
public sealed class TrainedRun : IDisposable
{
    private static readonly Lazy<string> Trained = new(() =>
    {
        string folder = TestCache.Folder("trained-run");
        using var tiny = new TinyRun();
        using var trainer = tiny.Trainer(folder, Options);
        trainer.Run(JobContext.None);
        return folder;
    });

    private readonly TempFolder _folder = new();

    public TrainedRun()
    {
        TempFolder.Copy(Trained.Value, Folder);
        Info.Write(Folder);
        TrainedFaces.Write(Folder, Tiny.Faces);
    }

    public static DistillOptions Options { get; } = TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 2 } };

    public TinyRun Tiny { get; } = new();

    public string Folder => _folder["run"];

    public RunInfo Info =>
        new(Options, "tiny", new string('a', 64), "/data/faces", Tiny.Faces.Dataset.Root, 120, true, RunEnvironment.Here("cpu"),
        new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc))
        {
            FacesId = Tiny.Faces.Id, TrainedOn = [DataFolder.Of(Tiny.Faces.Dataset.Root)],
        };

    internal StudentCheckpoint Checkpoint => StudentCheckpoint.Read(Path.Combine(Folder, StudentCheckpoint.FileName));

    /// <summary>A copy of the run folder.</summary>
    public string CopyTo(string folder)
    {
        TempFolder.Copy(Folder, folder);
        return folder;
    }

    /// <summary>A copy of the faces, to be damaged.</summary>
    public AlignedFaces CopyFaces(string folder)
    {
        TempFolder.Copy(Tiny.Faces.Dataset.Root, folder);
        return AlignedFaces.Open(folder);
    }

    /// <summary>Faces of other people, aligned alike.</summary>
    public AlignedFaces DrawStrangers(string folder) =>
        SyntheticDataset.Write(folder, new DrawnPeople(12, 10, 77), AlignmentTemplate.Dlib, Tiny.Faces.Manifest.Frame);

    public void Dispose()
    {
        Tiny.Dispose();
        _folder.Dispose();
    }
}
