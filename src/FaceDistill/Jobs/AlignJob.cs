using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;

namespace FaceDistill.Jobs;

/// <summary>What to align.</summary>
/// <param name="Data">A folder or file of raw photos, or a data set's name.</param>
/// <param name="Output">The folder to fill.</param>
/// <param name="Template">The template's name.</param>
/// <param name="Frame">How large the pictures become.</param>
public sealed record AlignRequest(string Data, string Output, string Template, AlignedFrame Frame)
{
    /// <summary>Whether every face of a photo is wanted (NAME.jpg, NAME.2.jpg, ...), not only the one that it is of.</summary>
    public bool AllFaces { get; init; }
}

/// <summary>Finds the face in each photo of a folder and aligns it; an interrupted run is continued.</summary>
public sealed class AlignJob(AssetFinder finder)
{
    /// <summary>Aligns.</summary>
    /// <exception cref="FaceDistillException">The pictures are aligned already, there is none, or the detector's model is missing.</exception>
    public FolderAlignment Run(AlignRequest request, JobContext job)
    {
        var (raw, aligner) = Open(request, job);
        return aligner.Run(raw, request.Output, job);
    }

    /// <summary>
    /// Aligns a part of the photos, beside other processes that align the other parts into the same folder, at the same time or at another, on this machine
    /// or on one that shares the folder. The last of them joins the parts to the folder that <see cref="Run"/> makes.
    /// </summary>
    /// <exception cref="FaceDistillException">As for <see cref="Run"/>; also where another process does the same part.</exception>
    public AlignedPart RunPart(AlignRequest request, DataShard part, JobContext job)
    {
        var (raw, aligner) = Open(request, job);
        return aligner.Run(raw, request.Output, part, job);
    }

    private (FaceDataset Raw, FolderAligner Aligner) Open(AlignRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        var folder = DataFolder.Resolve(request.Data, finder);
        if (AlignmentManifest.In(folder.Images))
        {
            throw new FaceDistillException($"{folder.Images} holds aligned faces already; give the raw photos");
        }

        var raw = FaceDataset.List(folder.Images, job);
        if (raw.Template is { } template)
        {
            throw new FaceDistillException($"{raw.Root} holds faces aligned to '{template}' already, as its format says: use it as it is");
        }

        if (folder.People is { } list) // a part of a set: nobody else's photos are aligned
        {
            var people = LfwPeople.Read(list);
            var chosen = people.Chooses();
            int all = raw.Images.Count;
            raw = raw with { Images = [.. raw.Images.Where(i => chosen(i.Identity))] };
            string? wrong = raw.Images.Count == 0 ? $"{raw.Root} has no photo of the people in {list}; a person is a sub-folder of that name"
                : AlignedFolder.ReadIndex(request.Output).Keys.FirstOrDefault(face => !chosen(FaceDataset.IdentityOf(face))) is { } other
                    ? $"{request.Output} holds {other}, whose person is none of those in {list}: choose another --output" : null;
            string part = wrong is null ? $"{request.Data}: {raw.Images.Count} of the {all} photos in {raw.Root}, of the people in {list}"
                : throw new FaceDistillException(wrong);
            job.Say?.Invoke(part);
        }

        IdentityNotes.Tell(raw.Images.Select(i => i.Identity), job);
        var aligner = new PhotoAligner(DetectorCard.FindModel(finder), AlignmentTemplate.Named(request.Template), request.Frame)
        {
            AllFaces = request.AllFaces,
        };
        return (raw, new FolderAligner(aligner));
    }
}
