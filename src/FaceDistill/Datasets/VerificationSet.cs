using System.Collections;
using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Datasets;

/// <summary>
/// A verification set as InsightFace packs them (<c>lfw.bin</c>, <c>agedb_30.bin</c>, <c>cfp_fp.bin</c>): a pickle of two lists, <c>(bins, issame)</c>. bins
/// are 2N
/// picture files (bytes, a Python 2 string, or a NumPy array uint8), issame N flags: pictures 2i and 2i+1 show one person, or two.
/// </summary>
/// <remarks>
/// A picture's path is its number with seven digits; nobody knows whom it shows. The pictures are copied once into the cache (<see cref="PictureBlob"/>).
/// </remarks>
internal static class VerificationSet
{
    /// <summary>The ending of such files.</summary>
    public const string Ending = ".bin";

    private const string Kind = "bin1", Layout = "a verification set is a pickle of a list of pictures and a list of flags, one for every two";

    /// <summary>Whether a path is such a file.</summary>
    public static bool Is(string? path) => path is not null && path.EndsWith(Ending, StringComparison.OrdinalIgnoreCase) && File.Exists(path);

    /// <summary>Lists the pictures.</summary>
    /// <exception cref="FaceDistillException">The file is none, or is damaged.</exception>
    public static FaceDataset Read(string file, JobContext job)
    {
        var dataset = Blob(file, job).Dataset(file);
        return dataset with { Template = PictureArchive.TemplateOf(dataset.Place(dataset.Images[0]), null) };
    }

    /// <summary>Reads the pairs, in the file's order.</summary>
    /// <exception cref="FaceDistillException">No file is given, or it is none, or is damaged.</exception>
    public static PairList Pairs(string? file) => !Is(file)
        ? throw new FaceDistillException($"{file ?? "no data"} is no verification set: name a .bin file (lfw.bin, agedb_30.bin) with --data")
        : new PairList(file!, [.. Blob(file!, JobContext.None).Notes.Select((same, i) => new ImagePair(Name(2 * i), Name((2 * i) + 1), same == 1))])
        {
            InOrder = true,
        };

    private static string Name(int picture) => InvariantText.Of($"{picture:d7}");

    private static PictureBlob Blob(string file, JobContext job) => PictureBlob.Of(file, Kind, blob => Copy(file, blob), job);

    private static byte[] Copy(string file, PictureBlob.Writer blob)
    {
        if (Items(PickleFile.Read(file)) is not [var first, var second] || Items(first) is not { } pictures || Flags(second) is not { } flags)
        {
            throw new FaceDistillException($"{file}: {Layout}, which this is not");
        }

        if (flags.Count == 0 || pictures.Count != 2 * flags.Count)
        {
            throw new FaceDistillException($"{file} has {pictures.Count} pictures and {flags.Count} flags; {Layout}");
        }

        for (int i = 0; i < pictures.Count; i++)
        {
            byte[] bytes = pictures[i] switch
            {
                byte[] plain => plain,
                string text => Latin(text), // of Python 2
                PickledArray array => array.Bytes($"{file}: picture {i}"),
                _ => [],
            };
            blob.Add(Name(i), "", bytes.Length > 0 ? bytes : throw new FaceDistillException($"{file}: picture {i} is no picture file's bytes"));
        }

        int wrong = Enumerable.Range(0, flags.Count).FirstOrDefault(i => Flag(flags[i]) is null, -1);
        return wrong < 0 ? [.. Enumerable.Range(0, flags.Count).Select(i => Flag(flags[i])!.Value)]
            : throw new FaceDistillException($"{file}: flag {wrong} is not true or false");
    }

    private static IList? Items(object? value) => value is object[] or ArrayList ? (IList)value : null;

    private static IList? Flags(object? value) => value is PickledArray array ? array.Numbers() : Items(value);

    private static byte? Flag(object? value) => value switch { true or 1 or 1L => 1, false or 0 or 0L => 0, _ => null };

    private static byte[] Latin(string text) => text.All(c => c <= 0xff) ? System.Text.Encoding.Latin1.GetBytes(text) : [];
}
