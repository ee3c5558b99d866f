using System.Text.Json.Nodes;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Tests.Datasets;
using OpenCvSharp;

namespace FaceDistill.Tests.Evaluation.Protocols;

/// <summary>IJB-C's protocols on a drawn set in its layout, against a count by NumPy (ijb_expected.py).</summary>
public sealed class IjbTests : IDisposable
{
    private const int People = 80, Dimension = 8;
    private readonly TempFolder _folder = new();
    private long _state = 15;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pairs_of_templates_are_counted_as_NumPy_counts_them_and_as_the_fields_scripts_do()
    {
        var set = Write();
        foreach (var (name, weighted) in new[] { ("plain", false), ("detectorScores", true) })
        {
            var wanted = Expected(name)["verification"]!;
            var result = Evaluator.Run(Evaluator.Ijbc, set, _folder.Path, new EvaluationOptions { DetectorScores = weighted });
            Assert.Equal(((long)wanted["genuinePairs"]!, (long)wanted["impostorPairs"]!), (result.GenuinePairs, result.ImpostorPairs));
            Equal(wanted["tarAtFar"]!, result.TarAtFar!);
            Equal(wanted["peersTarAtFar"]!, result.Ijb!.PeersTarAtFar!);
            foreach (var (far, accepts) in result.FalseAcceptsAtFar!)
            {
                Assert.Equal((long?)wanted["falseAcceptsAtFar"]![far], accepts);
            }

            Assert.Equal((4 * People, weighted), (result.Ijb.Templates, result.Ijb.DetectorScores));
            Assert.Contains("nearest", Assert.Single(IjbResult.Words([result])), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Probes_are_searched_in_two_galleries_as_NumPy_searches_them()
    {
        var set = Write();
        foreach (var (name, weighted) in new[] { ("plain", false), ("detectorScores", true) })
        {
            var wanted = Expected(name)["search"]!;
            var search = Evaluator.Run(Evaluator.IjbcSearch, set, _folder.Path, new EvaluationOptions { DetectorScores = weighted }).Identification!;
            Assert.Equal((People, 3 * People), (search.GalleryIdentities, search.Probes));
            Assert.Equal([(double)wanted["rank1"]!, (double)wanted["rank5"]!, (double)wanted["rank10"]!], [search.Rank1, search.Rank5, search.Rank10!.Value]);
            foreach (var (gallery, open) in new[] { ("openSet", search.OpenSet), ("secondGallery", search.SecondGallery!) })
            {
                Assert.Equal(((int)wanted[gallery]!["knownProbes"]!, (int)wanted[gallery]!["unknownProbes"]!), (open.KnownProbes, open.UnknownProbes));
                Equal(wanted[gallery]!["dirAtFar"]!, open.DirAtFar);
            }
        }
    }

    [Fact]
    public void Intervals_are_those_of_all_pairs_where_the_list_has_all_and_missing_where_no_list_names_the_subjects()
    {
        var set = Write();
        var files = IjbFiles.Read(_folder.Path, "ijbc");
        var subjects = files.KnownSubjects()!;
        int[] templates = [.. subjects.Keys.Order()];
        File.WriteAllLines(_folder["meta/ijbc_template_pair_label.txt"], templates.SelectMany((a, i) => templates[(i + 1)..].Select(b =>
            $"{a} {b} {(subjects[a] == subjects[b] ? 1 : 0)}")));
        var options = new EvaluationOptions { Fars = [0.1, 1e-2, 1e-3], Resamples = 200, Metrics = false };
        var pooled = Ijb.Templates(set, files, detectorScores: false);
        var named = new EmbeddingSet("model", Dimension, pooled.Values, pooled.Paths, [.. templates.Select(t => $"{subjects[t]}")]);
        var wanted = AllPairsEvaluation.Run(named, options, [], JobContext.None);
        var result = Evaluator.Run(Evaluator.Ijbc, set, _folder.Path, options);
        Assert.Equal(wanted.TarAtFar, result.TarAtFar);
        Assert.Equal(3, result.TarInterval95AtFar!.Count);
        Assert.All(result.TarInterval95AtFar, interval => Assert.Equal(wanted.TarInterval95AtFar![interval.Key], interval.Value));

        File.Delete(_folder["meta/ijbc_1N_gallery_G1.csv"]);
        var without = Evaluator.Run(Evaluator.Ijbc, set, _folder.Path, options);
        Assert.Null(without.TarInterval95AtFar);
        Assert.Contains("no intervals", Assert.Single(IjbResult.Words([without])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("face_tid_mid.txt", 3, "3.jpg 7", "line 3: '3.jpg 7' is not a picture, a template and a medium")]
    [InlineData("face_tid_mid.txt", 2, "2.jpg 7 x", "line 2: 'x' is not a whole number")]
    [InlineData("name_5pts_score.txt", 5, "6.jpg 1 2 3 4 5 6 7 8 9 10 0.9", "line 5: 6.jpg where")]
    [InlineData("name_5pts_score.txt", 5, "5.jpg 1 2 3 4 5 6 7 nan 9 10 0.9", "line 5: 'nan' is not a number")]
    [InlineData("name_5pts_score.txt", 5, "5.jpg 1 1 1 1 1 1 1 1 1 1 0.9", "line 5: the five points are one")]
    [InlineData("name_5pts_score.txt", 5, null, "the same faces in the same order")]
    [InlineData("template_pair_label.txt", 4, "1 2 2", "line 4: '1 2 2' is not two templates and 0 or 1")]
    [InlineData("template_pair_label.txt", 4, "1 2 1", "line 4: template 1 has no face in")]
    public void A_malformed_file_is_named_with_its_line_before_any_model_runs(string file, int line, string? text, string message)
    {
        Write();
        string path = _folder[$"meta/ijbc_{file}"];
        var lines = File.ReadAllLines(path).ToList();
        lines.RemoveAt(line - 1);
        lines.InsertRange(line - 1, text is null ? [] : [text]);
        File.WriteAllLines(path, lines);
        string said = Assert.Throws<FaceDistillException>(() => Evaluator.Check(Evaluator.Ijbc, _folder.Path, new EvaluationOptions())).Message;
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.Contains(file, said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);
    }

    [Fact]
    public void Missing_files_and_lists_that_do_not_fit_are_named()
    {
        string Said(string protocol) => Assert.Throws<FaceDistillException>(() => Evaluator.Check(protocol, _folder.Path, new EvaluationOptions())).Message;
        Assert.Contains("no folder 'meta'", Said(Evaluator.Ijbc), StringComparison.Ordinal);
        Write();
        Assert.Contains("ijbb_face_tid_mid.txt", Said(Evaluator.Ijbb), StringComparison.Ordinal);
        Evaluator.Check(Evaluator.IjbcSearch, _folder.Path, new EvaluationOptions());
        string probes = _folder["meta/ijbc_1N_probe_mixed.csv"];
        File.AppendAllText(probes, "\n99999,1,img/1.jpg\n");
        Assert.Contains("subject 1 is in neither gallery", Said(Evaluator.IjbcSearch), StringComparison.Ordinal);
        File.Delete(probes);
        Assert.Contains("ijbc_1N_probe_mixed.csv", Said(Evaluator.IjbcSearch), StringComparison.Ordinal);
        File.WriteAllText(probes, "1,1,img/1.jpg\n"); // a list without its header would lose its first template
        Assert.Contains("is not the header TEMPLATE_ID,SUBJECT_ID", Said(Evaluator.IjbcSearch), StringComparison.Ordinal);
    }

    [Fact]
    public void Faces_are_aligned_by_the_given_points_and_known_by_picture_and_points()
    {
        var target = AlignmentTemplate.ArcFace.PointsIn(AlignedFrame.Default);
        Pictures.Noise(_folder["loose_crop/1.png"], 200, 220, Random.Shared.Next()); // no face: no detector is asked
        using var photo = PictureFile.Read(_folder["loose_crop/1.png"]);
        Point2f[] points = [new(70, 80), new(120, 85), new(95, 110), new(75, 140), new(115, 142)], moved = [.. points.Select(p => new Point2f(p.X + 9, p.Y))];
        var files = new IjbFiles(_folder.Path, "ijbc", [new IjbFace("1.png", 1, 1, points, 1), new IjbFace("1.png", 2, 2, moved, 1)]);
        var faces = IjbAligner.Open(files, "arcface", JobContext.None);
        foreach (var (row, given) in new[] { (0, points), (1, moved) })
        {
            using var wanted = FaceAligner.Warp(photo, given, target, AlignedFrame.Default.Side);
            using var face = faces.ReadFrame(row);
            Assert.True(Cv2.Norm(wanted, face, NormTypes.L1) / (3.0 * wanted.Width * wanted.Height) < 20, "JPEG's loss on noise");
        }

        Assert.NotEqual(faces.Dataset.Images[0].Hash, faces.Dataset.Images[1].Hash);
        Assert.Equal(faces.Dataset.Images, IjbAligner.Open(files, "arcface", JobContext.None).Dataset.Images);
        File.Delete(_folder["loose_crop/1.png"]);
        Assert.Matches(@"1\.png: no such file; ijbc_name_5pts_score\.txt names it as face \d,", // several faces are of it, and are aligned side by side
            Assert.Throws<FaceDistillException>(() => IjbAligner.Open(files, "arcface", JobContext.None)).Message);
    }

    private static void Equal(JsonNode wanted, IReadOnlyDictionary<string, double?> rates)
    {
        foreach (var (far, rate) in rates)
        {
            Assert.True(wanted.AsObject().ContainsKey(far), far);
            Assert.Equal((double?)wanted[far], rate);
        }
    }

    private static JsonNode Expected(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(
        RepositoryRoot.Path, "tests", "FaceDistill.Tests", "Evaluation", "Protocols", "ijb_expected.json")))![name]!;

    // As ijb_expected.py draws.
    private int Draw(int low, int high)
    {
        _state = ((_state * 1103515245) + 12345) % (1L << 31);
        return low + (int)((_state >> 8) % (high - low));
    }

    private EmbeddingSet Write()
    {
        int[][] centres = [.. Enumerable.Range(0, People).Select(_ => Enumerable.Range(0, Dimension).Select(_ => Draw(-12, 13)).ToArray())];
        List<int>[] lists = [[], [], []]; // two galleries and the probes
        var (subjects, tids, points, values) = (new Dictionary<int, int>(), new List<string>(), new List<string>(), new List<float>());
        int template = 100, media = 1000;
        for (int i = 0; i < 4 * People; i++)
        {
            template += Draw(1, 4);
            subjects[template] = (i / 4) + 500;
            lists[i % 4 == 0 ? i / 4 % 2 : 2].Add(template);
            for (int m = Draw(1, 4); m > 0; m--)
            {
                media++;
                for (int f = Draw(1, 5); f > 0; f--)
                {
                    values.AddRange(Enumerable.Range(0, Dimension).Select(d => (centres[i / 4][d] + Draw(-12, 13)) / 16f));
                    tids.Add($"{tids.Count + 1}.jpg {template} {media}");
                    points.Add(InvariantText.Of($"{tids.Count}.jpg 38.5 51.75 73.5 51.5 56 71.75 41.5 92.25 70.75 92.25 {Draw(40, 65) / 64.0}"));
                }
            }
        }

        Directory.CreateDirectory(_folder["meta"]);
        // Most without an end of line at the file's, as some editors leave it.
        void Lines(string name, IEnumerable<string> lines) =>
            File.WriteAllText(_folder[$"meta/ijbc_{name}"], string.Join('\n', lines) + (name.StartsWith("name", StringComparison.Ordinal) ? "\n" : ""));
        Lines("face_tid_mid.txt", tids);
        Lines("name_5pts_score.txt", points);
        Lines("template_pair_label.txt", [.. from a in lists[0].Concat(lists[1]) from b in lists[2] where Draw(0, 3) == 0
                                             select $"{a} {b} {(subjects[a] == subjects[b] ? 1 : 0)}"]);
        foreach (var (name, list) in new[] { "gallery_G1", "gallery_G2", "probe_mixed" }.Zip(lists))
        {
            Lines($"1N_{name}.csv",
                ["TEMPLATE_ID,SUBJECT_ID,FILENAME", .. list.SelectMany(t => new[] { $"{t},{subjects[t]},img/1.jpg", $"{t},{subjects[t]},frames/2.jpg" })]);
        }

        string[] paths = [.. tids.Select(t => $"loose_crop/{t.Split(' ')[0]}")];
        return new EmbeddingSet("model", Dimension, [.. values], paths, [.. paths.Select(_ => "")]);
    }
}
