using FaceDistill.Datasets;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Views;

namespace FaceDistill.Evaluation.Protocols;

/// <summary>
/// BLUFR (Liao, Lei, Yi, Li, "A benchmark study of large-scale unconstrained face recognition", IJCB 2014): in each trial, all
/// pairs of the test set are verified, and its probes searched in its gallery; told are the verification rate at FAR 0.1% and
/// the detection and identification rate at rank 1 and FAR 1%, as mean minus standard deviation over the trials.
/// </summary>
/// <remarks>
/// The toolkit rounds the number of permitted false accepts to the nearest and takes the last of them as threshold; here the
/// number is rounded down and scores that tie are rejected together, as everywhere in FaceDistill. A probe that ties with
/// another person counts as a miss; the toolkit leaves it to the sort.
/// </remarks>
internal static class Blufr
{
    /// <summary>The false accept rate of verification.</summary>
    public const double VerificationFar = 1e-3;

    /// <summary>The false alarm rate of open-set identification.</summary>
    public const double IdentificationFar = 1e-2;

    /// <summary>Runs all trials.</summary>
    /// <param name="set">The embeddings, each with its identity.</param>
    /// <param name="trials">Their test images.</param>
    /// <param name="job">Told how many trials are done.</param>
    /// <exception cref="FaceDistillException">An embedding is unusable, or a trial is too small for the rates.</exception>
    public static ModelResult Run(EmbeddingSet set, BlufrTrials trials, JobContext? job = null)
    {
        job ??= JobContext.None;
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(trials);
        var results = new List<BlufrTrialResult>();
        foreach (var (gallery, probes) in trials.Trials)
        {
            results.Add(RunTrial($"{set.Name}, trial {results.Count + 1} of {trials.Label}", set, gallery, probes, new JobContext(Cancel: job.Cancel)));
            job.Progress?.Report(new WorkProgress("BLUFR", results.Count, trials.Trials.Count, "trials"));
        }

        var blufr = new BlufrResult(
            set.Name, trials.Label, TrialRate.Of([.. results.Select(trial => trial.VerificationRate)]),
            TrialRate.Of([.. results.Select(trial => trial.IdentificationRate)]), trials.MissingImages.Count, results);
        return new ModelResult( // the pairs are those of all trials together
            set.Name, results.Max(trial => trial.Images), results.Sum(trial => trial.GenuinePairs), results.Sum(trial => trial.ImpostorPairs))
        {
            Blufr = blufr,
            Missing = trials.MissingImages,
        };
    }

    private static BlufrTrialResult RunTrial(string name, EmbeddingSet set, int[] gallery, int[] probes, JobContext job)
    {
        var part = set.Of([.. gallery, .. probes]);
        part = new EmbeddingSet(name, part.Dimension, part.Values, part.Paths, part.Identities); // errors name the trial
        var verification = ThresholdPass.Score(part, [VerificationFar], job: job);
        int[] rows = [.. Enumerable.Range(0, part.Count)];
        var openSet = Identification.OpenSet(
            part, rows[..gallery.Length], rows[gallery.Length..], [IdentificationFar], job);
        return verification.Points[0] is { } point && openSet.Points[0] is { } found
            ? new BlufrTrialResult
            {
                Images = part.Count,
                Identities = verification.Identities,
                GenuinePairs = verification.GenuinePairs,
                ImpostorPairs = verification.ImpostorPairs,
                Gallery = openSet.GalleryImages,
                GenuineProbes = openSet.KnownProbes,
                ImpostorProbes = openSet.UnknownProbes,
                VerificationRate = point.Tar,
                VerificationThreshold = point.Threshold,
                IdentificationRate = found.Dir,
                IdentificationThreshold = found.Threshold,
            }
            : throw new FaceDistillException(InvariantText.Of(
                $"{name}: {verification.ImpostorPairs:N0} impostor pairs and {openSet.UnknownProbes:N0} probes of others are too few; FAR 0.1% needs 1,000 and "
                    + $"FAR 1% needs 100"));
    }
}

/// <summary>How own trials are drawn; the defaults are those of the paper (section 3).</summary>
/// <param name="Trials">How many.</param>
/// <param name="TrainPeople">People left out of each test set: BLUFR trains on them, FaceDistill's models do not.</param>
/// <param name="GalleryPeople">People in the gallery, one image each.</param>
/// <param name="Seed">Decides the draw.</param>
internal sealed record BlufrDraw(int Trials = 10, int TrainPeople = 1500, int GalleryPeople = 1000, long Seed = 1);

/// <summary>The test images of BLUFR's trials as rows of an embedding set.</summary>
/// <param name="Label">Where they are from.</param>
/// <param name="Trials">Gallery and probe rows of each trial.</param>
/// <param name="MissingImages">Listed images that the set lacks, each once.</param>
internal sealed record BlufrTrials(string Label, IReadOnlyList<(int[] Gallery, int[] Probes)> Trials, IReadOnlyList<string> MissingImages)
{
    /// <summary>The label of trials that FaceDistill draws: they are not the published ones, and figures differ with the draw.</summary>
    public const string OwnLabel = "BLUFR-style, own random trials";

    /// <summary>The trials of the lists in a folder; where it has neither list, own random ones, which say so in their label.</summary>
    /// <param name="set">The embeddings.</param>
    /// <param name="folder">The data set's folder; the lists lie in it or in its sub-folder "blufr". Null for none.</param>
    /// <param name="draw">How own trials are drawn; null for the paper's sizes.</param>
    /// <exception cref="FaceDistillException">A list is malformed or lacks its fellow, or there are too few people.</exception>
    public static BlufrTrials In(EmbeddingSet set, string? folder, BlufrDraw? draw = null) =>
        PlaceIn(folder) is { } place ? Of(set, BlufrLists.Read(place)) : Draw(set, draw);

    /// <summary>Where a data set's folder has the lists; null where it has none.</summary>
    public static string? PlaceIn(string? folder) => Array.Find<string>(folder is null ? [] : [folder, Path.Combine(folder, "blufr")], HasList);

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
        var firsts = new Dictionary<int[], int>(); // where a person begins among all images in order, so that the set's own order makes no other draw
        int place = 0;
        foreach (int[] person in people)
        {
            firsts[person] = place;
            place += person.Length;
        }

        return new BlufrTrials(OwnLabel, [.. Enumerable.Range(0, draw.Trials).Select(trial => Draw(set.Name, people, firsts, draw, trial))], []);
    }

    private static (int[] Gallery, int[] Probes) Draw(string name, int[][] people, Dictionary<int[], int> firsts, BlufrDraw draw, int trial)
    {
        int[][] test = [.. SeededChoice.Permutation(people.Length, draw.Seed, trial).Skip(draw.TrainPeople).Select(i => people[i])];
        int[][] known = [.. test.Where(person => person.Length > 1).Take(draw.GalleryPeople)]; // the test people are in random order
        if (known.Length < draw.GalleryPeople || test.Length == known.Length)
        {
            throw new FaceDistillException($"{name}: trial {trial + 1} has {test.Length} people after {draw.TrainPeople} for training, "
                + $"{test.Count(person => person.Length > 1)} of them with two images; BLUFR needs {draw.GalleryPeople} such for the gallery, and others");
        }

        int[] gallery = [.. known.Select(person => person[(int)(SeededChoice.Bits(draw.Seed, trial, firsts[person], 1) % (ulong)person.Length)])];
        return (gallery, [.. test.SelectMany(person => person).Except(gallery)]);
    }
}
