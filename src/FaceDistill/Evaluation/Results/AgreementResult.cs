namespace FaceDistill.Evaluation.Results;

/// <summary>A bin of a histogram: values from its lower bound up to, but not including, its upper one; the last bin includes it.</summary>
/// <param name="From">Lower bound.</param>
/// <param name="To">Upper bound.</param>
/// <param name="Count">How many values.</param>
public readonly record struct AgreementBin(double From, double To, int Count);

/// <summary>How well two models agree on an image.</summary>
/// <param name="Path">The image, as the teacher's set lists it.</param>
/// <param name="Cosine">Between the two embeddings, -1..1.</param>
public readonly record struct ImageAgreement(string Path, double Cosine);

/// <summary>How well a student's embeddings agree with the teacher's, image by image.</summary>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="Student">The student's name.</param>
/// <param name="Images">How many images.</param>
/// <param name="Mean">Mean cosine between both embeddings of an image.</param>
/// <param name="Median">Its median.</param>
/// <param name="Percentile5">Its 5th percentile: one image in twenty agrees less.</param>
/// <param name="Minimum">The worst.</param>
/// <param name="OtherImages">Mean cosine between the teacher's embedding of an image and the student's of another: what
/// agreement by chance is, which is far above 0 where all embeddings share a mean.</param>
/// <param name="Histogram">100 bins of 0.02 from -1 to 1.</param>
/// <param name="Worst">The 20 images, or all, that agree least; the worst first.</param>
public sealed record AgreementResult(
    string Teacher,
    string Student,
    int Images,
    double Mean,
    double Median,
    double Percentile5,
    double Minimum,
    double OtherImages,
    IReadOnlyList<AgreementBin> Histogram,
    IReadOnlyList<ImageAgreement> Worst);

/// <summary>Whether a student's probes can be searched in a gallery of its teacher's embeddings.</summary>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="Student">The student's name.</param>
/// <param name="TeacherTeacher">All pairs of the teacher's own embeddings.</param>
/// <param name="StudentStudent">All pairs of the student's own embeddings.</param>
/// <param name="TeacherStudent">The teacher's embedding of an image with the student's of another: all ordered pairs, twice as
/// many as in the others.</param>
public sealed record CrossModelResult(
    string Teacher, string Student, AllPairsResult TeacherTeacher, AllPairsResult StudentStudent, AllPairsResult TeacherStudent);
