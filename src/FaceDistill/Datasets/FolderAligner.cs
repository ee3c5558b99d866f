using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Datasets;

/// <summary>What aligning a folder came to.</summary>
/// <param name="Faces">The aligned faces.</param>
/// <param name="Aligned">Pictures aligned, now or by an earlier run.</param>
/// <param name="Reused">Of these, how many an earlier run had done.</param>
/// <param name="Skipped">Files left out, with the reason, in ordinal order of their paths.</param>
public sealed record FolderAlignment(AlignedFaces Faces, int Aligned, int Reused, IReadOnlyList<(string Path, string Reason)> Skipped)
{
    /// <summary>Photos that show several faces.</summary>
    public int SeveralFaces { get; init; }

    /// <summary>Pictures of their other faces; 0 where these were not wanted.</summary>
    public int OtherFaces { get; init; }
}

/// <summary>
/// Aligns every photo below a folder into another folder, under the photos' names. Pictures are renamed into place when whole, so that
/// a run that was killed is continued by the next one with the same settings.
/// </summary>
/// <param name="aligner">Finds and aligns.</param>
internal sealed class FolderAligner(PhotoAligner aligner)
{
    /// <summary>Aligns a folder; what an earlier run with the same settings made of the same photos is kept.</summary>
    /// <param name="raw">The photos.</param>
    /// <param name="output">The folder to fill.</param>
    /// <param name="job">Told of every picture.</param>
    /// <exception cref="FaceDistillException">The output folder lies among the photos or holds something else, a photo cannot be read, or none shows a
    /// face.</exception>
    public FolderAlignment Run(FaceDataset raw, string output, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(raw);
        if (raw.Images.Count == 0)
        {
            throw new FaceDistillException($"{raw.Root} has no picture ({string.Join(' ', PictureFile.Extensions)})");
        }

        AlignedFolder.RefuseWithin(raw, output);
        using var held = FolderLock.Take(output);
        var folder = new AlignedFolder(raw, output, aligner.AllFaces);
        Prepare(raw, output, folder);
        PhotoFace[] photos;
        int reused;
        try
        {
            var found = aligner.Find(raw, folder, job);
            reused = found.Count(f => f.HasFace);
            photos = aligner.Align(raw, found, folder, job);
            folder.Forget(Enumerable.Range(0, photos.Length).Where(i => !photos[i].HasFace));
        }
        finally
        {
            folder.WriteIndex();
        }

        List<(string Path, string Reason)> skipped = Skipped(raw, photos);
        if (photos.All(p => !p.HasFace))
        {
            throw new FaceDistillException($"no photo in {raw.Root} shows a face (first: {skipped[0].Path}: {skipped[0].Reason})");
        }

        AtomicFile.WriteText(Path.Combine(output, AlignmentManifest.SkippedFileName), Csv.Text("path,reason", skipped.Select(s => new[] { s.Path, s.Reason })));
        aligner.Manifest(raw.Root, complete: true).Write(output);
        return new FolderAlignment(AlignedFaces.Open(output), photos.Count(p => p.HasFace), reused, skipped)
        {
            SeveralFaces = photos.Count(p => p.Shown > 1),
            OtherFaces = aligner.AllFaces ? photos.Sum(p => Math.Max(0, p.Shown - 1)) : 0,
        };
    }

    /// <summary>What was left out of a folder, in ordinal order of the paths.</summary>
    /// <param name="raw">The folder.</param>
    /// <param name="photos">What became of its pictures.</param>
    internal static List<(string Path, string Reason)> Skipped(FaceDataset raw, PhotoFace[] photos) =>
    [
        .. raw.Others.Concat(raw.Images.Zip(photos).Where(p => p.Second.Reason is not null).Select(p => (p.First.Path, p.Second.Reason!)))
            .OrderBy(s => s.Path, StringComparer.Ordinal),
    ];

    private void Prepare(FaceDataset raw, string output, AlignedFolder folder)
    {
        var wanted = aligner.Manifest(raw.Root, complete: false);
        Leftovers.Sweep(output); // of a run that was killed while it wrote its first file
        if (!AlignmentManifest.In(output))
        {
            if (Directory.EnumerateFileSystemEntries(output).Any(p => Path.GetFileName(p) != FolderLock.FileName))
            {
                throw new FaceDistillException($"{output} already holds other files; choose an empty --output");
            }

            wanted.Write(output);
            return;
        }

        var found = JsonFile.Read<AlignmentManifest>(Path.Combine(output, AlignmentManifest.FileName));
        if (found with { Complete = false, Source = wanted.Source } != wanted) // the photos may have been moved
        {
            throw new FaceDistillException(
                $"{output} holds faces of {found.Source} aligned otherwise ({found.Template} at {found.Size}{(found.AllFaces ? ", all faces" : "")}); "
                    + $"choose another --output or delete it");
        }

        folder.RefuseOthers();
        wanted.Write(output);
    }
}
