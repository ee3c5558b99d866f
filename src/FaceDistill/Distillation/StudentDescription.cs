using System.Text.Json.Serialization;
using FaceDistill.Faces;
using FaceDistill.Students;

namespace FaceDistill.Distillation;

/// <summary>What a trained student is, apart from its weights.</summary>
/// <param name="Student">The student's name, for example mobilenet-v1:0.5@96.</param>
/// <param name="Head">The head.</param>
/// <param name="Dimension">The embedding's length.</param>
/// <param name="Contract">What it wants to see.</param>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="TeacherHash">The teacher's SHA-256.</param>
/// <param name="TargetScale">What the network's output is multiplied by, before the mean is added, to come into the teacher's space.</param>
public sealed record StudentDescription(
    string Student, HeadKind Head, int Dimension, FaceContract Contract, string Teacher, string TeacherHash, float TargetScale)
{
    /// <summary>The teacher's name of a student that was trained by identities alone.</summary>
    public const string NoTeacher = "none";

    /// <summary>
    /// What its weights started from, the nearest first; empty for random weights; null in students of earlier versions, which did not note it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<StudentOrigin>? Origins { get; init; }

    /// <summary>The layers.</summary>
    public MobileNetV1Architecture Architecture() => new(StudentSpec.Parse(Student), Head, Dimension);
}
