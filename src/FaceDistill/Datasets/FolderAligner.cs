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
        KnownContents.Check();
        using var held = FolderLock.Take(output);
        if (FolderLock.Parts(output) is [var running, ..])
        {
            throw new FaceDistillException($"another facedistill is writing part {running} to {output}; wait for it, or choose another --output");
        }

        var folder = new AlignedFolder(raw, output, aligner.AllFaces);
        Prepare(raw, output, folder);
        var (photos, reused) = Fill(raw, folder, job);
        var skipped = Skipped(raw, photos);
        Finish(raw, output, folder, skipped, photos.Any(p => p.HasFace));
        return new FolderAlignment(AlignedFaces.Open(output), photos.Count(p => p.HasFace), reused, skipped)
        {
            SeveralFaces = Several(photos),
            OtherFaces = Others(photos),
        };
    }

    /// <summary>
    /// Aligns a part of a folder, beside others that align the other parts at the same time or at another, on this machine or on one that shares the folder.
    /// Who ends last joins the parts, to what <see cref="Run(FaceDataset, string, JobContext)"/> makes.
    /// </summary>
    /// <param name="raw">All photos.</param>
    /// <param name="output">The folder to fill.</param>
    /// <param name="part">Which of them.</param>
    /// <param name="job">Told of every picture.</param>
    /// <exception cref="FaceDistillException">As for all photos; also where another process does the same part.</exception>
    public AlignedPart Run(FaceDataset raw, string output, DataShard part, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(raw);
        ArgumentNullException.ThrowIfNull(part);
        AlignedFolder.RefuseWithin(raw, output);
        if (raw.Images.Count == 0)
        {
            throw new FaceDistillException($"{raw.Root} has no picture ({string.Join(' ', PictureFile.Extensions)})");
        }

        KnownContents.Check();
        _ = aligner.Manifest(raw.Root, complete: false); // that the detector is missing shows before a folder is made
        output = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output));
        var (own, parts) = (raw.Of(part), new AlignedParts(output, part.Count, AlignedParts.IdOf(raw)));
        AlignedFolder folder;
        FolderLock held;
        using (FolderLock.Wait(output, job, out _))
        {
            folder = new AlignedFolder(raw, output, aligner.AllFaces, part);
            if (Whole(raw, output) is { } skippedBefore)
            {
                new AlignedFolder(raw, output, aligner.AllFaces).RefuseOthers();
                RequireUnchanged(own, output, folder, skippedBefore, part, job);
                job.Say?.Invoke($"{output} is whole already, and the photos of this part are those of then: nothing is done");
                AlignedParts.Delete(output); // of one that was killed when all was done
                var counts = folder.Counts();
                return new AlignedPart(part, output, counts.Faces, counts.Faces, [.. skippedBefore.Where(s => own.Images.Any(i => i.Path == s.Path))], [])
                {
                    SeveralFaces = counts.Several, OtherFaces = counts.Others,
                };
            }

            Prepare(raw, output, new AlignedFolder(raw, output, aligner.AllFaces));
            held = FolderLock.Take(output, part.Name);
            parts.Begin(part);
            folder.WriteIndex();
        }

        using (held)
        {
            var (photos, reused) = Fill(own, folder, job);
            var skipped = Skipped(own with { Others = [] }, photos);
            parts.End(part, own.Images.Zip(photos).Where(p => p.Second.Reason is not null)
                .Select(p => new PartPhoto(p.First.Path, p.Second.Reason!, p.Second.Photo.ToString())));
            return new AlignedPart(part, output, photos.Count(p => p.HasFace), reused, skipped, Join(raw, output, parts, job))
            {
                SeveralFaces = Several(photos), OtherFaces = Others(photos),
            };
        }
    }

    // What is missing still; where nothing is, the folder is whole now.
    private IReadOnlyList<int> Join(FaceDataset raw, string output, AlignedParts parts, JobContext job)
    {
        using var held = FolderLock.Wait(output, job, out _);
        if (AlignmentManifest.IsComplete(output))
        {
            AlignedParts.Delete(output);
            return []; // another ended last
        }

        var missing = parts.Missing();
        if (missing.Count == 0)
        {
            var folder = new AlignedFolder(raw, output, aligner.AllFaces, null, parts.Faces());
            var (photos, _) = Fill(raw, folder, job, parts.Skipped()); // looks at all once more: what changed since its part was done is aligned again
            Finish(raw, output, folder, Skipped(raw, photos), photos.Any(p => p.HasFace));
            FolderLock.Parts(output); // takes away those of killed tasks
        }

        return missing;
    }

    // What a finished folder of these photos left out; null where it is to be worked on.
    private IReadOnlyList<(string Path, string Reason)>? Whole(FaceDataset raw, string output)
    {
        if (!AlignmentManifest.In(output) || !AlignmentManifest.IsComplete(output))
        {
            return null;
        }

        Require(raw, output);
        var skipped = AlignmentManifest.ReadSkipped(output);
        return new AlignedFolder(raw, output, aligner.AllFaces).Accounts(skipped) ? skipped : null;
    }

    // A whole folder is called so only after its photos were looked at.
    private void RequireUnchanged(
        FaceDataset own, string output, AlignedFolder folder, IReadOnlyList<(string Path, string Reason)> skipped, DataShard part, JobContext job)
    {
        var without = skipped.Select(s => s.Path).ToHashSet(StringComparer.Ordinal);
        var found = aligner.Find(own, folder, job);
        string[] changed = [.. own.Images.Where((image, i) => !found[i].HasFace && !without.Contains(image.Path)).Select(image => image.Path)];
        if (changed.Length > 0)
        {
            throw new FaceDistillException(
                InvariantText.Of($"{output} is whole, but {changed.Length} of the photos of part {part.Number}/{part.Count} or their ")
                + $"faces have changed since (first: {changed[0]}): run '{Hints.Command} align' with the same options and without --shard, which aligns "
                    + $"these again");
        }
    }

    // Of photos that gave no face to a part, and have not changed since, that is known.
    private (PhotoFace[] Photos, int Reused) Fill(
        FaceDataset photos, AlignedFolder folder, JobContext job, IReadOnlyDictionary<string, PartPhoto>? faceless = null)
    {
        try
        {
            var found = aligner.Find(photos, folder, job);
            int reused = found.Count(f => f.HasFace);
            for (int i = 0; i < found.Length && faceless is not null; i++)
            {
                if (found[i].IsToAlign && faceless.TryGetValue(photos.Images[i].Path, out var known) && known.Photo == found[i].Photo.ToString())
                {
                    found[i] = found[i] with { Reason = known.Reason };
                }
            }

            found = aligner.Align(photos, found, folder, job);
            folder.Forget(Enumerable.Range(0, found.Length).Where(i => !found[i].HasFace));
            return (found, reused);
        }
        finally
        {
            folder.WriteIndex();
        }
    }

    private void Finish(FaceDataset raw, string output, AlignedFolder folder, List<(string Path, string Reason)> skipped, bool any)
    {
        if (!any)
        {
            Abandon(output);
            throw NoFace(raw, skipped);
        }

        folder.RefuseOthers();
        AtomicFile.WriteText(Path.Combine(output, AlignmentManifest.SkippedFileName), Csv.Text("path,reason", skipped.Select(s => new[] { s.Path, s.Reason })));
        aligner.Manifest(raw.Root, complete: true).Write(output);
        AlignedParts.Delete(output);
    }

    // A folder that holds no face and says that it is unfinished would be refused by everybody who is told of it.
    private static void Abandon(string output)
    {
        string[] own = [AlignmentManifest.FileName, AlignedFolder.IndexName];
        var names = Directory.EnumerateFileSystemEntries(output).Select(p => Path.GetFileName(p)!);
        if (names.All(n => own.Contains(n, StringComparer.Ordinal) || n.StartsWith(FolderLock.FileName, StringComparison.Ordinal)))
        {
            Array.ForEach(own, name => File.Delete(Path.Combine(output, name)));
        }
    }

    /// <summary>None of the photos shows a face: how many were left out for which reason, and the first of each.</summary>
    /// <param name="raw">The photos.</param>
    /// <param name="skipped">What was left out, at least one.</param>
    internal static FaceDistillException NoFace(FaceDataset raw, IReadOnlyList<(string Path, string Reason)> skipped) =>
        new($"no photo in {raw.Root} shows a face: " + string.Join("; ", skipped.GroupBy(s => s.Reason, StringComparer.Ordinal)
            .OrderByDescending(g => g.Count()).Take(4).Select(g => InvariantText.Of($"{g.Key}: {g.Count()} (first: {g.First().Path})"))));

    private static int Several(PhotoFace[] photos) => photos.Count(p => p.Shown > 1);

    private int Others(PhotoFace[] photos) => aligner.AllFaces ? photos.Sum(p => Math.Max(0, p.Shown - 1)) : 0;

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
            if (Directory.EnumerateFileSystemEntries(output).Any(p => !Path.GetFileName(p).StartsWith(FolderLock.FileName, StringComparison.Ordinal)))
            {
                throw new FaceDistillException($"{output} already holds other files; choose an empty --output");
            }

            wanted.Write(output);
            return;
        }

        folder.RefuseOthers(begun: !Require(raw, output).Complete);
        wanted.Write(output);
    }

    private AlignmentManifest Require(FaceDataset raw, string output)
    {
        var (wanted, found) = (aligner.Manifest(raw.Root, complete: false),
            JsonFile.Read<AlignmentManifest>(Path.Combine(output, AlignmentManifest.FileName)));
        if (found with { Complete = false, Source = wanted.Source } != wanted) // the photos may have been moved
        {
            throw new FaceDistillException(
                $"{output} holds faces of {found.Source} aligned otherwise ({found.Template} at {found.Size}{(found.AllFaces ? ", all faces" : "")}); "
                    + $"choose another --output or delete it");
        }

        return found;
    }
}
