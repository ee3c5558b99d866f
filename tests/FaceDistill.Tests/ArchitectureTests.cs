using System.Text.RegularExpressions;

namespace FaceDistill.Tests;

/// <summary>Data flows one way: a folder of the library uses only those before it, and the command line computes nothing.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string[] Order =
    [
        "Formats", "Assets", "Native", "Faces", "Datasets", "Teachers", "Students", "Distillation", "Evaluation", "Export", "Reporting", "Pipeline",
    ];

    internal static readonly string Root = RepositoryRoot.Path;

    [Fact]
    public void The_folders_are_those_of_the_order() => Assert.Equal(
        Order.Order(), Directory.GetDirectories(Path.Combine(Root, "src", "FaceDistill")).Select(Path.GetFileName).Where(n => n is not ("bin" or "obj")).Order());

    [Fact]
    public void A_folder_uses_only_those_before_it()
    {
        var wrong = from folder in Order
                    from file in Files(Path.Combine("FaceDistill", folder))
                    from Match used in Used().Matches(File.ReadAllText(file))
                    let other = Array.IndexOf(Order, used.Groups[1].Value)
                    where other > Array.IndexOf(Order, folder)
                    select $"{folder}/{Path.GetFileName(file)} uses {used.Value}";
        Assert.Empty(wrong.Distinct());
    }

    // Inside FaceDistill.Formats, "Faces.FaceTensor" means FaceDistill.Faces.FaceTensor without saying so.
    [Fact]
    public void A_folder_names_no_later_type_by_half_its_name()
    {
        var types = typeof(FaceDistillException).Assembly.GetTypes().Select(t => t.FullName).ToHashSet();
        var wrong = from folder in Order
                    from file in Files(Path.Combine("FaceDistill", folder))
                    from Match used in HalfName().Matches(File.ReadAllText(file))
                    where Array.IndexOf(Order, used.Groups[1].Value) > Array.IndexOf(Order, folder) && types.Contains("FaceDistill." + used.Value)
                    select $"{folder}/{Path.GetFileName(file)} uses {used.Value}";
        Assert.Empty(wrong.Distinct());
    }

    // It stands in the root for its users' sake, but after all folders in the order.
    [Fact]
    public void No_folder_uses_the_embedder_of_applications() => Assert.All(
        Order.SelectMany(folder => Files(Path.Combine("FaceDistill", folder))), file => Assert.DoesNotMatch(@"\bFaceEmbedder\b", WithoutComments(file)));

    [Fact]
    public void A_namespace_is_its_folder() => Assert.All(
        Order.SelectMany(folder => Files(Path.Combine("FaceDistill", folder)).Select(file => (folder, file))),
        f => Assert.Contains($"namespace FaceDistill.{f.folder};", File.ReadAllText(f.file), StringComparison.Ordinal));

    [Fact]
    public void The_command_line_computes_nothing()
    {
        Assert.All(Files("FaceDistill.Cli"), file => Assert.DoesNotMatch(@"using (static )?(TorchSharp|OpenCvSharp|Microsoft\.ML|MathNet|Parquet)|\b(TorchSharp|OpenCvSharp|OnnxRuntime|MathNet|Parquet)\.[A-Z]", WithoutComments(file)));
        Assert.DoesNotMatch("Include=\"(TorchSharp|OpenCvSharp|Microsoft\\.ML|MathNet|Parquet)", File.ReadAllText(Path.Combine(Root, "src", "FaceDistill.Cli", "FaceDistill.Cli.csproj")));
    }

    [Fact]
    public void Files_are_short() => Assert.Empty(
        Files("FaceDistill").Concat(Files("FaceDistill.Cli")).Concat(Files(Path.Combine("..", "tests"))).Where(f => File.ReadLines(f).Count() >= 300).Select(Path.GetFileName));

    private static string WithoutComments(string file) => string.Join('\n', File.ReadLines(file).Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal)));

    private static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(Path.Combine(Root, "src", folder), "*.cs", SearchOption.AllDirectories)
        .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    [GeneratedRegex(@"\bFaceDistill\.([A-Z]\w+)")]
    private static partial Regex Used();

    [GeneratedRegex(@"(?<![\w.])([A-Z]\w+)\.[A-Z]\w+")]
    private static partial Regex HalfName();
}
