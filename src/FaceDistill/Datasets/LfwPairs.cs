namespace FaceDistill.Datasets;

/// <summary>A pair of a verification protocol.</summary>
/// <param name="Fold">From 0.</param>
/// <param name="First">One image's name, for example "Aaron_Eckhart_0001".</param>
/// <param name="Second">The other's.</param>
/// <param name="Same">Whether both show one person.</param>
public readonly record struct LfwPair(int Fold, string First, string Second, bool Same);

/// <summary>
/// LFW's list of pairs (pairs.txt, pairsDevTrain.txt, pairsDevTest.txt): a line "folds, n" or, for a single fold, "n"; then for
/// each fold n lines "name, i, j" of one person and n lines "name, i, other name, j" of two; fields between tabs.
/// </summary>
/// <param name="File">Where it was read.</param>
/// <param name="Folds">How many folds.</param>
/// <param name="Pairs">All pairs, fold by fold.</param>
public sealed record LfwPairs(string File, int Folds, IReadOnlyList<LfwPair> Pairs)
{
    private const string SamePair = "name, number, number";
    private const string OtherPair = "name, number, other name, number";

    /// <summary>Reads the list.</summary>
    /// <exception cref="FaceDistillException">Missing or malformed; the message names file and line.</exception>
    public static LfwPairs Read(string path)
    {
        const string header = "the number of folds and of pairs";
        var text = new LfwText(path);
        string[] first = text.Next(header);
        if (first.Length > 2)
        {
            throw text.Error(header);
        }

        int folds = first.Length == 2 ? text.Number(first[0], 1000, header) : 1;
        int size = text.Number(first[^1], 1_000_000, header);
        var pairs = new List<LfwPair>();
        for (int fold = 0; fold < folds; fold++)
        {
            for (int i = 0; i < 2 * size; i++)
            {
                pairs.Add(i < size ? ReadSame(text, fold) : ReadOther(text, fold));
            }
        }

        text.End();
        return new LfwPairs(path, folds, pairs);
    }

    private static LfwPair ReadSame(LfwText text, int fold)
    {
        string[] f = text.Next(SamePair);
        if (f.Length != 3 || f[1] == f[2])
        {
            throw text.Error(SamePair);
        }

        string person = text.Person(f[0], SamePair);
        return new LfwPair(fold, Image(text, person, f[1], SamePair), Image(text, person, f[2], SamePair), Same: true);
    }

    private static LfwPair ReadOther(LfwText text, int fold)
    {
        string[] f = text.Next(OtherPair);
        if (f.Length != 4 || f[0] == f[2])
        {
            throw text.Error(OtherPair);
        }

        return new LfwPair(
            fold,
            Image(text, text.Person(f[0], OtherPair), f[1], OtherPair),
            Image(text, text.Person(f[2], OtherPair), f[3], OtherPair),
            Same: false);
    }

    private static string Image(LfwText text, string person, string number, string expected) =>
        LfwImage.Name(person, text.Number(number, 9999, expected));
}
