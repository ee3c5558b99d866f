using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FaceDistill.Datasets;
using FaceDistill.Files;

namespace FaceDistill.Stores;

/// <summary>What an embedding store holds: two runs with the same key compute the same embeddings.</summary>
/// <param name="Teacher">The teacher's card name, for example "dlib-resnet".</param>
/// <param name="TeacherHash">Hash of the teacher's network and input contract.</param>
/// <param name="AlignmentHash">Hash of what turned photos into the teacher's input: detector, template, size.</param>
/// <param name="ImagesHash">Hash of the images, see <see cref="HashOf"/>.</param>
/// <param name="Dimension">D, the embedding's length.</param>
/// <param name="ImageCount">How many images the list has.</param>
/// <param name="Views">The views of each image that were embedded, in order, for example "original", "mirrored".</param>
/// <param name="ImagesPerPart">How many images a Parquet part covers; the last part may cover fewer.</param>
internal sealed record EmbeddingStoreKey(
    string Teacher,
    string TeacherHash,
    string AlignmentHash,
    string ImagesHash,
    int Dimension,
    int ImageCount,
    IReadOnlyList<string> Views,
    int ImagesPerPart = EmbeddingStoreKey.DefaultImagesPerPart)
{
    /// <summary>
    /// Images per part unless told otherwise: half a megabyte at 128 dimensions, and at most some seconds of a
    /// teacher's work to do again after a kill.
    /// </summary>
    public const int DefaultImagesPerPart = 1024;

    private const int MaxDimension = 65_536;
    private const int MaxViews = 1_024;
    private const int MaxViewLength = 256;
    private static readonly JsonSerializerOptions Canonical = new(JsonFile.Options) { WriteIndented = false };

    /// <summary>SHA-256 over the key's canonical JSON (no white space, members in the order above), 64 lower-case hex digits.</summary>
    [JsonIgnore]
    public string Id => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this, Canonical)));

    /// <summary>SHA-256 over path and <see cref="AlignedFaces.Id"/> of the faces: the same list of the same pictures; 64 hexadecimal digits.</summary>
    /// <param name="faces">Faces that are hashed.</param>
    public static string HashOf(AlignedFaces faces)
    {
        ArgumentNullException.ThrowIfNull(faces);
        string paths = string.Join('\n', faces.Dataset.Images.Select(i => i.Path));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(faces.Id + paths)));
    }

    /// <summary>How many parts the store has.</summary>
    [JsonIgnore]
    public int PartCount => (int)(((long)ImageCount + ImagesPerPart - 1) / ImagesPerPart);

    /// <summary>The images of part <paramref name="part"/>: index of the first in the list, and how many.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such part.</exception>
    public (int First, int Count) Images(int part)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(part);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(part, PartCount);
        int first = part * ImagesPerPart;
        return (first, Math.Min(ImagesPerPart, ImageCount - first));
    }

    /// <summary>How many floats part <paramref name="part"/> holds: images * views * D.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such part.</exception>
    public int PartValues(int part) => Images(part).Count * Views.Count * Dimension;

    /// <summary>The file name of part <paramref name="part"/>, for example "part-00007.parquet".</summary>
    public static string PartName(int part) => InvariantText.Of($"part-{part:D5}.parquet");

    /// <summary>The index of a view.</summary>
    /// <exception cref="FaceDistillException">The store has no such view; the message lists those it has.</exception>
    public int ViewIndex(string view)
    {
        for (int i = 0; i < Views.Count; i++)
        {
            if (Views[i] == view)
            {
                return i;
            }
        }

        throw new FaceDistillException(
            $"the store of {Teacher} has no view '{view}', only {string.Join(", ", Views)}; run embed again with that view");
    }

    /// <summary>Refuses a key that no store can have.</summary>
    /// <exception cref="FaceDistillException">A field is empty or out of range; the message names <paramref name="where"/> and the field.</exception>
    internal void Check(string where)
    {
        string? wrong =
            Teacher.Length == 0 ? "teacher is empty"
            : TeacherHash.Length == 0 ? "teacherHash is empty"
            : AlignmentHash.Length == 0 ? "alignmentHash is empty"
            : ImagesHash.Length == 0 ? "imagesHash is empty"
            : Dimension is < 1 or > MaxDimension ? $"dimension {Dimension} is not in 1..{MaxDimension}"
            : ImageCount < 1 ? $"imageCount {ImageCount} is below 1"
            : ImagesPerPart is < 1 or > EmbeddingStorePart.MaxRows ? $"imagesPerPart {ImagesPerPart} is not in 1..{EmbeddingStorePart.MaxRows}"
            : Views.Count is < 1 or > MaxViews ? $"{Views.Count} views, not 1..{MaxViews}"
            : Views.Any(v => v.Length is < 1 or > MaxViewLength) || Views.Distinct(StringComparer.Ordinal).Count() != Views.Count
                ? $"a view's name is there twice, empty or longer than {MaxViewLength}"
            : (long)Math.Min(ImagesPerPart, ImageCount) * Views.Count * Dimension > EmbeddingStorePart.MaxValues
                ? $"a part would hold more than {EmbeddingStorePart.MaxValues} values; take fewer images per part"
            : null;
        if (wrong is not null)
        {
            throw new FaceDistillException($"{where}: {wrong}");
        }
    }

    /// <summary>The first difference from <paramref name="other"/> as words ("holds A, not B"), or null when both keys are the same.</summary>
    internal string? DifferenceFrom(EmbeddingStoreKey other)
    {
        static string Short(string hash) => hash.Length > 16 ? hash[..16] : hash;
        if (Id == other.Id)
        {
            return null;
        }

        return Teacher != other.Teacher ? $"embeddings of {Teacher}, not of {other.Teacher}"
            : TeacherHash != other.TeacherHash
                ? $"embeddings of another network of the name {Teacher} (hash {Short(TeacherHash)}, not {Short(other.TeacherHash)})"
            : AlignmentHash != other.AlignmentHash ? $"another alignment (hash {Short(AlignmentHash)}, not {Short(other.AlignmentHash)})"
            : ImageCount != other.ImageCount ? $"other images ({ImageCount}, not {other.ImageCount})"
            : ImagesHash != other.ImagesHash ? $"other images (hash {Short(ImagesHash)}, not {Short(other.ImagesHash)})"
            : Dimension != other.Dimension ? $"embeddings of dimension {Dimension}, not {other.Dimension}"
            : !Views.SequenceEqual(other.Views) ? $"views {string.Join(",", Views)}, not {string.Join(",", other.Views)}"
            : $"{ImagesPerPart} images a part, not {other.ImagesPerPart}";
    }

    /// <summary>A model's name as part of a folder's.</summary>
    internal static string SafeName(string name) =>
        string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_'));
}
