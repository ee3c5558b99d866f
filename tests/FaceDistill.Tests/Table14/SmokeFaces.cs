using FaceDistill.Files;
using FaceDistill.Table14;

namespace FaceDistill.Tests.Table14;

/// <summary>The drawn faces of smoke runs: drawn once a process, as drawing them takes longer than training on them, and copied for each table.</summary>
internal static class SmokeFaces
{
    private static readonly Lazy<string> Drawn = new(() =>
    {
        string folder = TestCache.Folder("smoke-faces");
        var recipe = new Table14Recipe
        {
            Teacher = TinyTeacher.Write(Path.Combine(folder, "teacher")), Data = ["replaced"], Test = "replaced",
            SecondTest = new() { Data = "replaced" },
            Options = new() { Student = new() { Name = "mobilenet-v1:0.25@64" } }, Rows = [],
        };
        Table14Smoke.Of(recipe, Path.Combine(folder, "table"), JobContext.None);
        return Path.Combine(folder, "table", "faces");
    });

    /// <summary>Fills a table's folder with what its smoke run would draw.</summary>
    /// <param name="table">The table's folder.</param>
    /// <param name="second">The second test's faces too.</param>
    public static void CopyTo(string table, bool second = false)
    {
        foreach (string set in second ? new[] { "training", "test", "strangers" } : ["training", "test"])
        {
            TempFolder.Copy(Path.Combine(Drawn.Value, set), Path.Combine(table, "faces", set));
        }
    }
}
