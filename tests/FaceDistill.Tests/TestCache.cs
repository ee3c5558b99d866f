using System.Runtime.CompilerServices;

namespace FaceDistill.Tests;

/// <summary>Keeps the tests out of the user's cache; the folder stays, so that a teacher is fetched once.</summary>
internal static class TestCache
{
    [ModuleInitializer]
    internal static void Use() => Environment.SetEnvironmentVariable(
        "FACEDISTILL_CACHE", Environment.GetEnvironmentVariable("FACEDISTILL_CACHE") ?? Path.Combine(Path.GetTempPath(), "facedistill-tests"));
}
