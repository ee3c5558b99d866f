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
}
