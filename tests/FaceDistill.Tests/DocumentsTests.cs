using System.Text.RegularExpressions;

namespace FaceDistill.Tests;

public sealed partial class DocumentsTests
{
    [Fact]
    public void Every_link_leads_somewhere()
    {
        var broken = from file in Documents()
                     from Match link in Links().Matches(File.ReadAllText(file))
                     let target = link.Groups[1].Value
                     where !target.StartsWith("http", StringComparison.Ordinal) && !Exists(file, target)
                     select $"{Path.GetRelativePath(RepositoryRoot.Path, file)} -> {target}";
        Assert.Equal([], broken);
    }

    [Fact]
    public void The_readme_is_a_door()
    {
        string[] lines = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "README.md"));
        Assert.InRange(lines.Length, 30, 90);
        foreach (string page in Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "docs"), "*.md").Select(f => Path.GetFileName(f)!))
        {
            Assert.Contains(lines, l => l.Contains($"(docs/{page}", StringComparison.Ordinal));
        }
    }

    private static IEnumerable<string> Documents() =>
        new[] { "*.md", "docs/*.md", "eval/*.md", "teachers/*.md", "datasets/*.md", "samples/browser/*.md" }.SelectMany(pattern =>
            Directory.GetFiles(Path.Combine(RepositoryRoot.Path, Path.GetDirectoryName(pattern)!), Path.GetFileName(pattern)));

    private static bool Exists(string file, string target)
    {
        string[] parts = target.Split('#', 2);
        string page = parts[0].Length == 0 ? file : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, parts[0]));
        return Path.Exists(page) && (parts.Length == 1 || Headings().Matches(File.ReadAllText(page)).Any(h => Anchor(h.Groups[1].Value) == parts[1]));
    }

    // As GitHub names headings.
    private static string Anchor(string heading) =>
        string.Concat(heading.Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Links();

    [GeneratedRegex(@"^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Headings();
}
