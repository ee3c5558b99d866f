using FaceDistill.Files;
using FaceDistill.Students;

namespace FaceDistill.Benchmarks;

/// <summary>One student with the batch it is measured with (DESIGN.md, section 5).</summary>
internal sealed record TrainCase(string Student, int Batch)
{
    public const int Dimension = 128;

    public static TrainCase[] All { get; } =
    [
        new("mobilenet-v1:1.0@160", 32), new("mobilenet-v1:0.75@128", 32), new("mobilenet-v1:0.5@128", 32),
        new("mobilenet-v1:0.5@96", 64), new("mobilenet-v1:0.25@96", 64),
    ];

    public StudentSpec Spec => StudentSpec.Parse(Student);

    public string ShortName => Student[(Student.IndexOf(':', StringComparison.Ordinal) + 1)..];

    public MobileNetV1Architecture Architecture(HeadKind head) => new(Spec, head, Dimension);

    /// <summary>Forward, gradient of the inputs and gradient of the weights: each one multiply and one add a mult-add.</summary>
    public double StepFlops(HeadKind head) => 3.0 * 2 * Batch * StudentCost.Of(Architecture(head)).MultAdds;

    public override string ToString() => InvariantText.Of($"{ShortName} batch {Batch}");
}
