using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Distillation;
using FaceDistill.Export;
using FaceDistill.Formats;
using FaceDistill.Reporting;

namespace FaceDistill.Pipeline;

/// <summary>Exports the student of a run folder, verified on faces, and brings the run's report up to date.</summary>
public sealed class ExportJob(AssetFinder finder, Action<string>? say)
{
    private const int VerifiedFaces = 32;

    /// <summary>Exports.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="output">The .onnx file; null for student.onnx in the run folder.</param>
    /// <param name="data">Faces to verify on, a folder or a data set's name; null for those the student was trained on.</param>
    /// <param name="aligned">The template that the user says these are aligned to; null to go by alignment.json.</param>
    /// <param name="device">Where TorchSharp computes: auto, cpu or cuda.</param>
    /// <param name="progress">Told of faces that are aligned.</param>
    /// <param name="cancel">Stops while faces are aligned.</param>
    /// <exception cref="FaceDistillException">The run is not whole, there are no faces, or the export is not what the student is.</exception>
    public ExportOutcome Run(string run, string? output, string? data, string? aligned, string device, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        var checkpoint = RunStudent.Open(run);
        string template = checkpoint.Description.Contract.Template;
        var info = RunInfo.Read(run);
        var faces = data is not null
            ? new FaceSource(finder, say).Open(DataFolder.Resolve(data, finder), template, aligned, progress, cancel)
            : TrainingFacesOf(info, template, run);
        var outcome = Verified(checkpoint, output ?? Path.Combine(run, DistillJob.ExportName), faces, device);
        JsonFile.Write(Path.Combine(run, RunReport.ExportFileName), outcome);
        RunReport.Write(run);
        return outcome;
    }

    /// <summary>Exports a student and verifies it on the first faces of a folder.</summary>
    /// <exception cref="FaceDistillException">The faces are aligned otherwise, or the export is not what the student is.</exception>
    public static ExportOutcome Verified(StudentCheckpoint checkpoint, string path, AlignedFaces faces, string device)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(faces);
        faces.Require(checkpoint.Description.Contract.Template, checkpoint.Description.Student);
        var pictures = Enumerable.Range(0, Math.Min(VerifiedFaces, faces.Dataset.Images.Count))
            .Select(i => faces.ReadView(i, checkpoint.Description.Contract.Size)).ToList();
        try
        {
            return StudentExporter.Onnx(checkpoint, path, pictures, device);
        }
        finally
        {
            pictures.ForEach(p => p.Dispose());
        }
    }

    private static AlignedFaces TrainingFacesOf(RunInfo info, string template, string run)
    {
        if (!Directory.Exists(info.Aligned))
        {
            throw new FaceDistillException($"the faces that {run} was trained on are gone ({info.Aligned}); name others to verify the export on with --data");
        }

        return AlignmentManifest.In(info.Aligned) ? AlignedFaces.Open(info.Aligned) : AlignedFaces.OpenAsserted(info.Aligned, template);
    }
}
