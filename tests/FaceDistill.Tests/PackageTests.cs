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
