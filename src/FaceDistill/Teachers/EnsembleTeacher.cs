using System.Numerics.Tensors;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Teachers;

/// <summary>The card of several teachers that are used as one.</summary>
/// <param name="Name">The card's name.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Licence">The terms of the weights; where it was loaded, with those of its members.</param>
/// <param name="Source">Where the weights come from; the same.</param>
/// <param name="Ensemble">Teachers' cards: shipped ones' names, or paths from this card's folder.</param>
internal sealed record EnsembleCard(string Name, string Description, string Licence, string Source, string[] Ensemble)
{
    private const string Key = "ensemble";
    private const int MostMembers = 8;

    /// <summary>Whether a teacher's card names others.</summary>
    /// <exception cref="FaceDistillException">There is no such card.</exception>
    public static bool Is(string nameOrPath) => Is(Cards.ReadText(Cards.Teachers, nameOrPath));

    /// <summary>The same of a card that was read.</summary>
    public static bool Is(CardText card)
    {
        try
        {
            using var document =
                JsonDocument.Parse(card.Text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(Key, out _);
        }
        catch (JsonException)
        {
            return false; // whoever reads it says what is wrong
        }
    }

    /// <summary>Reads a card and checks it; its members' names are then paths or names that <see cref="TeacherCard"/> takes.</summary>
    /// <exception cref="FaceDistillException">It is malformed, or a member is; the message names card and member.</exception>
    public static EnsembleCard Load(string nameOrPath)
    {
        var text = Cards.ReadText(Cards.Teachers, nameOrPath);
        var card = JsonFile.Parse<EnsembleCard>(text.Text, text.Origin);
        string[] members = [.. card.Ensemble.Select(m => m.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            ? Path.GetFullPath(m, text.Folder ?? Directory.GetCurrentDirectory()) : m)];
        string? wrong = !Asset.IsPlainName(card.Name) ? $"\"name\" is to be letters, digits, '.', '_' and '-', not '{card.Name}'"
            : members.Length is < 2 or > MostMembers ? $"an ensemble names 2 to {MostMembers} teachers, not {members.Length}"
            : members.Distinct(StringComparer.Ordinal).Count() < members.Length ? "a teacher stands in the ensemble twice"
            : members.FirstOrDefault(Is) is { } inner ? $"{inner} is an ensemble itself; name its members" : null;
        if (wrong is not null)
        {
            throw new FaceDistillException($"{text.Origin}: {wrong}");
        }

        var cards = members.Select(m => TeacherCard.Load(m).Card).ToList();
        return card with
        {
            Ensemble = members,
            Licence = string.Join("; ", cards.Select(c => c.Licence).Prepend(card.Licence).Distinct()),
            Source = string.Join("; ", cards.Select(c => c.Source).Prepend(card.Source).Distinct()),
        };
    }
}

/// <summary>
/// Several teachers as one: their embeddings, each of unit length, side by side and divided by the root of their number, so that the whole has length 1 and its
/// cosine is the mean of theirs.
/// </summary>
/// <remarks>
/// Teachers of one template get its square, each in its own size. Where they have different ones the faces are aligned to <see cref="AlignmentTemplate.Wide"/>,
/// whose square holds those of all others, and each teacher's crop is cut from that by the similarity between the two templates' points: a face is resampled
/// twice, and a crop has no more detail than its part of the aligned face (of 160 pixels some 120; 'align --size' makes larger ones).
/// </remarks>
internal sealed class EnsembleTeacher : IEmbedder, IFedByOne
{
    private const int LargestSide = 256;
    private readonly IReadOnlyList<IEmbedder> _members;

    /// <summary>Takes hold of the members, and frees them with itself.</summary>
    /// <param name="name">The name shown in tables.</param>
    /// <param name="members">Two or more.</param>
    public EnsembleTeacher(string name, IReadOnlyList<IEmbedder> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        (Name, _members) = (name, members);
        string[] templates = [.. members.Select(m => m.Contract.Template).Distinct(StringComparer.Ordinal)];
        var template = templates.Length == 1 ? AlignmentTemplate.Named(templates[0]) : AlignmentTemplate.Wide;
        int side = (int)Math.Min(LargestSide, members.Max(m => Math.Ceiling(m.Contract.Size / PartOf(template, m.Contract.Template))));

        // The picture's bytes as they are: each member scales its own crop.
        Contract = new ModelInputSpec(side, template.Name, ColorOrder.Bgr, TensorLayout.Nhwc, [0, 0, 0], [1, 1, 1], NormalizeOutput: true);
        Dimension = members.Sum(m => m.Dimension);
        string text = string.Join('|', members.Select(m => $"{m.Hash} {JsonFile.Serialize(m.Contract)}"));
        Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("ensemble 1|" + text)));
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Hash { get; }

    /// <inheritdoc/>
    public ModelInputSpec Contract { get; }

    /// <inheritdoc/>
    public int Dimension { get; }

    /// <inheritdoc/>
    public int FacesAtOnce => _members.Min(m => (m as IFedByOne)?.FacesAtOnce ?? 0); // one on the CPU has the cores draw and compute

    /// <summary>Opens an ensemble by its card, as <see cref="TeacherCard.Open"/> does.</summary>
    /// <exception cref="FaceDistillException">The card or a member is not right; the message says which, and what to do.</exception>
    public static EnsembleTeacher Open(string nameOrPath, AssetFinder finder, string provider, Action<string>? say)
    {
        var card = EnsembleCard.Load(nameOrPath);
        var members = new List<IEmbedder>();
        try
        {
            members.AddRange(card.Ensemble.Select(m => TeacherCard.Open(m, finder, provider, say)));
            return new EnsembleTeacher(card.Name, members);
        }
        catch
        {
            members.ForEach(m => m.Dispose());
            throw;
        }
    }

    /// <inheritdoc/>
    public void Embed(float[] faces, int count, Span<float> embeddings)
    {
        ArgumentNullException.ThrowIfNull(faces);
        var pixels = new byte[count * Contract.Values];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)Math.Clamp(MathF.Round(faces[i]), 0, 255);
        }

        int at = 0;
        float share = 1 / MathF.Sqrt(_members.Count);
        foreach (var member in _members)
        {
            int d = member.Dimension;
            var own = new float[count * d];
            member.Embed(Crops(pixels, count, member.Contract), count, own);
            OnnxEmbedder.Finish(own, d, normalize: true, member.Name);
            for (int i = 0; i < count; i++)
            {
                TensorPrimitives.Multiply(own.AsSpan(i * d, d), share, embeddings.Slice((i * Dimension) + at, d));
            }

            at += d;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var member in _members)
        {
            member.Dispose();
        }
    }

    private unsafe float[] Crops(byte[] pixels, int count, ModelInputSpec wanted)
    {
        var result = new float[count * wanted.Values];
        fixed (byte* start = pixels)
        {
            for (int i = 0; i < count; i++)
            {
                using var face = Mat.FromPixelData(Contract.Size, Contract.Size, MatType.CV_8UC3, (IntPtr)(start + ((long)i * Contract.Values)));
                using var crop = Crop(face, wanted);
                FaceTensor.Fill(crop, wanted, result.AsSpan(i * wanted.Values, wanted.Values));
            }
        }

        return result;
    }

    private Mat Crop(Mat face, ModelInputSpec wanted) => wanted.Template == Contract.Template
        ? new AlignedFrame(Contract.Size, 0).View(face, wanted.Size)
        : FaceAligner.Warp(face, AlignmentTemplate.Named(Contract.Template).PointsInView(Contract.Size),
            AlignmentTemplate.Named(wanted.Template).PointsInView(wanted.Size), wanted.Size);

    // A member's square as a part of the ensemble's, side by side.
    private static double PartOf(AlignmentTemplate whole, string part)
    {
        var frame = AlignedFrame.Of(AlignedFrame.DefaultSize, 0);
        return SimilarityTransform.Fit(AlignmentTemplate.Named(part).PointsIn(frame), whole.PointsIn(frame)).Scale;
    }
}
