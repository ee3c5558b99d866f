namespace FaceDistill.Formats;

/// <summary>
/// Writes a file and the files that belong to it, all or none: they are made in a folder beside the target and moved into place when
/// everything is whole, the target last, so that where the target is new its companions are new too.
/// </summary>
public static class StagedFiles
{
    /// <summary>Makes the files.</summary>
    /// <param name="target">The file.</param>
    /// <param name="write">Writes it to the path that it is given, of the same file name, and its companions beside that.</param>
    /// <returns>The full paths of what was put in place: the target, then its companions in ordinal order.</returns>
    /// <exception cref="FaceDistillException">A file cannot be written; nothing is left behind.</exception>
    public static IReadOnlyList<string> Make(string target, Action<string> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        target = Path.GetFullPath(target);
        string folder = Path.GetDirectoryName(target)!, name = Path.GetFileName(target);
        string staged = Path.Combine(folder, FormattableString.Invariant($".{name}.{Environment.ProcessId}-{Guid.NewGuid():N}.part"));
        try
        {
            Directory.CreateDirectory(staged);
            write(Path.Combine(staged, name));
            string[] companions = [.. Directory.EnumerateFiles(staged).Select(f => Path.GetFileName(f)).Where(n => n != name).Order(StringComparer.Ordinal)];
            foreach (string file in companions.Append(name))
            {
                File.Move(Path.Combine(staged, file), Path.Combine(folder, file), overwrite: true);
            }

            return [target, .. companions.Select(file => Path.Combine(folder, file))];
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

    private static void TryDelete(string folder)
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
