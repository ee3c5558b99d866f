using FaceDistill.Datasets;
using FaceDistill.Distillation;
using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

/// <summary>How own trials are drawn; the defaults are those of the paper (section 3).</summary>
/// <param name="Trials">How many.</param>
/// <param name="TrainPeople">People left out of each test set: BLUFR trains on them, FaceDistill's models do not.</param>
/// <param name="GalleryPeople">People in the gallery, one image each.</param>
/// <param name="Seed">Decides the draw.</param>
public sealed record BlufrDraw(int Trials = 10, int TrainPeople = 1500, int GalleryPeople = 1000, long Seed = 1);

/// <summary>The test images of BLUFR's trials as rows of an embedding set.</summary>
/// <param name="Label">Where they are from.</param>
/// <param name="Trials">Gallery and probe rows of each trial.</param>
/// <param name="MissingImages">Listed images that the set lacks, each once.</param>
public sealed record BlufrTrials(string Label, IReadOnlyList<(int[] Gallery, int[] Probes)> Trials, IReadOnlyList<string> MissingImages)
{
    /// <summary>The label of trials that FaceDistill draws: they are not the published ones, and figures differ with the draw.</summary>
    public const string OwnLabel = "BLUFR-style, own random trials";

    /// <summary>The trials of the lists in a folder; where it has neither list, own random ones, which say so in their label.</summary>
    /// <param name="set">The embeddings.</param>
    /// <param name="folder">The data set's folder; the lists lie in it or in its sub-folder "blufr". Null for none.</param>
    /// <param name="draw">How own trials are drawn; null for the paper's sizes.</param>
    /// <exception cref="FaceDistillException">A list is malformed or lacks its fellow, or there are too few people.</exception>
    public static BlufrTrials In(EmbeddingSet set, string? folder, BlufrDraw? draw = null)
    {
        string[] places = folder is null ? [] : [folder, Path.Combine(folder, "blufr")];
        return Array.Find(places, HasList) is { } place ? Of(set, BlufrLists.Read(place)) : Draw(set, draw);
    }

    private static bool HasList(string folder) =>
        File.Exists(Path.Combine(folder, BlufrLists.GalleryFile)) || File.Exists(Path.Combine(folder, BlufrLists.ProbeFile));

    /// <summary>Finds the images of trial lists.</summary>
    /// <param name="set">The embeddings; found by file name, whatever folder and extension.</param>
    /// <param name="lists">The lists.</param>
    /// <exception cref="FaceDistillException">Two images have one file name.</exception>
    public static BlufrTrials Of(EmbeddingSet set, BlufrLists lists)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(lists);
        var index = new LfwIndex(set);
        var missing = new SortedSet<string>(StringComparer.Ordinal);
        int[] Rows(IReadOnlyList<string> images)
        {
            var rows = new List<int>();
            foreach (string image in images)
            {
                int row = index.Row(LfwImage.NameOf(image));
                if (row < 0)
                {
                    missing.Add(image);
                }
                else
                {
                    rows.Add(row);
                }
            }

            return [.. rows];
        }

        var trials = lists.Trials.Select(trial => (Rows(trial.Gallery), Rows(trial.Probes))).ToList();
        return new BlufrTrials($"BLUFR, trials of {lists.Folder}", trials, [.. missing]);
    }

    /// <summary>
    /// Draws trials as the paper describes them: in each, some people go to training; of the others, some who have two images
    /// or more give one image, any of theirs, to the gallery, and all images else are probes.
    /// </summary>
    /// <param name="set">The embeddings, each with its identity.</param>
    /// <param name="draw">How; null for the paper's sizes.</param>
    /// <exception cref="FaceDistillException">An identity is missing, or there are too few people.</exception>
    public static BlufrTrials Draw(EmbeddingSet set, BlufrDraw? draw = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        draw ??= new BlufrDraw();
        if (draw.Trials < 1 || draw.TrainPeople < 0 || draw.GalleryPeople < 1)
        {
            throw new FaceDistillException($"{draw.Trials} trials, {draw.TrainPeople} training and {draw.GalleryPeople} gallery people make no BLUFR draw");
        }

        IdentityGroups.Of(set);
        int[][] people = [.. Enumerable.Range(0, set.Count).GroupBy(row => set.Identities[row], StringComparer.Ordinal)
            .OrderBy(person => person.Key, StringComparer.Ordinal)
            .Select(person => person.OrderBy(row => set.Paths[row], StringComparer.Ordinal).ToArray())];
        return new BlufrTrials(OwnLabel, [.. Enumerable.Range(0, draw.Trials).Select(trial => Draw(set.Name, people, draw, trial))], []);
    }

    private static (int[] Gallery, int[] Probes) Draw(string name, int[][] people, BlufrDraw draw, int trial)
    {
        int[][] test = [.. SeededChoice.Permutation(people.Length, draw.Seed, trial).Skip(draw.TrainPeople).Select(i => people[i])];
        int[][] known = [.. test.Where(person => person.Length > 1).Take(draw.GalleryPeople)]; // the test people are in random order
        if (known.Length < draw.GalleryPeople || test.Length == known.Length)
        {
            throw new FaceDistillException($"{name}: trial {trial + 1} has {test.Length} people after {draw.TrainPeople} for training, "
                + $"{test.Count(person => person.Length > 1)} of them with two images; BLUFR needs {draw.GalleryPeople} such for the gallery, and others");
        }

        int[] gallery = [.. known.Select(person => person[(int)(SeededChoice.Bits(draw.Seed, trial, person[0], 1) % (ulong)person.Length)])];
        return (gallery, [.. test.SelectMany(person => person).Except(gallery)]);
    }
}
