using FaceDistill.Assets;
using FaceDistill.Export;
using FaceDistill.Formats;
using FaceDistill.Reporting;

namespace FaceDistill.Pipeline;

/// <summary>Times all files of a table and the teacher's in turns in one run, so that their ratios hold; what was timed before is kept.</summary>
/// <param name="recipe">The table's recipe.</param>
/// <param name="output">The table's folder.</param>
/// <param name="finder">Finds the teacher's file.</param>
/// <param name="say">Told in one line what is done.</param>
internal sealed class Table14Timing(Table14Recipe recipe, string output, AssetFinder finder, Action<string>? say)
{
    /// <summary>The speed of the finished rows' files; null where none is finished.</summary>
    /// <param name="lines">The finished rows.</param>
    /// <param name="folderOf">The run folder of a student.</param>
    /// <param name="progress">Told of every round.</param>
    /// <param name="cancel">Stops between rounds.</param>
    /// <exception cref="FaceDistillException">A file that was never timed is gone.</exception>
    public Table14Speed? Of(IReadOnlyList<Table14Line> lines, Func<string, string> folderOf, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        string file = Path.Combine(output, Table14Speed.FileName);
        if (lines.Count == 0 || (File.Exists(file) && JsonFile.Read<Table14Speed>(file) is var known && known.IsOf(lines)))
        {
            return lines.Count == 0 ? null : JsonFile.Read<Table14Speed>(file);
        }

        say?.Invoke("timing all files; other work on this machine disturbs it");
        string[] models = [.. lines.SelectMany(l => new ExportFormat[] { new OnnxFormat(), new OnnxInt8Format() }, (l, format) => Path.Combine(folderOf(l.Student), format.DefaultFile)), $"teacher:{recipe.Teacher}"];
        var bench = new BenchmarkJob(finder, say).Run(new BenchmarkRequest(models, [], null, null, null, recipe.Options.Device, recipe.BenchRounds, null), progress, cancel).Models;
        var speed = new Table14Speed(new Table14TeacherFile(bench[^1].FileBytes, bench[^1].MultAdds, bench[^1].Parameters, bench[^1].LatencyMs.P50),
            [.. lines.Select((l, i) => StudentOf(l, bench[2 * i], bench[(2 * i) + 1]))]);
        JsonFile.Write(file, speed);
        return speed;
    }

    private static Table14StudentSpeed StudentOf(Table14Line line, BenchmarkModelJson own, BenchmarkModelJson int8) =>
        new(line.Student, line.Files.OnnxSha256, line.Files.Int8Sha256, own.LatencyMs.P50, int8.LatencyMs.P50, own.Speedup, int8.Speedup);
}
