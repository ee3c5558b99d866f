using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Agreement;

public sealed class CrossModelSearchTests
{
    private static readonly double[] Fars = [0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-5];

    [Theory]
    [InlineData(1700, 24, 15, 200)] // several tiles; the bound rises
    [InlineData(900, 2, 1, 60)]     // many ties
    [InlineData(600, 4, 0, 40)]     // constant
    [InlineData(5, 2, 3, 2)]
    [InlineData(600, 16, 9, 598)]   // mostly single images
    public void Agrees_with_the_naive_twin(int faces, int dimension, int largest, int people)
    {
        var random = new Random(faces);
        float[] teacher = Sets.Exact(random, faces, dimension, largest), student = Sets.Exact(random, faces, dimension, largest);
        var groups = new IdentityGroups([.. Enumerable.Range(0, faces).Select(i => $"p{(i < people ? i : random.Next(people))}")]);
        int[] person = new int[faces];
        for (int row = 1; row < faces; row++)
        {
            person[row] = person[row - 1] + (groups.End[row - 1] == row ? 1 : 0);
        }

        foreach (double[] fars in new[] { Fars, Fars[2..] })
        {
            var actual = CrossModelSearch.Score(new ScoredVectors(teacher, dimension), new ScoredVectors(student, dimension), groups, fars);
            Compare(teacher, student, dimension, person, actual);
        }
    }

    [Fact]
    public void Students_in_another_order_are_matched_by_path_and_one_like_the_teacher_gives_the_teachers_rates()
    {
        var teacher = SignSets.Of("teacher", 1, 500, 50, 3);
        var same = CrossModelSearch.Run(teacher, SignSets.Student(teacher, 2, 0), Fars);
        Assert.Equal(same[0].TarAtFar, same[1].TarAtFar);
        Assert.Equal(same[0].ThresholdAtFar, same[1].ThresholdAtFar);
        Assert.Equal(2 * same[0].ImpostorPairs, same[2].ImpostorPairs);
        foreach (string far in new[] { "5e-1", "1e-1", "1e-2", "1e-3" }) // every pair comes twice: the same thresholds and rates
        {
            Assert.NotNull(same[0].TarAtFar[far]);
            Assert.Equal((same[0].ThresholdAtFar[far], same[0].TarAtFar[far]), (same[2].ThresholdAtFar[far], same[2].TarAtFar[far]));
        }

        var other = CrossModelSearch.Run(teacher, SignSets.Student(teacher, 2, 6), Fars);
        Assert.True(other[2].TarAtFar["1e-2"] < same[2].TarAtFar["1e-2"]);
    }

    [Fact]
    public void What_the_evaluation_scored_is_not_scored_again()
    {
        var teacher = SignSets.Of("teacher", 1, 500, 50, 3);
        EmbeddingSet[] sets = [teacher, SignSets.Student(teacher, 2, 6)];
        var measured = Evaluator.RunAll(Evaluator.AllPairs, sets, 0, null, new EvaluationOptions { Fars = Fars, Resamples = 0 }).Models;
        var stages = new List<string>();
        var job = new JobContext(Progress: new Told(p => stages.Add(p.Stage)));
        string again = Json(Evaluator.Agreements(Evaluator.AllPairs, sets, 0, null, Fars, job));
        Assert.Equal(["scoring", "scoring teacher with student"], stages.Distinct());
        stages.Clear();
        Assert.Equal(again, Json(Evaluator.Agreements(Evaluator.AllPairs, sets, 0, null, Fars, job, measured)));
        Assert.Equal(["scoring teacher with student"], stages.Distinct());
        stages.Clear();
        Json(Evaluator.Agreements(Evaluator.AllPairs, sets, 0, null, [0.25], job, measured)); // a rate that was not measured
        Assert.Equal(["scoring", "scoring teacher with student"], stages.Distinct());

        // Whom the pictures show is as the teacher's set says, whatever the student's evaluation went by.
        sets[1] = new EmbeddingSet("student", sets[1].Dimension, sets[1].Values, sets[1].Paths, [.. sets[1].Identities.Select(p => p == "p1" ? "p2" : p)]);
        measured = Evaluator.RunAll(Evaluator.AllPairs, sets, 0, null, new EvaluationOptions { Fars = Fars, Resamples = 0 }).Models;
        Assert.Equal(again, Json(Evaluator.Agreements(Evaluator.AllPairs, sets, 0, null, Fars, job, measured)));
    }

    // Five faces make 6 pairs of two people: a tenth of these is none, although each is scored twice.
    [Fact]
    public void Scoring_a_pair_twice_makes_no_rate_measurable()
    {
        var groups = new IdentityGroups(["a", "a", "b", "b", "b"]);
        var vectors = new ScoredVectors(Sets.Exact(new Random(1), 5, 2, 3), 2);
        var rates = CrossModelSearch.Score(vectors, vectors, groups, [0.2, 0.1]);
        Assert.Equal((12, true, false), ((int)rates.ImpostorPairs, rates.Tar["2e-1"] is not null, rates.Tar["1e-1"] is not null));
        var result = new CrossSearchResult("teacher", "student", 8, 12, rates.Tar, rates.Threshold);
        Assert.Equal("too few pairs (6 of 10)", result.Words("1e-1", tar => "a rate"));
        Assert.Equal("a rate", result.Words("2e-1", tar => "a rate"));
        Assert.Equal("too few pairs (12 of 100)", (result with { Probe = "teacher" }).Words("1e-2", tar => "a rate"));
    }

    [Fact]
    public void Other_spaces_and_other_images_are_refused()
    {
        var teacher = SignSets.Of("teacher", 1, 20, 5);
        var student = SignSets.Student(teacher, 1, 1);
        var narrow = new EmbeddingSet("narrow", 8, student.Values[..(20 * 8)], student.Paths, student.Identities);
        Assert.Contains("teacher gives 16 values an image and narrow gives 8", Message(teacher, narrow), StringComparison.Ordinal);
        var fewer = student.Of([.. Enumerable.Range(0, 19)]);
        Assert.Contains($"student has 19 without {Path.ChangeExtension(student.Paths[19], ".png")}", Message(teacher, fewer), StringComparison.Ordinal);
        Assert.Contains("embed both", Message(fewer, student), StringComparison.Ordinal);
        student.Values[3] = float.NaN;
        Assert.Contains("student: the embedding in row ", Message(teacher, student), StringComparison.Ordinal);
    }

    private static void Compare(float[] teacher, float[] student, int dimension, int[] person, RatesAtFar actual)
    {
        var genuine = new List<float>();
        var impostors = new List<float>();
        for (int i = 0; i < person.Length; i++)
        {
            for (int j = 0; j < person.Length; j++)
            {
                if (i != j)
                {
                    (person[i] == person[j] ? genuine : impostors).Add(
                        Naive.Cosine(teacher.AsSpan(i * dimension, dimension), student.AsSpan(j * dimension, dimension)));
                }
            }
        }

        impostors.Sort();
        Assert.Equal((genuine.Count, impostors.Count), ((int)actual.GenuinePairs, (int)actual.ImpostorPairs));
        for (int i = 0; i < actual.Fars.Count; i++)
        {
            int permitted = (int)Math.Floor((decimal)actual.Fars[i] * impostors.Count);
            Assert.Equal((decimal)actual.Fars[i] * (impostors.Count / 2) < 1, actual.Points[i] is null); // pairs of faces, each of which comes twice
            if (actual.Points[i] is { } point)
            {
                float rejected = impostors[^(permitted + 1)];
                Assert.Equal(MathF.BitIncrement(rejected), point.Threshold);
                Assert.Equal(impostors.Count(score => score > rejected), point.FalseAccepts);
                Assert.Equal(genuine.Count(score => score > rejected), point.TrueAccepts);
            }
        }
    }

    private static string Json(object? document) => JsonFile.Serialize(document!);

    private sealed class Told(Action<WorkProgress> report) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => report(value);
    }

    private static string Message(EmbeddingSet teacher, EmbeddingSet student) =>
        Assert.Throws<FaceDistillException>(() => CrossModelSearch.Run(teacher, student)).Message;
}
