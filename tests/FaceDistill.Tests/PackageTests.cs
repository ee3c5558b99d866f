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

    [Fact]
    public void The_sample_is_short_and_in_the_solution()
    {
        Assert.InRange(File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "samples", "CompareFaces", "Program.cs")).Length, 10, 39);
        Assert.Contains("CompareFaces.csproj", File.ReadAllText(Path.Combine(RepositoryRoot.Path, "FaceDistill.sln")), StringComparison.Ordinal);
    }

    // A line of an example that is not in the compiled file is a line that nobody has compiled.
    [Theory]
    [InlineData("FaceDistill")]
    [InlineData("FaceDistill.Runtime")]
    [InlineData("FaceDistill.Synthetic")]
    public void The_example_of_a_package_compiles(string library)
    {
        string text = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "src", library, "PACKAGE.md"));
        string[] fence = text.Split("```csharp\n")[1].Split("```")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
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
