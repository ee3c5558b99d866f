using System.Xml.Linq;

namespace FaceDistill.Tests;

/// <summary>What the projects say about packages; .ci/pack makes them and looks inside.</summary>
public sealed class PackageTests
{
    [Fact]
    public void The_library_leaves_the_native_runtimes_to_the_program()
    {
        var references = XDocument.Load(Path.Combine(RepositoryRoot.Path, "src", "FaceDistill", "FaceDistill.csproj")).Descendants("PackageReference")
            .Select(r => r.Attribute("Include")!.Value).ToList();
        Assert.Contains("TorchSharp", references);
        Assert.DoesNotContain(
            references, r => r.Contains("libtorch", StringComparison.OrdinalIgnoreCase) || r.Contains("runtime.", StringComparison.OrdinalIgnoreCase));
    }

    // Two packages that both bring libonnxruntime would overwrite each other's.
    [Fact]
    public void The_CUDA_build_of_ONNX_Runtime_stands_in_place_of_the_other()
    {
        var groups = XDocument.Load(Path.Combine(RepositoryRoot.Path, "src", "FaceDistill.Runtime", "FaceDistill.Runtime.csproj")).Descendants("ItemGroup")
            .Select(g => (Condition: g.Attribute("Condition")?.Value, Packages: g.Elements("PackageReference").Select(r => r.Attribute("Include")!.Value)
                .Where(p => p.StartsWith("Microsoft.ML.OnnxRuntime", StringComparison.Ordinal)).ToList())).Where(g => g.Packages.Count > 0).ToList();
        Assert.Equal(["'$(OnnxRuntime)' != 'cuda'", "'$(OnnxRuntime)' == 'cuda'"], groups.Select(g => g.Condition));
        Assert.Equal(["Microsoft.ML.OnnxRuntime"], groups[0].Packages);
        Assert.Equal(["Microsoft.ML.OnnxRuntime.Gpu.Linux", "Microsoft.ML.OnnxRuntime.Gpu.Windows"], groups[1].Packages);
        var others = Directory.EnumerateFiles(RepositoryRoot.Path, "*.csproj", SearchOption.AllDirectories).Where(f => !f.EndsWith("FaceDistill.Runtime.csproj",
            StringComparison.Ordinal) && !f.Contains("artifacts", StringComparison.Ordinal));
        Assert.All(others, f => Assert.DoesNotContain("Microsoft.ML.OnnxRuntime", File.ReadAllText(f), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("CompareFaces", 39)]
    [InlineData("EvaluateModels", 59)]
    [InlineData("TrainStudent", 59)]
    public void A_sample_is_short_and_in_the_solution(string sample, int most)
    {
        Assert.InRange(File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "samples", sample, "Program.cs")).Length, 10, most);
        Assert.Contains($"{sample}.csproj", File.ReadAllText(Path.Combine(RepositoryRoot.Path, "FaceDistill.sln")), StringComparison.Ordinal);
    }

    // A line of an example that is not in the compiled file is a line that nobody has compiled.
    [Theory]
    [InlineData("FaceDistill")]
    [InlineData("FaceDistill.Runtime")]
    [InlineData("FaceDistill.Synthetic")]
    public void The_example_of_a_package_compiles(string library)
    {
        string text = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "src", library, "PACKAGE.md"));
        string[] fence = [.. text.Split("```csharp\n").Skip(1).SelectMany(part => part.Split("```")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries))];
        Assert.NotEmpty(fence);
        var compiled = File.ReadLines(Path.Combine(RepositoryRoot.Path, "tests", "FaceDistill.Tests", "Samples", "PackageExamples.cs"))
            .Select(line => line.Trim()).Append("using FaceDistill;").ToHashSet();
        Assert.All(fence, line => Assert.Contains(line.Trim(), compiled));
    }

    [Theory]
    [InlineData("FaceDistill.Runtime")]
    [InlineData("FaceDistill.Synthetic")]
    public void Nor_do_the_others_bring_native_runtimes(string library) => Assert.DoesNotContain(
        "runtime.", File.ReadAllText(Path.Combine(RepositoryRoot.Path, "src", library, library + ".csproj")), StringComparison.Ordinal);
}
