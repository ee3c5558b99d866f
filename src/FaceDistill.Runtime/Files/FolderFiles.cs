namespace FaceDistill.Files;

/// <summary>Something below a folder.</summary>
/// <param name="Path">Relative to the folder, with '/' between folders; a name that is not UTF-8 has U+FFFD where it is not.</param>
/// <param name="Reason">Why it cannot be read as a file, or entered as a folder; null for a file.</param>
/// <param name="Unknown">Whether what it holds could not be found out: pictures may be missing from the list.</param>
internal readonly record struct FolderFile(string Path, string? Reason, bool Unknown = false);

/// <summary>What lies below a folder.</summary>
/// <param name="Files">Everything but folders, and the folders that could not be entered, in ordinal order of their paths.</param>
/// <param name="Roots">The real paths of the folder and of those that links led to: what lies in one of them is in the list, or will be in the next.</param>
internal sealed record FolderListing(IReadOnlyList<FolderFile> Files, IReadOnlyList<string> Roots);

/// <summary>
/// Finds all files below a folder. Links are followed, to files and to folders, but to none that holds the link itself: each folder is entered once along a
/// path. A link inside a linked folder is followed only to a folder that was not listed yet, so that folders which all link to each other do not come in
/// every order.
/// </summary>
internal static class FolderFiles
{
    /// <summary>The reason of a name in other bytes than UTF-8: no path that .NET writes leads there.</summary>
    public const string NotUtf8 = "the name is not UTF-8";

    private const string Device = "a pipe, a socket or a device, not a file", TooLong = "the path is too long";

    /// <summary>Lists a folder; no file is opened.</summary>
    /// <exception cref="FaceDistillException">The folder, or one below it, cannot be listed.</exception>
    public static FolderListing List(string folder)
    {
        try
        {
            var walk = new Walk();
            walk.Enter(new Linked("", RealPath.Of(folder), []));
            while (walk.Links.TryDequeue(out var link))
            {
                walk.Follow(link);
            }

            walk.Found.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
            return new FolderListing(walk.Found, walk.Roots);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot list {folder}: {e.Message}", e);
        }
    }

    /// <summary>A folder to enter: its path in the list, where it really lies, and the folders that hold the links which led there.</summary>
    private sealed record Linked(string Path, string Real, string[] Holders);

    private sealed class Walk
    {
        private readonly HashSet<string> _entered = new(StringComparer.Ordinal);

        public List<FolderFile> Found { get; } = [];

        public List<string> Roots { get; } = [];

        public Queue<Linked> Links { get; } = new();

        public void Follow(Linked link)
        {
            if (link.Holders.Any(holder => RealPath.RealWithin(holder, link.Real)))
            {
                Found.Add(new FolderFile(link.Path, "a link to a folder that it lies in"));
            }
            else if (link.Holders.Length > 1 && _entered.Contains(link.Real))
            {
                Found.Add(new FolderFile(link.Path, "a link in a linked folder, to a folder that is listed already"));
            }
            else
            {
                Enter(link);
            }
        }

        // What lies in it without further links to folders.
        public void Enter(Linked folder)
        {
            Roots.Add(folder.Real);
            var ahead = new Stack<(string Path, string Real)>([(folder.Path, folder.Real)]);
            while (ahead.TryPop(out var here))
            {
                _entered.Add(here.Real);
                foreach (var names in Names(here.Path, here.Real).GroupBy(name => name, StringComparer.Ordinal))
                {
                    string path = here.Path.Length == 0 ? names.Key : $"{here.Path}/{names.Key}", real = System.IO.Path.Combine(here.Real, names.Key);
                    var kind = Kind(path, real);
                    if (names.Key.Contains('\ufffd', StringComparison.Ordinal))
                    {
                        // Names that are not UTF-8 may look like one another, and like one that truly has U+FFFD in it.
                        Found.AddRange(Enumerable.Repeat(new FolderFile(path, NotUtf8, true), names.Count() - (kind == FileKind.Missing ? 0 : 1)));
                    }

                    switch (kind)
                    {
                        case FileKind.File:
                            Found.Add(new FolderFile(path, null));
                            break;
                        case FileKind.Folder:
                            ahead.Push((path, real));
                            break;
                        case FileKind.Link:
                            Look(path, real, [.. folder.Holders, here.Real]);
                            break;
                        case FileKind.Other:
                            Found.Add(new FolderFile(path, Device));
                            break;
                    }
                }
            }
        }

        private FileKind? Kind(string path, string real)
        {
            try
            {
                return FileKinds.Of(real, follow: false);
            }
            catch (PathTooLongException)
            {
                Found.Add(new FolderFile(path, TooLong, true));
                return null;
            }
        }

        private void Look(string path, string link, string[] holders)
        {
            try
            {
                var kind = FileKinds.Of(link);
                if (kind == FileKind.Folder)
                {
                    Links.Enqueue(new Linked(path, RealPath.Of(link), holders));
                    return;
                }

                Found.Add(new FolderFile(path, kind switch { FileKind.File => null, FileKind.Missing => "a link that leads nowhere", _ => Device }));
            }
            catch (IOException e)
            {
                Found.Add(new FolderFile(path, $"a link that cannot be followed ({e.Message})", true));
            }
        }

        private string[] Names(string path, string real)
        {
            try
            {
                return [.. Directory.EnumerateFileSystemEntries(real).Select(entry => System.IO.Path.GetFileName(entry)).Order(StringComparer.Ordinal)];
            }
            catch (PathTooLongException)
            {
                Found.Add(new FolderFile(path, TooLong, true));
                return [];
            }
        }
    }
}
