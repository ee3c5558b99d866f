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
    private readonly string _file = Path.Combine(output, Table14Speed.FileName);

    /// <summary>
    /// The speed of the finished rows' files; null where none is here and none was timed. Where all that are here were timed before, that is
    /// kept; else all that are here are timed anew, so that one table's figures are of one run.
    /// </summary>
    /// <param name="lines">The finished rows.</param>
    /// <param name="folderOf">The run folder of a student.</param>
    /// <param name="progress">Told of every round.</param>
    /// <param name="cancel">Stops between rounds.</param>
    /// <exception cref="FaceDistillException">The teacher's file is gone, or speed.json is damaged.</exception>
    public Table14Speed? Of(IReadOnlyList<Table14Line> lines, Func<string, string> folderOf, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        var known = File.Exists(_file) ? JsonFile.Read<Table14Speed>(_file) : null;
        string[] Files(Table14Line line) => [.. new ExportFormat[] { new OnnxFormat(), new OnnxInt8Format() }.Select(f => Path.Combine(folderOf(line.Student), f.DefaultFile))];
        var here = lines.Where(l => Files(l).All(File.Exists)).ToList();
        if (here.Count == 0 || known?.Holds(here) == true)
        {
            return here.Count > 0 || known?.Holds(lines) == true ? known : null;
        }

        say?.Invoke("timing all files; other work on this machine disturbs it");
        string[] models = [.. here.SelectMany(Files), $"teacher:{recipe.Teacher}"];
        var bench = new BenchmarkJob(finder, say).Run(new BenchmarkRequest(models, [], null, null, null, recipe.Options.Device, recipe.BenchRounds, null), progress, cancel).Models;
        var teacher = bench[^1];
        var speed = new Table14Speed(new Table14TeacherFile(teacher.Name, teacher.FileBytes, teacher.MultAdds, teacher.Parameters, teacher.LatencyMs.P50),
            [.. here.Select((l, i) => StudentOf(l, bench[2 * i], bench[(2 * i) + 1]))]);
        JsonFile.Write(_file, speed);
        return speed;
    }

    private static Table14StudentSpeed StudentOf(Table14Line line, BenchmarkModelJson own, BenchmarkModelJson int8) =>
        new(line.Student, line.Files.OnnxSha256, line.Files.Int8Sha256, own.LatencyMs.P50, int8.LatencyMs.P50, own.Speedup, int8.Speedup);
}
