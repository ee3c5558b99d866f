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
        string? temporary = null;
        try
        {
            temporary = Leftovers.Beside(target);
            write(temporary);
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot write {path}: {e.Message.Replace(temporary ?? path, path, StringComparison.Ordinal)}", e);
        }
        catch (FaceDistillException e) when (temporary is not null && e.Message.Contains(temporary, StringComparison.Ordinal))
        {
            throw new FaceDistillException(e.Message.Replace(temporary, path, StringComparison.Ordinal), e);
        }
        finally
        {
            if (temporary is not null)
            {
                Leftovers.Delete(temporary);
            }
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
        string? staged = null;
        try
        {
            staged = Leftovers.Beside(target, hidden: true);
            Directory.CreateDirectory(staged);
            write(Path.Combine(staged, name));
            string[] companions = [.. Directory.EnumerateFiles(staged).Select(f => Path.GetFileName(f)).Where(n => n != name).Order(StringComparer.Ordinal)];
            Place(staged, folder, [.. companions, name]);
            return [target, .. companions.Select(file => Path.Combine(folder, file))];
        }
        catch (FaceDistillException e) when (staged is not null && e.Message.Contains(staged, StringComparison.Ordinal))
        {
            throw new FaceDistillException(e.Message.Replace(staged, folder, StringComparison.Ordinal), e); // a folder that goes again
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot write {target}: {e.Message.Replace(staged ?? folder, folder, StringComparison.Ordinal)}", e);
        }
        finally
        {
            if (staged is not null)
            {
                Leftovers.Delete(staged);
            }
        }
    }

    /// <summary>Writes the texts of a folder, all or none.</summary>
    /// <param name="folder">The folder; made where it is missing.</param>
    /// <param name="files">Their names and texts (UTF-8 without a byte-order mark), the first put in place last; null deletes a file of an earlier set.</param>
    /// <exception cref="FaceDistillException">A file cannot be written; all are as they were.</exception>
    public static void WriteTexts(string folder, params (string Name, string? Text)[] files)
    {
        ArgumentNullException.ThrowIfNull(files);
        Make(Path.Combine(folder, files[0].Name), first =>
        {
            foreach (var (name, text) in files.Where(file => file.Text is not null))
            {
                using var stream = new FileStream(Path.Combine(Path.GetDirectoryName(first)!, name), FileMode.CreateNew);
                stream.Write(System.Text.Encoding.UTF8.GetBytes(text!));
                stream.Flush(flushToDisk: true);
            }
        });
        foreach (var (name, _) in files.Where(file => file.Text is null))
        {
            Leftovers.Delete(Path.Combine(folder, name));
        }
    }

    /// <summary>Moves files into place; where one cannot be replaced, those before it get their old contents again.</summary>
    private static void Place(string staged, string folder, IReadOnlyList<string> names)
    {
        var old = new List<(string Path, byte[]? Content)>();
        try
        {
            foreach (string name in names)
            {
                string path = Path.Combine(folder, name);
                byte[]? content = name != names[^1] && File.Exists(path) ? File.ReadAllBytes(path) : null; // after the last nothing can fail
                File.Move(Path.Combine(staged, name), path, overwrite: true);
                old.Add((path, content));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Leftovers.Delete(staged); // their place on the disk is needed now
            foreach (var (path, content) in old)
            {
                File.Delete(path);
                if (content is not null)
                {
                    AtomicFile.Write(path, content);
                }
            }

            throw;
        }
    }
}
