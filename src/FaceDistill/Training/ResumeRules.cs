using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;

namespace FaceDistill.Training;

/// <summary>Whether a checkpoint is that of the run which asks for it.</summary>
internal static class ResumeRules
{
    /// <summary>Checks options, teacher and the best student's file; the job has compared the faces.</summary>
    /// <returns>The options with what the run decided at its beginning.</returns>
    /// <exception cref="FaceDistillException">The checkpoint belongs to another run; the message says by what.</exception>
    public static DistillOptions Require(
        StudentCheckpoint checkpoint, DistillOptions asked, StudentDescription description, string folder)
    {
        var options = asked.With(checkpoint.Options);
        if (!Same(checkpoint.Options, asked))
        {
            throw new FaceDistillException($"{checkpoint.Path} belongs to a run with other options; resume with the same ones, or choose another --output");
        }

        if (checkpoint.Description.TeacherHash != description.TeacherHash)
        {
            throw new FaceDistillException($"{checkpoint.Path} belongs to another teacher; choose another --output");
        }

        return checkpoint.State.Best is null || File.Exists(Path.Combine(folder, RunStudent.BestFileName)) ? options : throw new FaceDistillException(
            $"{folder} lacks {RunStudent.BestFileName}, the best student so far; put it back, or choose another --output");
    }

    /// <summary>Whether two runs' options make the same student.</summary>
    /// <param name="made">Those of a run's checkpoint.</param>
    /// <param name="asked">Those asked for.</param>
    public static bool Same(DistillOptions made, DistillOptions asked) => Text(made) == Text(asked.With(made));

    // The device and the time between checkpoints may change, the student that it started from may have been moved, minutes were turned into epochs,
    // and runs of before held out nobody and had no replicas.
    private static string Text(DistillOptions options) => JsonFile.Serialize(options with
    {
        Student = options.Student with { Init = options.Student.Init is null ? null : "" },
        Run = options.Run with { Device = "", CheckpointMinutes = 0, Minutes = null, Replicas = options.Run.Replicas ?? 1 },
        HeldOut = options.HeldOut with { People = options.HeldOut.People ?? 0 },
    });
}
