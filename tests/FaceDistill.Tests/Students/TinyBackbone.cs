using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Students;

/// <summary>
/// A backbone of random weights with its card, in the files of a TensorFlow.js graph model with folded batch norms; and the network computed anew, in plain
/// loops of a
/// second implementation's own layout [row, column, channel], with the padding and activation that it was trained with or with ours.
/// </summary>
internal sealed class TinyBackbone
{
    public static readonly float[] Mean = [103.939f, 116.779f, 123.68f];
    private static readonly int[] Strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1];
    private static readonly int[] Wide = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
    private readonly Dictionary<string, float[]> _tensors = [];
    private readonly List<(string Name, int[] Shape)> _order = [];
    private readonly Random _random;
    private readonly double _width;
    private readonly TfjsWeights? _real;

    /// <param name="width">The width.</param>
    /// <param name="seed">Decides the weights.</param>
    /// <param name="real">Weights to take instead.</param>
    public TinyBackbone(double width, int seed, TfjsWeights? real = null)
    {
        (_width, _random, _real) = (width, new Random(seed), real);
        Add("conv1/convolution/merged_input", 3, 3, 3, Channels(32));
        Add("conv1_bn/batchnorm_1/sub", Channels(32));
        int inputs = Channels(32);
        for (int i = 1; i <= 13; i++)
        {
            int outputs = Channels(Wide[i - 1]);
            Add($"conv_dw_{i}/depthwise_kernel", 3, 3, inputs, 1);
            Add($"conv_dw_{i}_bn/batchnorm_1/mul", inputs);
            Add($"conv_dw_{i}_bn/batchnorm_1/sub", inputs);
            Add($"conv_pw_{i}/convolution/merged_input", 1, 1, inputs, outputs);
            Add($"conv_pw_{i}_bn/batchnorm_1/sub", outputs);
            inputs = outputs;
        }
    }

    /// <summary>A tensor by its name in the file.</summary>
    public float[] this[string name] => _tensors[name];

    /// <summary>Writes model, weights and card; gives the card's path.</summary>
    public string Write(string folder)
    {
        Directory.CreateDirectory(folder);
        byte[] bin = [.. _order.SelectMany(t => _tensors[t.Name]).SelectMany(BitConverter.GetBytes), .. BitConverter.GetBytes(1), .. BitConverter.GetBytes(2)];
        var weights = _order.Select(t => new { name = t.Name, shape = t.Shape, dtype = "float32" })
            .Append(new { name = "axes", shape = new[] { 2 }, dtype = "int32" });
        string model = JsonSerializer.Serialize(
            new { format = "graph-model", modelTopology = new { node = 1 }, weightsManifest = new[] { new { paths = new[] { "tiny.bin" }, weights } } });
        File.WriteAllText(Path.Combine(folder, "tiny.json"), model);
        File.WriteAllBytes(Path.Combine(folder, "tiny.bin"), bin);
        string card = Path.Combine(folder, "backbone.json");
        File.WriteAllText(card, $$"""
            {
              "name": "tiny-backbone", "description": "random weights", "licence": "none found", "source": "made by the test", "research": true,
              "assets": [
                { "file": "tiny.json", "source": { "path": "tiny.json" } },
                { "file": "tiny.bin", "sha256": "{{Convert.ToHexStringLower(SHA256.HashData(bin))}}", "source": { "path": "tiny.bin" } }],
              "layers": "keras-mobilenet-v1", "width": {{_width.ToString(CultureInfo.InvariantCulture)}}, "colorOrder": "bgr",
              "mean": [103.939, 116.779, 123.68], "std": [1, 1, 1]
            }
            """);
        return card;
    }

    /// <summary>The last layer's values, [row, column, channel], of one picture.</summary>
    /// <param name="rgb">0..255, [row, column, red green blue].</param>
    /// <param name="side">Its side.</param>
    /// <param name="ours">Zeros on all sides for a picture's grey of 127.5, and ReLU, as our students do; otherwise as it was trained: right and bottom only,
    /// ReLU6.</param>
    /// <param name="layers">How many layers, 1 to 27.</param>
    public float[] Forward(float[] rgb, ref int side, bool ours, int layers = 27)
    {
        float[] grey = [127.5f, 127.5f, 127.5f];
        float[] Input(float[] values) => [.. values.Select((_, i) => values[i - (i % 3) + 2 - (i % 3)] - Mean[i % 3])];
        var x = Convolve(Input(rgb), ref side, 3, "conv1/convolution/merged_input", Channels(32), 2, ours, Input(grey));
        x = Finish(x, null, this["conv1_bn/batchnorm_1/sub"], ours);
        int inputs = Channels(32);
        for (int i = 1, done = 1; i <= 13 && done < layers; i++, done += 2)
        {
            x = Depthwise(x, ref side, inputs, $"conv_dw_{i}/depthwise_kernel", Strides[i - 1], ours);
            x = Finish(x, this[$"conv_dw_{i}_bn/batchnorm_1/mul"], this[$"conv_dw_{i}_bn/batchnorm_1/sub"], ours);
            if (done + 1 < layers)
            {
                x = Convolve(x, ref side, inputs, $"conv_pw_{i}/convolution/merged_input", Channels(Wide[i - 1]), 1, ours, null);
                inputs = Channels(Wide[i - 1]);
                x = Finish(x, null, this[$"conv_pw_{i}_bn/batchnorm_1/sub"], ours);
            }
        }

        return x;
    }

    private int Channels(int wide) => Math.Max(8, (int)(wide * _width));

    // Scaled so that values neither vanish nor grow through 27 layers.
    private void Add(string name, params int[] shape)
    {
        int count = shape.Aggregate(1, (a, b) => a * b);
        double fanIn = name.EndsWith("depthwise_kernel", StringComparison.Ordinal) ? 9 : shape.Length == 4 ? count / shape[3] : 1;
        double scale = name.StartsWith("conv1/", StringComparison.Ordinal) ? 0.03 / Math.Sqrt(fanIn) : shape.Length == 4 ? Math.Sqrt(6 / fanIn) : 0.3;
        double centre = name.EndsWith("/mul", StringComparison.Ordinal) ? 1 : 0;
        _tensors[name] = _real?.Get(name, shape).Values
            ?? [.. Enumerable.Range(0, count).Select(_ => (float)(centre + (scale * ((2 * _random.NextDouble()) - 1))))];
        _order.Add((name, shape));
    }

    private static float[] Finish(float[] x, float[]? factor, float[] shift, bool ours) =>
        [.. x.Select((v, i) => Math.Clamp((v * (factor?[i % shift.Length] ?? 1)) + shift[i % shift.Length], 0, ours ? float.MaxValue : 6))];

    // TensorFlow's SAME at an even side: a stride of 2 pads one row and column at the end only, a stride of 1 one on each side.
    private static int Before(int kernel, int stride, bool ours) => kernel == 1 ? 0 : ours || stride == 1 ? 1 : 0;

    private float[] Convolve(float[] x, ref int side, int inputs, string name, int outputs, int stride, bool ours, float[]? border)
    {
        float[] w = this[name];
        int kernel = w.Length == inputs * outputs ? 1 : 3, before = Before(kernel, stride, ours), from = side, to = side / stride;
        var y = new float[to * to * outputs];
        Parallel.For(0, to * to, p =>
        {
            for (int place = 0; place < kernel * kernel; place++)
            {
                int row = ((p / to) * stride) + (place / kernel) - before, column = ((p % to) * stride) + (place % kernel) - before;
                bool outside = row < 0 || column < 0 || row >= from || column >= from;
                for (int i = 0; i < inputs; i++)
                {
                    float value = !outside ? x[(((row * from) + column) * inputs) + i] : ours && border is not null ? border[i] : 0;
                    for (int o = 0; o < outputs; o++)
                    {
                        y[(p * outputs) + o] += value * w[(((place * inputs) + i) * outputs) + o];
                    }
                }
            }
        });
        side = to;
        return y;
    }

    private float[] Depthwise(float[] x, ref int side, int channels, string name, int stride, bool ours)
    {
        float[] w = this[name];
        int before = Before(3, stride, ours), to = side / stride;
        var y = new float[to * to * channels];
        for (int p = 0; p < to * to; p++)
        {
            for (int place = 0; place < 9; place++)
            {
                int row = ((p / to) * stride) + (place / 3) - before, column = ((p % to) * stride) + (place % 3) - before;
                for (int c = 0; c < channels && row >= 0 && column >= 0 && row < side && column < side; c++)
                {
                    y[(p * channels) + c] += x[(((row * side) + column) * channels) + c] * w[(place * channels) + c];
                }
            }
        }

        side = to;
        return y;
    }
}
