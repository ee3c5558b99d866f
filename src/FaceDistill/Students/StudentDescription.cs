using System.Text.Json.Serialization;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Students;

/// <summary>What a trained student is, apart from its weights.</summary>
/// <param name="Student">The student's name, for example mobilenet-v1:0.5@96.</param>
/// <param name="Head">The head.</param>
/// <param name="Dimension">The embedding's length.</param>
/// <param name="Contract">What it wants to see.</param>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="TeacherHash">The teacher's SHA-256.</param>
internal sealed record StudentDescription(string Student, HeadKind Head, int Dimension, ModelInputSpec Contract, string Teacher, string TeacherHash)
{
    /// <summary>The teacher's name of a student that was trained by identities alone.</summary>
    public const string NoTeacher = "none";

    /// <summary>What the network's output is multiplied by, before the mean is added, to come into the teacher's space. Default 1.</summary>
    [JsonRequired]
    public float TargetScale { get; init; } = 1;

    /// <summary>
    /// What its weights started from, the nearest first; empty for random weights; null in students of earlier versions, which did not note it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<StudentOrigin>? Origins { get; init; }

    /// <summary>Checks every field, and that they are of one student.</summary>
    /// <returns>The description itself.</returns>
    /// <exception cref="FaceDistillException">One is out of its range; the message names it.</exception>
    public StudentDescription Validated()
    {
        var spec = StudentSpec.Parse(Student);
        Contract.Validated("the student's contract");
        string? wrong = !Enum.IsDefined(Head) ? $"no head '{Head}'"
            : Dimension is < 1 or > 65536 ? $"an embedding has 1 to 65536 values, not {Dimension}"
            : Contract.Size != spec.Resolution ? $"{Student} takes {spec.Resolution} pixels, and its contract says {Contract.Size}"
            : !(TargetScale > 0 && float.IsFinite(TargetScale)) ? InvariantText.Of($"the targets' scale is above 0, not {TargetScale}")
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }

    /// <summary>The layers.</summary>
    public MobileNetV1Architecture Architecture() => new(StudentSpec.Parse(Student), Head, Dimension);
}

/// <summary>One step of what a student started from.</summary>
/// <param name="Name">A backbone card's name, or the student's, for example mobilenet-v1:1.0@96.</param>
/// <param name="Kind">"backbone" or "student".</param>
/// <param name="Licence">The terms of a backbone's weights, or of a student's teacher and data; null where they are not known, or an earlier version noted
/// it.</param>
/// <param name="Source">Where a backbone's weights come from, or the student's run folder or file as it was named.</param>
/// <param name="Research">Whether what starts from it is for research only.</param>
public sealed record StudentOrigin(string Name, string Kind, string? Licence, string Source, bool Research)
{
    /// <summary>The kind of a published backbone.</summary>
    public const string Backbone = "backbone";

    /// <summary>The kind of another run's student.</summary>
    public const string Student = "student";

    /// <summary>What a student without origins started from.</summary>
    public const string Random = "random weights";

    private const string Unknown = "not known";

    internal static StudentOrigin Of(BackboneCard card) => new(card.Name, Backbone, card.Licence, card.Source, card.Research);

    /// <summary>A student that another one starts from, on the terms of what it was made of.</summary>
    /// <param name="student">Its name.</param>
    /// <param name="source">Its run folder or file.</param>
    /// <param name="before">What it started from itself.</param>
    /// <param name="teacher">Its teacher; null where that is not noted.</param>
    /// <param name="data">What it was trained on; empty where that is not noted.</param>
    internal static StudentOrigin Of(
        string student, string source, IReadOnlyList<StudentOrigin> before, ModelCardSource? teacher, IReadOnlyList<ModelCardSource> data)
    {
        string?[] terms = [teacher?.Licence, .. data.Select(d => d.Licence)];
        string ofData = data.Count == 0 ? Unknown : string.Join("; ", terms[1..].Select(t => t ?? Unknown).Distinct());
        return new StudentOrigin(
            student, Student, terms.All(t => t is null) ? null : $"teacher: {terms[0] ?? Unknown}; data: {ofData}", source,
            before.Any(o => o.Research) || terms.Any(ModelCardSource.IsRestricted));
    }

    /// <summary>One line: what a student started from, and what that started from.</summary>
    /// <param name="origins">The nearest first; empty for random weights.</param>
    public static string Text(IReadOnlyList<StudentOrigin> origins)
    {
        ArgumentNullException.ThrowIfNull(origins);
        return origins.Count == 0 ? Random : string.Join(", which started from ", origins.Select(
            o => o.Kind == Backbone ? $"the backbone {o.Name} ({o.Licence})" : $"the student {o.Name} of {o.Source}"));
    }

    /// <summary>The same without sources and terms, for a table's cell: "mobilenet-v1:1.0@96, faceres (research)".</summary>
    /// <param name="origins">The nearest first; empty for random weights.</param>
    public static string Short(IReadOnlyList<StudentOrigin> origins)
    {
        ArgumentNullException.ThrowIfNull(origins);
        return origins.Count == 0 ? Random : string.Join(" from ", origins.Select(o => o.Research ? $"{o.Name} (research)" : o.Name));
    }
}

/// <summary>
/// Centres the teacher's embeddings on their mean and divides them by one scalar, so that the variance of a dimension is 1 on
/// average. The raw ones share a large mean and spread little around it, and a network does not learn that. One scalar
/// for all dimensions keeps the geometry: squared differences only change their unit.
/// </summary>
/// <param name="Mean">float32 [D], the training faces' mean embedding.</param>
/// <param name="Scale">The root of the mean variance of a dimension; above 0.</param>
internal sealed record TargetScaling(float[] Mean, float Scale)
{
    /// <summary>No centring and no scaling: of a student that has no teacher.</summary>
    /// <param name="dimension">D.</param>
    public static TargetScaling None(int dimension) => new(new float[dimension], 1);

    /// <summary>Measures the scaling.</summary>
    /// <param name="embeddings">The teacher's embeddings.</param>
    /// <param name="faces">Of which faces; at least one.</param>
    /// <exception cref="FaceDistillException">The embeddings do not vary, or cannot be read.</exception>
    public static TargetScaling Measure(IEmbeddingRows embeddings, IReadOnlyList<int> faces)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        ArgumentNullException.ThrowIfNull(faces);
        int count = faces.Count, dimension = embeddings.Dimension;
        var (row, mean) = (new float[dimension], new double[dimension]);
        foreach (int face in faces)
        {
            embeddings.Read(face, row);
            for (int d = 0; d < dimension; d++)
            {
                mean[d] += (double)row[d] / count;
            }
        }

        // In a second pass: the mean square less the square of the mean would lose small variances beside a large mean.
        double squares = 0, deviations = 0;
        foreach (int face in faces)
        {
            embeddings.Read(face, row);
            for (int d = 0; d < dimension; d++)
            {
                double deviation = row[d] - mean[d];
                deviations += deviation * deviation;
                squares += (double)row[d] * row[d];
            }
        }

        // What varies by less than float32's resolution, 6e-8 of the values, does not vary.
        return deviations > 1e-14 * squares
            ? new TargetScaling([.. mean.Select(m => (float)m)], (float)Math.Sqrt(deviations / ((long)count * dimension)))
            : throw new FaceDistillException("the teacher gives every training face the same embedding; there is nothing to learn");
    }

    /// <summary>Centres and scales one embedding.</summary>
    /// <param name="embedding">float32 [D] in the teacher's space.</param>
    /// <param name="target">Receives float32 [D]; may be the same.</param>
    public void Apply(ReadOnlySpan<float> embedding, Span<float> target)
    {
        for (int d = 0; d < embedding.Length; d++)
        {
            target[d] = (embedding[d] - Mean[d]) / Scale;
        }
    }
}
