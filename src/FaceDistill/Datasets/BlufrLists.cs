using FaceDistill.Files;


namespace FaceDistill.Datasets;

/// <summary>The test images of a BLUFR trial, by file name as the lists give it.</summary>
/// <param name="Gallery">The images that probes are searched in.</param>
/// <param name="Probes">The images that are searched for, of people in the gallery and of others.</param>
internal sealed record BlufrTrial(IReadOnlyList<string> Gallery, IReadOnlyList<string> Probes);

/// <summary>
/// Trial lists in the text format of the BLUFR toolkit (Liao, Lei, Yi, Li, "A benchmark study of large-scale unconstrained face
/// recognition", IJCB 2014; the README in its folder "list"): <c>gallery_set.txt</c> and <c>probe_set.txt</c> each begin with a
/// line "trials"; then for each trial a line "n" and n lines "index, file name". The indices count rows of the toolkit's own
/// image list and are not used: the file names say which image is meant.
/// </summary>
/// <param name="Folder">Where they were read.</param>
/// <param name="Trials">The trials, in order.</param>
internal sealed record BlufrLists(string Folder, IReadOnlyList<BlufrTrial> Trials)
{
    /// <summary>The list of gallery images.</summary>
    public const string GalleryFile = "gallery_set.txt";

    /// <summary>The list of probe images.</summary>
    public const string ProbeFile = "probe_set.txt";

    /// <summary>Both.</summary>
    public static IReadOnlyList<string> Files { get; } = [GalleryFile, ProbeFile];

    private const int MaxTrials = 1000;
    private const int MaxImages = 1_000_000;

    /// <summary>Reads both lists.</summary>
    /// <exception cref="FaceDistillException">One is missing or malformed, names an image twice in a trial, or both disagree;
    /// the message names file and line.</exception>
    public static BlufrLists Read(string folder)
    {
        string galleryPath = Path.Combine(folder, GalleryFile), probePath = Path.Combine(folder, ProbeFile);
        var galleries = ReadTrials(galleryPath);
        var probes = ReadTrials(probePath);
        if (galleries.Count != probes.Count)
        {
            throw new FaceDistillException($"{galleryPath} has {galleries.Count} trials and {probePath} has {probes.Count}; get both from the same toolkit");
        }

        for (int t = 0; t < probes.Count; t++)
        {
            if (galleries[t].Intersect(probes[t], StringComparer.Ordinal).FirstOrDefault() is { } both)
            {
                throw new FaceDistillException($"{probePath}: {both} is in the gallery of trial {t + 1} too; get both lists from the same toolkit");
            }
        }

        return new BlufrLists(folder, [.. galleries.Zip(probes, (gallery, probe) => new BlufrTrial(gallery, probe))]);
    }

    private static List<List<string>> ReadTrials(string path)
    {
        const string trialsExpected = "the number of trials";
        const string sizeExpected = "the number of images of a trial";
        var text = new LfwText(path);
        int count = text.Number(text.Next(trialsExpected)[0], MaxTrials, trialsExpected);
        var trials = new List<List<string>>();
        for (int t = 0; t < count; t++)
        {
            int size = text.Number(text.Next(sizeExpected)[0], MaxImages, sizeExpected);
            trials.Add(ReadTrial(text, size));
        }

        text.End();
        return trials;
    }

    private static List<string> ReadTrial(LfwText text, int size)
    {
        const string expected = "index, file name";
        var images = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < size; i++)
        {
            string[] fields = text.Next(expected)[0].Split(',', 2, StringSplitOptions.TrimEntries);
            if (fields.Length != 2 || fields[1].Length == 0 || !InvariantNumber.Count<int>(fields[0], out _))
            {
                throw text.Error(expected);
            }

            images.Add(seen.Add(fields[1]) ? fields[1] : throw text.Error("each image of a trial once"));
        }

        return images;
    }
}
