namespace FaceDistill.Evaluation;

/// <summary>Whether a student's probes can be searched in a gallery of its teacher's embeddings.</summary>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="Student">The student's name.</param>
/// <param name="TeacherTeacher">All pairs of the teacher's own embeddings.</param>
/// <param name="StudentStudent">All pairs of the student's own embeddings.</param>
/// <param name="TeacherStudent">The teacher's embedding of an image with the student's of another: all ordered pairs, twice as
/// many as in the others.</param>
public sealed record CrossModelResult(
    string Teacher, string Student, AllPairsResult TeacherTeacher, AllPairsResult StudentStudent, AllPairsResult TeacherStudent);
