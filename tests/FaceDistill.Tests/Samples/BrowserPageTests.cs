using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Faces;
using FaceDistill.Tests.Reports;
using OpenCvSharp;

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
    public async Task The_page_finds_the_faces_that_the_library_finds_takes_the_same_one_and_another_after_a_click()
    {
        using var folder = new TempFolder();
        using var detector = new FaceDetector(RealData.Detector!);
        await using var page = await Chromium.Open(BrowserPageFactAttribute.Page, 800, 800);

        // As large as it is: the network sees the same pixels.
        string one = Photos("Tony_Blair", 1)[0];
        await Show(page, 0, one);
        using (var photo = PictureFile.Read(one))
        {
            AssertNear(DetectedFace.MostCentralLarge(detector.Detect(photo), photo.Size())!, await Points(page, 0), 0.5);
        }

        // Three people side by side, half of it shrunk away: a canvas shrinks otherwise than OpenCV.
        using Mat several = new();
        using (var row = new Mat())
        {
            var people = Photos("George_W_Bush", 1, 2).Append(one).Select(PictureFile.Read).ToArray();
            Cv2.HConcat(people, row);
            Cv2.Resize(row, several, new Size(1280, 1280 * row.Height / row.Width), interpolation: InterpolationFlags.Cubic);
            Array.ForEach(people, p => p.Dispose());
        }

        Cv2.ImWrite(folder["several.png"], several);
        var found = detector.Detect(several);
        var taken = DetectedFace.MostCentralLarge(found, several.Size())!;
        await Show(page, 1, folder["several.png"]);
        AssertNear(taken, await Points(page, 1), 3);
        Assert.Equal(found.Count, (int)(await page.Evaluate("document.querySelectorAll('.choices')[1].children.length"))!);
        Assert.Contains($"{found.Count} faces", (string?)await page.Evaluate("document.querySelectorAll('.next')[1].textContent"), StringComparison.Ordinal);
        var other = found.Where(f => f != taken).MaxBy(f => f.Box.Width)!;
        await Click(page, 1, other.Points[2]);
        AssertNear(other, await Points(page, 1), 3);

        // A click in the taken face corrects the nearest point.
        var better = other.Points[3] + new Point2f(-15, 12);
        await Click(page, 1, better);
        var corrected = await Points(page, 1);
        Assert.InRange(corrected[3].DistanceTo(better), 0, 5); // the picture is shown smaller than it is
        AssertNear(other with { Points = [other.Points[0], other.Points[1], other.Points[2], corrected[3], other.Points[4]] }, corrected, 3);
        Assert.Empty(page.Complaints);
    }

    [BrowserPageFact]
    public async Task Where_no_face_is_found_five_clicks_mark_one_and_a_camera_gives_a_picture()
    {
        using var folder = new TempFolder();
        using (var empty = new Mat(200, 240, MatType.CV_8UC3, new Scalar(90, 120, 150)))
        {
            Cv2.ImWrite(folder["empty.png"], empty);
        }

        // Chromium's own stand-in for a camera shows this file.
        using (var photo = PictureFile.Read(Photos("Tony_Blair", 1)[0]))
        using (var frame = new Mat(480, 640, MatType.CV_8UC3, Scalar.Black))
        {
            using (var part = new Mat(frame, new Rect(195, 100, photo.Width, photo.Height)))
            {
                photo.CopyTo(part);
            }

            File.WriteAllBytes(folder["camera.mjpeg"], frame.ImEncode(".jpg"));
        }

        await using var page = await Chromium.Open(BrowserPageFactAttribute.Page, 390, 800,
            "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", $"--use-file-for-fake-video-capture={folder["camera.mjpeg"]}");
        await Choose(page, ".picture", 0, folder["empty.png"]);
        await Until(page, "document.querySelector('.next').textContent.includes('No face was found')");
        Point2f[] marks = [new(80, 80), new(150, 81), new(115, 110), new(90, 150), new(140, 149)];
        foreach (var mark in marks)
        {
            await Click(page, 0, mark);
        }

        Assert.All(marks.Zip(await Points(page, 0)), m => Assert.InRange(m.First.DistanceTo(m.Second), 0, 1));
        await page.Evaluate("document.querySelectorAll('.open')[1].click()");
        await Until(page, "document.querySelectorAll('.live')[1].videoWidth > 0 && !document.querySelectorAll('.take')[1].hidden");
        await page.Evaluate("document.querySelectorAll('.take')[1].click()");
        await Until(page, "document.querySelectorAll('.points')[1].value !== '' && document.querySelectorAll('.live')[1].srcObject === null");
        Assert.Empty((await PageLayout.Faults(page, 390)).Concat(await PageLayout.Faults(page, 1280)));
        Assert.Empty(page.Complaints);
    }

    [BrowserPageFact]
    public async Task A_page_without_the_detector_asks_for_it_and_one_without_a_camera_says_why()
    {
        using var folder = new TempFolder();
        string built = await File.ReadAllTextAsync(BrowserPageFactAttribute.Page);
        string bare = Regex.Replace(built, "<script id=\"yunet\".*?</script>", "");
        File.WriteAllText(folder["bare.html"],
            bare.Replace("<body>", "<body><script>Object.defineProperty(navigator, 'mediaDevices', { value: undefined })</script>",
            StringComparison.Ordinal));
        File.WriteAllText(folder["wrong.onnx"], "this is not ONNX");
        await using var page = await Chromium.Open(folder["bare.html"], 800, 800);
        Assert.Contains("the disk (file://)", (string?)await page.Evaluate("document.getElementById('camera-says').textContent"), StringComparison.Ordinal);
        Assert.False((bool)(await page.Evaluate("document.getElementById('detector-part').hidden"))!);
        await Choose(page, "#detector", 0, folder["wrong.onnx"]);
        await Until(page, "document.getElementById('detector-says').textContent.includes('cannot be used')");
        await Choose(page, ".picture", 0, Photos("Tony_Blair", 1)[0]);
        await Until(page, "document.querySelector('.next').textContent.startsWith('Next: click')");
        await Choose(page, "#detector", 0, RealData.Detector!);
        await Until(page, "document.querySelector('.next').textContent.includes('its right place')");
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
        for (int i = 0; i < 2; i++)
        {
            await page.Evaluate("delete document.getElementById('answer').dataset.similarity");
            await Show(page, i, photos[i]);
        }

        await Until(page, "document.getElementById('answer').dataset.similarity !== undefined");
        return double.Parse((string)(await page.Evaluate("document.getElementById('answer').dataset.similarity"))!, CultureInfo.InvariantCulture);
    }

    // Gives the page a picture and waits until its points are found.
    private static async Task Show(Chromium page, int face, string photo)
    {
        await page.Evaluate($"document.querySelectorAll('.points')[{face}].value = document.querySelectorAll('.picture')[{face}].value = ''");
        await Choose(page, ".picture", face, photo);
        await Until(page, $"document.querySelectorAll('.points')[{face}].value !== ''");
    }

    private static async Task<Point2f[]> Points(Chromium page, int face) =>
    [
        .. ((string)(await page.Evaluate($"document.querySelectorAll('.points')[{face}].value"))!).Split(',')
            .Select(v => float.Parse(v, CultureInfo.InvariantCulture)).Chunk(2).Select(p => new Point2f(p[0], p[1])),
    ];

    private static void AssertNear(DetectedFace expected, Point2f[] points, double most) =>
        Assert.All(expected.Points.Zip(points), p => Assert.InRange(p.First.DistanceTo(p.Second), 0, most));

    // A click of a finger on a place of the picture, in its pixels.
    private static Task<JsonNode?> Click(Chromium page, int face, Point2f at) => page.Evaluate(FormattableString.Invariant($$"""
        (() => {
          const photo = document.querySelectorAll('.photo')[{{face}}], box = photo.getBoundingClientRect();
          photo.dispatchEvent(new MouseEvent('click', { bubbles: true,
            clientX: box.left + ({{at.X}} + 0.5) * box.width / photo.width, clientY: box.top + ({{at.Y}} + 0.5) * box.height / photo.height }));
        })()
        """));

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
