namespace FaceDistill.Datasets;

/// <summary>A person of a list.</summary>
/// <param name="Name">As in image names.</param>
/// <param name="Images">How many images there are of them, numbered from 1.</param>
/// <param name="Set">From 0.</param>
public readonly record struct LfwPerson(string Name, int Images, int Set);

/// <summary>
/// LFW's list of people: peopleDevTrain.txt and peopleDevTest.txt (a line with their number, then "name, images" a line) or
/// people.txt (a line with the number of sets, then such a list for each set); fields between tabs.
/// </summary>
/// <param name="File">Where it was read.</param>
/// <param name="Sets">How many sets: 1 for the View 1 files.</param>
/// <param name="People">All people, set by set.</param>
public sealed record LfwPeople(string File, int Sets, IReadOnlyList<LfwPerson> People)
{
    /// <summary>Reads the list.</summary>
    /// <exception cref="FaceDistillException">Missing or malformed, or a person comes twice; the message names file and line.</exception>
    public static LfwPeople Read(string path)
    {
        var text = new LfwText(path);
        int first = ReadCount(text);
        var people = new List<LfwPerson>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        bool sets = text.FieldsAhead == 1;
        for (int set = 0; set < (sets ? first : 1); set++)
        {
            int count = sets ? ReadCount(text) : first;
            for (int i = 0; i < count; i++)
            {
                people.Add(ReadPerson(text, set, seen));
            }
        }

        text.End();
        return new LfwPeople(path, sets ? first : 1, people);
    }

    private static int ReadCount(LfwText text)
    {
        const string expected = "a number of people or sets";
        string[] fields = text.Next(expected);
        return fields.Length == 1 ? text.Number(fields[0], 1_000_000, expected) : throw text.Error(expected);
    }

    private static LfwPerson ReadPerson(LfwText text, int set, HashSet<string> seen)
    {
        const string expected = "name, number of images";
        string[] fields = text.Next(expected);
        if (fields.Length != 2)
        {
            throw text.Error(expected);
        }

        string name = text.Person(fields[0], expected);
        return seen.Add(name) ? new LfwPerson(name, text.Number(fields[1], 9999, expected), set) : throw text.Error("each person once");
    }
}
