using System.Text.Json.Nodes;
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
            var (values, keys) = Differences(checkpoint.Options, options);
            string further = keys is ["epochs"] or ["minutes"] ? $"; to train its student further: --init {Hints.Typed(folder)} --output NEW" : "";
            throw new FaceDistillException($"{checkpoint.Path} belongs to a run with other options ({string.Join("; ", values)}); resume with the same ones, "
                + $"or choose another --output{further}");
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

    /// <summary>How two processes' options differ, by the keys of a recipe; empty where they make the same student.</summary>
    /// <param name="made">One's.</param>
    /// <param name="asked">The other's.</param>
    public static string Difference(DistillOptions made, DistillOptions asked) => string.Join("; ", Differences(made, asked).Values);

    // By the keys of a recipe; what does not count is left out, what counts is told as it was given.
    private static (IReadOnlyList<string> Values, IReadOnlyList<string> Keys) Differences(DistillOptions made, DistillOptions asked)
    {
        var (there, here) = (Leaves(Text(made)), Leaves(Text(asked)));
        string[] keys = [.. there.Keys.Union(here.Keys).Where(key => there.GetValueOrDefault(key) != here.GetValueOrDefault(key))];
        var (told, now) = (Leaves(JsonFile.Serialize(made)), Leaves(JsonFile.Serialize(asked)));
        return ([.. keys.Select(key => $"{key}: {told.GetValueOrDefault(key) ?? "none"} there, {now.GetValueOrDefault(key) ?? "none"} here")], keys);
    }

    private static Dictionary<string, string> Leaves(string json)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        void Add(string key, JsonNode? node)
        {
            if (node is JsonObject group)
            {
                group.ToList().ForEach(member => Add(key.Length == 0 ? member.Key : $"{key}.{member.Key}", member.Value));
            }
            else if (node is not null)
            {
                found[key] = node.ToString();
            }
        }

        Add("", JsonNode.Parse(json));
        return found;
    }

    // The device, the time between checkpoints and the memory for pictures may change, the student that it started from may have been moved, and runs of
    // before held out nobody and had no replicas.
    private static string Text(DistillOptions options) => JsonFile.Serialize(options with
    {
        Student = options.Student with { Init = options.Student.Init is null ? null : "" },
        Run = options.Run with { Device = "", CheckpointMinutes = 0, PictureMemory = null, Replicas = options.Run.Replicas ?? 1 },
        HeldOut = options.HeldOut with { People = options.HeldOut.People ?? 0 },
    });
}
