namespace FaceDistill.Tests;

/// <summary>The repository that the tests were built from.</summary>
internal static class RepositoryRoot
{
    /// <summary>Its folder.</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(System.IO.Path.Combine(folder.FullName, "FaceDistill.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("FaceDistill.sln is above no folder of the tests");
        }

        return folder.FullName;
    }
}
