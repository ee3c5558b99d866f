using System.Runtime.CompilerServices;

namespace FaceDistill.Tests;

/// <summary>
/// Keeps the tests out of the user's cache and of each other's, as tests of other versions or of another folder run at the same time: each process has its own.
/// What is fetched alone stays, so that a teacher is fetched once.
/// </summary>
internal static class TestCache
{
    private static string _own = "";

    /// <summary>A folder that lasts as long as the process.</summary>
    public static string Folder(string name) => Directory.CreateDirectory(Path.Combine(_own, "made", name)).FullName;

    [ModuleInitializer]
    internal static void Use()
    {
        string kept = Path.Combine(Path.GetTempPath(), "facedistill-tests", "models");
        string own = Directory.CreateTempSubdirectory("facedistill-tests-").FullName;
        Directory.CreateDirectory(kept);
        if (!OperatingSystem.IsWindows()) // where a link needs a right that few have
        {
            Directory.CreateSymbolicLink(Path.Combine(own, "models"), kept);
        }

        _own = own;
        Environment.SetEnvironmentVariable("FACEDISTILL_CACHE", own);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(own, recursive: true); // of the link the link alone
    }
}
