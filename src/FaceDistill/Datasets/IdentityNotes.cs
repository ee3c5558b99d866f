using FaceDistill.Files;

namespace FaceDistill.Datasets;

/// <summary>What the names of people, that is of folders, and the bytes of their pictures say against each other.</summary>
internal static class IdentityNotes
{
    /// <summary>
    /// A line where one name stands in several folders: the whole path below the data set is the identity, so <c>2020/alice</c> and <c>2021/alice</c> are
    /// two people.
    /// </summary>
    /// <param name="identities">The faces' identities, in any order and number.</param>
    /// <returns>Null where every last folder's name is there once.</returns>
    public static string? OneNameInSeveralFolders(IEnumerable<string> identities)
    {
        var names = identities.Distinct(StringComparer.Ordinal).GroupBy(identity => identity[(identity.LastIndexOf('/') + 1)..], StringComparer.Ordinal)
            .Where(name => name.Key.Length > 0 && name.Count() > 1).OrderBy(name => name.Key, StringComparer.Ordinal).ToList();
        if (names.Count == 0)
        {
            return null;
        }

        string[] example = [.. names[0].Order(StringComparer.Ordinal).Take(2)];
        return InvariantText.Of($"note: {names.Count} folder {(names.Count == 1 ? "name stands" : "names stand")} in several folders, and each counts as a ")
            + $"person of its own ({example[0]}, {example[1]}{(names.Count > 1 || names[0].Count() > 2 ? ", ..." : "")}); where they are one person, put their "
            + "pictures into one folder";
    }

    /// <summary>Tells that line, where there is one.</summary>
    public static void Tell(IEnumerable<string> identities, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(job);
        if (OneNameInSeveralFolders(identities) is { } note)
        {
            job.Say?.Invoke(note);
        }
    }

    /// <summary>Files of equal bytes that lie under several people: such a pair counts as two strangers with a score of 1.</summary>
    /// <param name="files">Path, identity and content hash of each picture; looked through twice.</param>
    /// <returns>For each content that several people have, its files, one a person, in ordinal order of their paths; the contents likewise.</returns>
    public static IReadOnlyList<IReadOnlyList<(string Path, string Identity)>> OneFileUnderSeveralPeople(
        IEnumerable<(string Path, string Identity, ContentHash Hash)> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var (seen, again) = (new HashSet<ContentHash>(), new HashSet<ContentHash>());
        again.UnionWith(files.Where(file => file.Identity.Length > 0 && !seen.Add(file.Hash)).Select(file => file.Hash)); // few, of many
        return
        [
            .. files.Where(file => file.Identity.Length > 0 && again.Contains(file.Hash)).GroupBy(file => file.Hash)
                .Select(same => same.OrderBy(file => file.Path, StringComparer.Ordinal).DistinctBy(file => file.Identity, StringComparer.Ordinal)
                    .Select(file => (file.Path, file.Identity)).ToArray())
                .Where(people => people.Length > 1).OrderBy(people => people[0].Path, StringComparer.Ordinal),
        ];
    }

    /// <summary>A line of warning for them; null where there are none.</summary>
    public static string? Warning(IReadOnlyList<IReadOnlyList<(string Path, string Identity)>> same)
    {
        ArgumentNullException.ThrowIfNull(same);
        return same.Count == 0 ? null
            : InvariantText.Of($"warning: {same.Count} {(same.Count == 1 ? "picture lies" : "pictures lie")} byte for byte under several people ")
                + $"({same[0][0].Path} and {same[0][1].Path}{(same.Count > 1 ? ", ..." : "")}): one of them has the wrong name, or two folders are one "
                    + $"person's";
    }
}
