using System.Net;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Faces;
using FaceDistill.Runs;
using FaceDistill.Tests.Reports;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests.Export;

/// <summary>Exported .tflite files in LiteRT's own runtime, in a headless Chromium, against TorchSharp on the same faces.</summary>
public sealed class LiteRtTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    private const int Faces = 12;

    [LiteRtFact]
    public async Task LiteRT_gives_the_students_embeddings()
    {
        using var folder = new TempFolder();
        var checkpoint = Trained(folder["run"]);
        using var server = new FileServer(LiteRtFactAttribute.Folder, folder.Path);
        await using var page = await Chromium.Open(server.Address + "litert.html", 400, 400);
        foreach (var format in new ExportFormat[] { new TfliteFormat(), new TfliteInt8Format() })
        {
            foreach (var ends in new GraphPrePostprocessing[] { new(), new(true, false), new(true, true) })
            {
                string name = $"{format.Name}-{ends.Preprocess}-{ends.Normalize}";
                var quick = new Int8Options { Method = CalibrationMethod.MinMax, Equalize = true, CorrectBias = true };
                format.Prepare(new ExportContext(checkpoint, ends, tiny.Faces) { Int8 = quick }).Write(folder[name + ".tflite"], []);
                using var own = ModelArgument.OpenExported(folder[name + ".tflite"], "cpu");
                float[] input = Inputs(own.Contract), expected = new float[Faces * own.Dimension];
                own.Embed(input, Faces, expected);
                File.WriteAllBytes(folder[name + ".bin"],
                    ends.Preprocess ? Array.ConvertAll(input, v => (byte)v) : MemoryMarshal.AsBytes<float>(input).ToArray());
                var answer = (await page.Evaluate($"embed('/files/{name}.tflite', '/files/{name}.bin')"))!;
                Assert.Equal(ends.Preprocess ? ("uint8", "image") : ("float32", "input"), ((string)answer["type"]!, (string)answer["name"]!));
                float[] got = [.. answer["rows"]!.AsArray().SelectMany(r => r!.AsArray().Select(v => (float)v!))];
                Assert.Equal(expected.Length, got.Length);
                if (format.MaxAbsDifference is { } most)
                {
                    Assert.InRange(expected.Zip(got, (a, b) => Math.Abs((double)a - b)).Max(), 0, most);
                }

                Assert.All(Enumerable.Range(0, Faces), i => Assert.InRange(TensorPrimitives.CosineSimilarity<float>(
                    expected.AsSpan(i * own.Dimension, own.Dimension), got.AsSpan(i * own.Dimension, own.Dimension)),
                    format.IsCalibrated ? 0.999 : 0.99999, 1.00001));
            }
        }
    }

    private StudentCheckpoint Trained(string run)
    {
        using var trainer = tiny.Trainer(run);
        trainer.Run(JobContext.None);
        return RunStudent.Open(run);
    }

    private float[] Inputs(ModelInputSpec contract)
    {
        var values = new float[Faces * contract.Values];
        for (int i = 0; i < Faces; i++)
        {
            using var face = tiny.Faces.ReadView(i, contract.Size);
            FaceTensor.Fill(face, contract, values.AsSpan(i * contract.Values, contract.Values));
        }

        return values;
    }

    // The page and the runtime from one folder, files/ from another.
    private sealed class FileServer : IDisposable
    {
        private readonly HttpListener _listener = new();

        public FileServer(string pages, string files)
        {
            using (var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                Address = $"http://localhost:{((IPEndPoint)free.LocalEndpoint).Port}/";
            }

            _listener.Prefixes.Add(Address);
            _listener.Start();
            _ = Task.Run(async () =>
            {
                while (_listener.IsListening)
                {
                    var call = await _listener.GetContextAsync();
                    string path = call.Request.Url!.AbsolutePath[1..];
                    string file = path.StartsWith("files/", StringComparison.Ordinal) ? Path.Combine(files, path[6..]) : Path.Combine(pages, path);
                    call.Response.StatusCode = File.Exists(file) ? 200 : path == "favicon.ico" ? 204 : 404;
                    call.Response.ContentType = Path.GetExtension(file) switch
                    {
                        ".html" => "text/html", ".js" => "text/javascript", ".wasm" => "application/wasm", _ => "application/octet-stream",
                    };
                    if (File.Exists(file))
                    {
                        call.Response.OutputStream.Write(await File.ReadAllBytesAsync(file));
                    }

                    call.Response.Close();
                }
            });
        }

        public string Address { get; }

        public void Dispose() => _listener.Close();
    }
}

/// <summary>A test in LiteRT's runtime; where it or Chromium is missing it is skipped and says so.</summary>
public sealed class LiteRtFactAttribute : FactAttribute
{
    public LiteRtFactAttribute() => Skip = Chromium.Program is null ? "not run: no chromium on the PATH (Debian: apt-get install chromium)"
        : !Directory.Exists(Path.Combine(Folder, "node_modules")) ? "not run: LiteRT is not installed (in tests/FaceDistill.Tests/Export/litert: npm ci)"
        : null;

    /// <summary>The page's folder, with the runtime below it.</summary>
    public static string Folder { get; } = Path.Combine(RepositoryRoot.Path, "tests", "FaceDistill.Tests", "Export", "litert");
}
