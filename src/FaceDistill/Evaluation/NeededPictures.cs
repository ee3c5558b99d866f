using FaceDistill.Datasets;
using FaceDistill.Evaluation.Results;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation;

/// <summary>Which pictures of a data set a protocol measures: no other is aligned or embedded for it, and what is said of the faces is said of these.</summary>
internal static class NeededPictures
{
    /// <summary>Those that a protocol's lists beside the data name; all by a list that lies elsewhere.</summary>
    /// <param name="protocol">One of <see cref="Evaluator.Protocols"/>.</param>
    /// <param name="folder">As for <see cref="Evaluator.Run"/>.</param>
    /// <param name="options">As for <see cref="Evaluator.Run"/>.</param>
    /// <returns>Null for all.</returns>
    /// <exception cref="FaceDistillException">A list is missing or malformed.</exception>
    public static PictureChoice? Of(string protocol, string? folder, EvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return protocol switch
        {
            Evaluator.LfwView1Test => LfwPeople.Read(Evaluator.Find(protocol, folder, "peopleDevTest.txt")) is var people
                ? ByName(people.People.SelectMany(p => Enumerable.Range(1, p.Images).Select(n => LfwImage.Name(p.Name, n))), people.File) : null,
            Evaluator.LfwTenFold => LfwPairs.Read(Evaluator.Find(protocol, folder, "pairs.txt")) is var pairs
                ? ByName(pairs.Pairs.SelectMany(p => new[] { p.First, p.Second }), pairs.File) : null,
            Evaluator.Pairs when options.PairFile is null => Of(PairList.In(folder)),
            _ => null,
        };
    }

    /// <summary>Those that a list of pairs names, with or without the extension, which aligning may have changed.</summary>
    public static PictureChoice Of(PairList list)
    {
        ArgumentNullException.ThrowIfNull(list);
        var wanted = list.Pairs.SelectMany(p => new[] { p.First, p.Second }).SelectMany(ImagePaths.Spellings)
            .SelectMany(p => new[] { p, ImagePaths.Stem(p) }).ToHashSet(StringComparer.Ordinal);
        return new PictureChoice(path => wanted.Contains(path) || wanted.Contains(ImagePaths.Stem(path)), list.File);
    }

    /// <summary>The same of embeddings: those of the pictures that are measured; all where none is, which the protocol refuses with its own words.</summary>
    public static EmbeddingSet In(EmbeddingSet set, PictureChoice? choice)
    {
        ArgumentNullException.ThrowIfNull(set);
        int[] rows = choice is null ? [] : [.. Enumerable.Range(0, set.Count).Where(row => choice.Has(set.Paths[row]))];
        return rows.Length == 0 ? set : (rows.Length == set.Count ? set : set.Of(rows)).WithSkipped(choice!.Has);
    }

    private static PictureChoice ByName(IEnumerable<string> names, string list)
    {
        var wanted = names.ToHashSet(StringComparer.Ordinal);
        return new PictureChoice(path => wanted.Contains(LfwImage.NameOf(path)), list);
    }

}
