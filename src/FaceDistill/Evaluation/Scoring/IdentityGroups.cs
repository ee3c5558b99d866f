using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>
/// Orders faces so that those of one identity stand together: then row i's genuine partners are the rows up to the end of
/// its group, its impostors all rows from there on, and no pair has to be asked who it is.
/// </summary>
internal sealed class IdentityGroups
{
    /// <summary>Groups by identity, ordinal, in order of first appearance.</summary>
    public IdentityGroups(IReadOnlyList<string> identities)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        int[] group = new int[identities.Count];
        var sizes = new List<int>();
        for (int i = 0; i < group.Length; i++)
        {
            if (!numbers.TryGetValue(identities[i], out group[i]))
            {
                numbers[identities[i]] = group[i] = sizes.Count;
                sizes.Add(0);
            }

            sizes[group[i]]++;
        }

        Identities = sizes.Count;
        GenuinePairs = sizes.Sum(size => (long)size * (size - 1) / 2);
        ImpostorPairs = ((long)group.Length * (group.Length - 1) / 2) - GenuinePairs;
        Names = [.. numbers.OrderBy(entry => entry.Value).Select(entry => entry.Key)];
        Sizes = [.. sizes];
        Order = new int[group.Length];
        End = new int[group.Length];
        Group = new int[group.Length];
        Place(group, sizes);
    }

    /// <summary>Original row of each ordered row.</summary>
    public int[] Order { get; }

    /// <summary>For each ordered row, the first row after its group.</summary>
    public int[] End { get; }

    /// <summary>For each ordered row, the number of its identity, in order of first appearance.</summary>
    public int[] Group { get; }

    /// <summary>The identities by their numbers.</summary>
    public string[] Names { get; }

    /// <summary>How many rows each identity has.</summary>
    public int[] Sizes { get; }

    /// <summary>How many identities there are.</summary>
    public int Identities { get; }

    /// <summary>Pairs of two faces of one identity.</summary>
    public long GenuinePairs { get; }

    /// <summary>Pairs of faces of two identities.</summary>
    public long ImpostorPairs { get; }

    /// <summary>Refuses sets that cannot be scored.</summary>
    /// <exception cref="FaceDistillException">An identity is missing, or there is no genuine or no impostor pair.</exception>
    public static IdentityGroups Of(EmbeddingSet set)
    {
        CheckNames(set.Name, set.Identities, row => set.Paths[row]);
        var groups = new IdentityGroups(set.Identities);
        groups.CheckPairs(set.Name);
        return groups;
    }

    /// <summary>Refuses a face of which nobody knows whom it shows.</summary>
    public static void CheckNames(string name, IReadOnlyList<string> identities, Func<int, string> path)
    {
        for (int row = 0; row < identities.Count; row++)
        {
            if (string.IsNullOrWhiteSpace(identities[row]))
            {
                throw new FaceDistillException($"{name}: {RowNames.Of(path(row), row)} has no identity; "
                    + "put each person's images into a folder of their own, and only theirs: 'align' without --all-faces takes the face that a photo is of");
            }
        }
    }

    /// <summary>Refuses sets without a genuine or without an impostor pair.</summary>
    public void CheckPairs(string name)
    {
        if (ImpostorPairs == 0)
        {
            throw new FaceDistillException($"{name}: no impostor pair, all {Order.Length} images are of {Identities} identity; "
                + "accuracy needs at least two identities");
        }

        if (GenuinePairs == 0)
        {
            throw new FaceDistillException($"{name}: no genuine pair, each of the {Identities} identities has one image; "
                + "accuracy needs two images of somebody");
        }

        if (GenuinePairs > Array.MaxLength)
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{name}: {GenuinePairs:N0} genuine pairs are more than the {Array.MaxLength:N0} that can be kept; evaluate fewer images an identity"));
        }
    }

    private void Place(int[] group, List<int> sizes)
    {
        int[] next = new int[sizes.Count];
        for (int g = 1; g < next.Length; g++)
        {
            next[g] = next[g - 1] + sizes[g - 1];
        }

        int[] ends = [.. next.Select((start, g) => start + sizes[g])];
        for (int i = 0; i < group.Length; i++)
        {
            int row = next[group[i]]++;
            Order[row] = i;
            End[row] = ends[group[i]];
            Group[row] = group[i];
        }
    }
}

/// <summary>What messages call a row of a set.</summary>
internal static class RowNames
{
    /// <summary>The beginning of the names of faces that have no path, before their row in a matrix, from 0: "row 0", "row 1", ...</summary>
    public const string Numbered = "row ";

    /// <summary>The row, from 1, and its path; or the name that is a row already.</summary>
    public static string Of(EmbeddingSet set, int row)
    {
        ArgumentNullException.ThrowIfNull(set);
        return Of(set.Paths[row], row);
    }

    /// <summary>As for a set.</summary>
    public static string Of(string path, int row)
    {
        bool numbered = path.StartsWith(Numbered, StringComparison.Ordinal) && path.AsSpan(Numbered.Length).IndexOfAnyExceptInRange('0', '9') < 0;
        return numbered ? $"{path} (the first is 0)" : InvariantText.Of($"row {row + 1} ({path})");
    }
}
