namespace FaceDistill.Reporting;

/// <summary>
/// How fast a table's files are, all and the teacher's timed in turns in one run (speed.json): one face, one thread, ONNX Runtime.
/// </summary>
/// <param name="Teacher">What the teacher's file costs.</param>
/// <param name="Students">The students' files.</param>
public sealed record Table14Speed(Table14TeacherFile Teacher, IReadOnlyList<Table14StudentSpeed> Students)
{
    /// <summary>The name of the file in the table's folder.</summary>
    public const string FileName = "speed.json";

    /// <summary>Whether it is that of all these lines' files.</summary>
    public bool Holds(IReadOnlyList<Table14Line> lines) => lines.Count > 0 && lines.All(l => Of(l) is not null);

    /// <summary>That of a line's files; null where other files were timed.</summary>
    public Table14StudentSpeed? Of(Table14Line line) => Students.FirstOrDefault(s => s.OnnxSha256 == line.Files.OnnxSha256 && s.Int8Sha256 == line.Files.Int8Sha256);
}

/// <summary>What a teacher's file costs, by its graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="MultAdds">Multiply-accumulates of one face.</param>
/// <param name="Parameters">Values of its constants; null where not known.</param>
/// <param name="LatencyMs">Median of one face, milliseconds.</param>
public sealed record Table14TeacherFile(string Name, long Bytes, long MultAdds, long? Parameters, double LatencyMs);

/// <summary>How fast a student's files are.</summary>
/// <param name="Student">The student.</param>
/// <param name="OnnxSha256">SHA-256 of the fp32 file that was timed.</param>
/// <param name="Int8Sha256">SHA-256 of the 8-bit file that was timed.</param>
/// <param name="LatencyMs">Median of one face with the fp32 file, milliseconds.</param>
/// <param name="Int8LatencyMs">The same with the 8-bit file.</param>
/// <param name="Speedup">The teacher's median by that of the fp32 file.</param>
/// <param name="Int8Speedup">The same of the 8-bit file.</param>
public sealed record Table14StudentSpeed(string Student, string OnnxSha256, string Int8Sha256, double LatencyMs, double Int8LatencyMs, double Speedup, double Int8Speedup);
