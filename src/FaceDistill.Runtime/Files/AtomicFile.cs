namespace FaceDistill.Files;

/// <summary>
/// Writes files so that a reader sees the old one or the whole new one, never a part: the content goes to a file
/// beside the target, is flushed to the disk and renamed into place; on any failure the target stays as it was.
/// </summary>
internal static class AtomicFile
{
    /// <summary>Writes bytes.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written; the message names it and the reason.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        byte[] copy = content.ToArray();
        Write(path, stream => stream.Write(copy));
    }

    /// <summary>Writes UTF-8 text without a byte-order mark.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written; the message names it and the reason.</exception>
    public static void WriteText(string path, string content) => Write(path, System.Text.Encoding.UTF8.GetBytes(content));

    /// <summary>Writes what <paramref name="write"/> puts into the stream.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written; the message names it and the reason.</exception>
    public static void Write(string path, Action<Stream> write) => WriteBeside(path, temporary =>
    {
        using var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite);
        write(stream);
        stream.Flush(flushToDisk: true);
    });

    /// <summary>
    /// Writes bytes that can be made again, in great numbers: renamed into place like the others, but not flushed to the
    /// disk first, which would cost more than making them.
    /// </summary>
    /// <exception cref="FaceDistillException">The file cannot be written; the message names it and the reason.</exception>
    public static void WriteReplaceable(string path, byte[] content) =>
        WriteBeside(path, temporary => File.WriteAllBytes(temporary, content));

    /// <summary>Hands <paramref name="write"/> a temporary path beside the target to write to, then renames it into place.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written; the message names it and the reason.</exception>
    public static void WriteBeside(string path, Action<string> write)
    {
        string target = Path.GetFullPath(path);
        string temporary = $"{target}.{Environment.ProcessId}-{Guid.NewGuid():N}.part";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            write(temporary);
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot write {path}: {e.Message.Replace(temporary, target, StringComparison.Ordinal)}", e);
        }
        finally
        {
            TryDelete(temporary);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that brought us here is the one to report.
        }
    }
}

/// <summary>
/// Writes a file and the files that belong to it, all or none: they are made in a folder beside the target and moved into place when
/// everything is whole, the target last, so that where the target is new its companions are new too.
/// </summary>
internal static class StagedFiles
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
        string staged = Path.Combine(folder, InvariantText.Of($".{name}.{Environment.ProcessId}-{Guid.NewGuid():N}.part"));
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
        catch (FaceDistillException e) when (e.Message.Contains(staged, StringComparison.Ordinal))
        {
            throw new FaceDistillException(e.Message.Replace(staged, folder, StringComparison.Ordinal), e); // a folder that goes again
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot write {target}: {e.Message.Replace(staged, folder, StringComparison.Ordinal)}", e);
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
