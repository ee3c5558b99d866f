using System.Globalization;
using System.Text.Json.Nodes;
using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Faces;
using FaceDistill.Tests.Reports;

namespace FaceDistill.Tests.Samples;

/// <summary>samples/browser, opened from the disk in a headless Chromium, against the library on the same photos.</summary>
public sealed class BrowserPageTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    // A canvas scales and interpolates otherwise than OpenCV: the two ways differed by 0.0002 and 0.0024 for a trained student of 0.5@96 on the pairs of this
    // test.
    private const double Tolerance = 0.02;

    [Fact]
    public void The_templates_are_those_of_the_library()
    {
        string Text(AlignmentTemplate t) => FormattableString.Invariant($"  {t.Name}: {{ referenceSize: {t.ReferenceSize}, points: [")
            + string.Join(", ", t.PointsIn(AlignedFrame.Of(t.ReferenceSize, 0)).Select(p => FormattableString.Invariant($"[{p.X}, {p.Y}]"))) + "] },";
        string file = File.ReadAllText(Path.Combine(BrowserPageFactAttribute.Folder, "src", "templates.js"));
        Assert.All(AlignmentTemplate.All, t => Assert.Contains(Text(t), file, StringComparison.Ordinal));
    }

    [BrowserPageFact]
    public void The_built_page_is_newer_than_its_sources() => Assert.All(
        Directory.EnumerateFiles(Path.Combine(BrowserPageFactAttribute.Folder, "src")).Append(Path.Combine(BrowserPageFactAttribute.Folder, "build.mjs")),
        source => Assert.True(
            File.GetLastWriteTimeUtc(BrowserPageFactAttribute.Page) >= File.GetLastWriteTimeUtc(source),
            $"{source} is newer than the page; in samples/browser: npm run build"));

    [BrowserPageFact]
    public async Task Two_pairs_of_LFW_get_the_librarys_similarity_and_verdict_and_nothing_is_asked_of_a_network()
    {
        using var folder = new TempFolder();
        string[] genuine = Photos("George_W_Bush", 1, 2), impostor = [genuine[0], Photos("Tony_Blair", 1)[0]];
        string student = Student(folder, []);
        double same, other;
        using (var plain = FaceEmbedder.Load(student, RealData.Detector))
        {
            (same, other) = (Expected(plain, genuine), Expected(plain, impostor));
        }

        // A threshold between the two, so that one is accepted and the other is not, whichever that is for this student.
        float threshold = (float)((same + other) / 2);
        await using var page = await Chromium.Open(BrowserPageFactAttribute.Page, 360, 800);
        foreach (var (format, preprocess) in new (ExportFormat, bool)[] { (new OnnxFormat(), false), (new OnnxFormat(), true), (new OnnxHalfFormat(), false),
            (new OnnxInt8Format(), true) })
        {
            string file = Student(folder, [new(1e-4, threshold, "lfw-view1-test", 6844451)], preprocess, format);
            using var embedder = FaceEmbedder.Load(file, RealData.Detector);
            await Choose(page, "#student", 0, file);
            foreach (string[] photos in new[] { genuine, impostor })
            {
                double similarity = await Compare(page, photos);
                Assert.Equal(Expected(embedder, photos), similarity, Tolerance);
                Assert.Equal(similarity >= threshold ? "accept" : "reject", (string?)await page.Evaluate("document.getElementById('answer').className"));
            }
        }

        Assert.True((int)(await page.Evaluate("document.documentElement.scrollWidth"))! <= 360, "the page is wider than 360 pixels");
        Assert.Empty(page.Complaints);
        Assert.DoesNotContain(
            page.Requests, r => !r.StartsWith("file:", StringComparison.Ordinal) && !r.StartsWith("blob:", StringComparison.Ordinal)
            && !r.StartsWith("data:", StringComparison.Ordinal));
    }

    [BrowserPageFact]
    public async Task A_student_without_a_threshold_gets_no_verdict_and_a_wrong_file_one_line()
    {
        using var folder = new TempFolder();
        await using var page = await Chromium.Open(BrowserPageFactAttribute.Page, 800, 800);
        File.WriteAllText(folder["wrong.onnx"], "this is not ONNX");
        await Choose(page, "#student", 0, folder["wrong.onnx"]);
        await Until(page, "document.getElementById('student-says').textContent.includes('cannot be used')");
        await Choose(page, "#student", 0, Student(folder, []));
        await Compare(page, Photos("George_W_Bush", 1, 2));
        Assert.Contains("No threshold is known", (string?)await page.Evaluate("document.getElementById('answer').textContent"), StringComparison.Ordinal);
        Assert.Empty(page.Complaints);
    }

    private string Student(TempFolder folder, IReadOnlyList<StudentThreshold> thresholds, bool preprocess = false, ExportFormat? format = null)
    {
        if (!File.Exists(folder["run/checkpoint.safetensors"]))
        {
            using var trainer = tiny.Trainer(folder["run"]);
            trainer.Run(JobContext.None);
        }

        format ??= new OnnxFormat();
        string path = folder[$"{format.Name}-{thresholds.Count}-{preprocess}.onnx"];
        var checkpoint = FaceDistill.Training.Checkpoints.RunStudent.Open(folder["run"]);
        var quick = new Int8Options { Method = CalibrationMethod.MinMax, Equalize = true, CorrectBias = true };
        format.Prepare(new ExportContext(checkpoint, new GraphPrePostprocessing(preprocess), tiny.Faces) { Int8 = quick }).Write(path, thresholds);
        return path;
    }

    private static double Expected(FaceEmbedder embedder, string[] photos) =>
        FaceEmbedder.Similarity(embedder.EmbedPhoto(photos[0]), embedder.EmbedPhoto(photos[1]));

    private static string[] Photos(string person, params int[] numbers) =>
        [.. numbers.Select(n => Path.Combine(RealData.Lfw!, "images", person, FormattableString.Invariant($"{person}_{n:0000}.jpg")))];

    private static async Task<double> Compare(Chromium page, string[] photos)
    {
        using var detector = new FaceDetector(RealData.Detector!);
        for (int i = 0; i < 2; i++)
        {
            using var photo = PictureFile.Read(photos[i]);
            var face = DetectedFace.MostCentralLarge(detector.Detect(photo), photo.Size())!;
            await Choose(page, ".picture", i, photos[i]);
            await Until(page, $"document.querySelectorAll('.photo')[{i}].width === {photo.Width}");
            string points = string.Join(", ", face.Points.SelectMany(p => new[] { p.X, p.Y }).Select(v => v.ToString("0.00", CultureInfo.InvariantCulture)));
            await page.Evaluate($"(() => {{ delete document.getElementById('answer').dataset.similarity; const f = "
                + $"document.querySelectorAll('.points')[{i}]; f.value = '{points}'; f.dispatchEvent(new Event('input')); }})()");
        }

        await Until(page, "document.getElementById('answer').dataset.similarity !== undefined");
        return double.Parse((string)(await page.Evaluate("document.getElementById('answer').dataset.similarity"))!, CultureInfo.InvariantCulture);
    }

    private static async Task Choose(Chromium page, string selector, int index, string file)
    {
        var root = await page.Send("DOM.getDocument");
        var found = await page.Send("DOM.querySelectorAll", new { nodeId = (int)root["root"]!["nodeId"]!, selector });
        await page.Send("DOM.setFileInputFiles", new { nodeId = (int)((JsonArray)found["nodeIds"]!)[index]!, files = new[] { Path.GetFullPath(file) } });
    }

    private static async Task Until(Chromium page, string condition)
    {
        for (int i = 0; i < 200 && !(bool)(await page.Evaluate(condition))!; i++)
        {
            await Task.Delay(50);
        }

        Assert.True((bool)(await page.Evaluate(condition))!, condition + ": " + (string?)await page.Evaluate("document.body.innerText"));
    }
}
