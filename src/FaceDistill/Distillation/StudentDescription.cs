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
    /// <summary>The layers.</summary>
    public MobileNetV1Architecture Architecture() => new(StudentSpec.Parse(Student), Head, Dimension);
}

/// <summary>One finished epoch.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean training loss: the part of the variance not explained.</param>
/// <param name="ValidationLoss">The same on the held-out faces; null without any.</param>
/// <param name="ValidationCosine">Mean cosine between student and teacher on the held-out faces, in the teacher's space; null without any.</param>
/// <param name="LearningRate">The rate of the epoch's last step.</param>
/// <param name="Seconds">Time of the epoch.</param>
/// <param name="ImagesPerSecond">Training faces a second, validation not counted.</param>
public sealed record EpochLog(int Epoch, double Loss, double? ValidationLoss, double? ValidationCosine, double LearningRate, double Seconds, double ImagesPerSecond);

/// <summary>How far a run is.</summary>
/// <param name="Epoch">The running epoch, from 0; equal to the number of epochs when finished.</param>
/// <param name="Step">Steps done in the running epoch.</param>
/// <param name="LossSum">Sum of the running epoch's step losses.</param>
/// <param name="Log">The finished epochs.</param>
public sealed record TrainingState(int Epoch, int Step, double LossSum, IReadOnlyList<EpochLog> Log);
