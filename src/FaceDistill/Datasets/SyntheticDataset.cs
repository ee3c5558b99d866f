using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Synthetic;

namespace FaceDistill.Datasets;

/// <summary>A folder of synthetic faces with the manifest that makes it a finished data set of aligned faces.</summary>
public static class SyntheticDataset
{
    /// <summary>
    /// Fills a folder and opens it; a folder that the same arguments filled before is opened as it is, one that they left
    /// half filled is filled again.
    /// </summary>
    /// <param name="folder">Missing, empty, or made by the same arguments.</param>
    /// <param name="people">Who is drawn.</param>
    /// <param name="template">What the faces are aligned to.</param>
    /// <param name="frame">Size and border of each picture.</param>
    /// <param name="job">Told of every picture written.</param>
    /// <exception cref="ArgumentException">A number is out of range (<see cref="SyntheticFaces.Write"/>).</exception>
    /// <exception cref="FaceDistillException">The folder holds something else, or cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static AlignedFaces Write(string folder, DrawnPeople people, AlignmentTemplate template, AlignedFrame frame, JobContext? job = null)
    {
        // Before the manifest is written, so that a refused call leaves nothing behind.
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        ArgumentNullException.ThrowIfNull(people);
        people.Check();
        SyntheticFaces.Check(template.PointsIn(frame), frame.Side);
        string source = InvariantText.Of($"{people.Identities} identities x {people.ImagesPerIdentity} images, seed {people.Seed}");
        var manifest = new AlignmentManifest(1, template.Name, frame.Size, frame.Pad, AlignmentManifest.Drawer, source, Complete: true);
        if (!Finished(folder, manifest, people.Images))
        {
            Fill(folder, manifest, () => SyntheticFaces.Write(folder, people, template.PointsIn(frame), frame.Side, job));
        }

        return AlignedFaces.Open(folder);
    }

    private static void Fill(string folder, AlignmentManifest manifest, Action fill)
    {
        (manifest with { Complete = false }).Write(folder);
        fill();
        manifest.Write(folder);
    }

    private static bool Finished(string folder, AlignmentManifest wanted, long images)
    {
        if (Directory.Exists(folder))
        {
            Leftovers.Sweep(folder); // of a run that was killed while it wrote its first file
        }

        if (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any())
        {
            return false;
        }

        // Pictures of other people or another template must not mix with these.
        AlignmentManifest? found = AlignmentManifest.In(folder)
            ? JsonFile.Read<AlignmentManifest>(Path.Combine(folder, AlignmentManifest.FileName))
            : null;
        if (found is null || found with { Complete = true } != wanted)
        {
            throw new FaceDistillException($"{folder} holds something other than these synthetic faces; name an empty folder or delete it");
        }

        return found.Complete && FaceDataset.List(folder).Images.Count == images;
    }
}
