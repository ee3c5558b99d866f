using FaceDistill.Datasets;
using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

/// <summary>The part of a set that shows the people of LFW's View 1 test list; its people are not in the training list.</summary>
/// <param name="Set">The images of those people, each with the name in its file name as its identity.</param>
/// <param name="MissingImages">Listed images that the whole set lacks.</param>
public sealed record LfwView1(EmbeddingSet Set, IReadOnlyList<string> MissingImages)
{
    /// <summary>Takes the listed images out of a set.</summary>
    /// <exception cref="FaceDistillException">None of them is there.</exception>
    public static LfwView1 Of(EmbeddingSet set, LfwPeople people)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(people);
        var index = new LfwIndex(set);
        var rows = new List<int>();
        var names = new Dictionary<int, string>();
        var missing = new List<string>();
        foreach (var person in people.People)
        {
            for (int number = 1; number <= person.Images; number++)
            {
                string image = LfwImage.Name(person.Name, number);
                int row = index.Row(image);
                if (row >= 0)
                {
                    rows.Add(row);
                    names[row] = person.Name;
                }
                else
                {
                    missing.Add(image);
                }
            }
        }

        return rows.Count > 0 ? new LfwView1(EmbeddingRows.Take(set, rows, row => names[row]), missing)
            : throw new FaceDistillException($"{set.Name}: none of the {missing.Count} images of {people.File} is there; embed LFW");
    }
}
