namespace FaceDistill.Assets;

/// <summary>Makes folders that appear only when they are whole.</summary>
internal static class StagedFolder
{
    /// <summary>Makes a folder beside the target, lets <paramref name="fill"/> fill it and renames it; on any failure it goes.</summary>
    /// <exception cref="FaceDistillException">The target exists, or the disk refuses.</exception>
    public static void Make(string target, Action<string> fill)
    {
        target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        string staged = $"{target}.{Environment.ProcessId}-{Guid.NewGuid():N}.part";
        try
        {
            if (Directory.Exists(target) || File.Exists(target))
            {
                throw new FaceDistillException($"{target} exists already; delete or rename it and run the command again");
            }

            Directory.CreateDirectory(staged);
            fill(staged);
            Directory.Move(staged, target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot write {target}: {e.Message}", e);
        }
        finally
        {
            TryDelete(staged);
        }
    }

    /// <summary>Deletes a temporary folder; where that fails, the system's own clean-up has to do it.</summary>
    public static void TryDelete(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that brought us here is the one to report.
        }
    }
}
