using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using FaceDistill.Formats;

namespace FaceDistill.Export;

/// <summary>
/// Computes a student's .tflite file as TensorFlow Lite's specification of 8-bit quantisation says, in plain loops over one picture: what an 8-bit file is
/// verified with, for OpenCV's reader pads levels with 0 in place of the level that stands for 0. LiteRT itself is asked in the tests.
/// </summary>
/// <remarks>
/// A value is scale * (level - zero). An integer convolution adds (level - zero) * weight in 32 bits, and its result is multiplied by the scales' ratio,
/// rounded to the nearest level (of two the even one, as XNNPACK and ONNX Runtime do: a picture's levels lie half-way between its pixels) and clipped.
/// </remarks>
/// <param name="graph">The file's graph.</param>
internal sealed class TfliteReference(TfliteGraph graph)
{
    /// <summary>Computes the output for one picture.</summary>
    /// <param name="picture">float32 [H, W, 3], what the input takes; of a uint8 input whole numbers.</param>
    /// <returns>float32 [D].</returns>
    public float[] Run(ReadOnlySpan<float> picture)
    {
        var values = new Dictionary<int, Array> { [graph.Inputs[0]] = picture.ToArray() };
        foreach (var (kind, inputs, outputs, options) in graph.Nodes)
        {
            values[outputs[0]] = Step(kind, [.. inputs.Select(i => values.GetValueOrDefault(i) ?? Constant(graph.Tensors[i]))],
                [.. inputs.Select(i => graph.Tensors[i])], graph.Tensors[outputs[0]], options);
        }

        return (float[])values[graph.Outputs[0]];
    }

    private static Array Constant(TfliteTensor tensor) => tensor.Type switch
    {
        TfliteType.Float32 => MemoryMarshal.Cast<byte, float>(tensor.Data).ToArray(),
        TfliteType.Int32 => MemoryMarshal.Cast<byte, int>(tensor.Data).ToArray(),
        _ => Array.ConvertAll(tensor.Data!, b => (int)(sbyte)b),
    };

    private static Array Step(TfliteOperator kind, Array[] x, TfliteTensor[] inputs, TfliteTensor output, TfliteOptions? options) => kind switch
    {
        TfliteOperator.Quantize => Levels((float[])x[0], output.Steps!),
        TfliteOperator.Dequantize => Array.ConvertAll((int[])x[0], level => inputs[0].Steps!.Scales[0] * (level - inputs[0].Steps!.Zeros[0])),
        TfliteOperator.Pad => x[0] is int[] levels ? Padded(levels, inputs[0].Shape, (int[])x[1], (int)output.Steps!.Zeros[0])
            : Padded((float[])x[0], inputs[0].Shape, (int[])x[1], 0f),
        TfliteOperator.Conv2D or TfliteOperator.DepthwiseConv2D => Convolution(kind, x, inputs, output, options!),
        TfliteOperator.Mean => Mean((float[])x[0], output.Shape[^1]),
        TfliteOperator.Sum => new float[] { TensorPrimitives.Sum<float>((float[])x[0]) },
        TfliteOperator.Rsqrt => Array.ConvertAll((float[])x[0], v => 1 / MathF.Sqrt(v)),
        TfliteOperator.Sub => Each((float[])x[0], (float[])x[1], (a, b) => a - b),
        TfliteOperator.Mul => Each((float[])x[0], (float[])x[1], (a, b) => a * b),
        _ => x[0], // another shape or type of the same values
    };

    private static int[] Levels(float[] values, TfliteSteps steps) => Array.ConvertAll(values, v => Level(v / steps.Scales[0], steps.Zeros[0]));

    private static int Level(double steps, long zero) => (int)Math.Clamp(Math.Round(steps, MidpointRounding.ToEven) + zero, sbyte.MinValue, sbyte.MaxValue);

    // The second repeats along the first.
    private static float[] Each(float[] a, float[] b, Func<float, float, float> of) => [.. a.Select((v, i) => of(v, b[i % b.Length]))];

    private static float[] Mean(float[] map, int channels)
    {
        var mean = new float[channels];
        for (int i = 0; i < map.Length; i += channels)
        {
            TensorPrimitives.Add(mean, map.AsSpan(i, channels), mean);
        }

        TensorPrimitives.Multiply(mean, channels / (float)map.Length, mean);
        return mean;
    }

    private static T[] Padded<T>(T[] map, int[] shape, int[] pads, T with)
    {
        int width = shape[2] * shape[3], wide = (shape[2] + pads[4] + pads[5]) * shape[3];
        var padded = new T[(shape[1] + pads[2] + pads[3]) * wide];
        Array.Fill(padded, with);
        for (int y = 0; y < shape[1]; y++)
        {
            Array.Copy(map, y * width, padded, ((y + pads[2]) * wide) + (pads[4] * shape[3]), width);
        }

        return padded;
    }

    private static Array Convolution(TfliteOperator kind, Array[] x, TfliteTensor[] inputs, TfliteTensor output, TfliteOptions options)
    {
        int Option(int slot) => options.Fields.First(f => f.Slot == slot).Value;
        bool depthwise = kind == TfliteOperator.DepthwiseConv2D, same = Option(0) == 0;
        int kernel = inputs[1].Shape[1], stride = Option(1), size = inputs[0].Shape[1], channels = inputs[0].Shape[3];
        int pad = same ? Math.Max(0, ((output.Shape[1] - 1) * stride) + kernel - size) / 2 : 0; // TensorFlow's SAME: less before than behind
        var place = new Place(kernel, stride, pad, size, channels, output.Shape[1], output.Shape[3], depthwise);
        if (x[0] is float[] map)
        {
            float[] sums = Sums(map, (float[])x[1], (float[])x[2], place);
            if (Option(depthwise ? 4 : 3) == 1)
            {
                TensorPrimitives.Max(sums, 0f, sums);
            }

            return sums;
        }

        var (from, filters, to) = (inputs[0].Steps!, inputs[1].Steps!, output.Steps!);
        int[] centred = Array.ConvertAll((int[])x[0], level => level - (int)from.Zeros[0]);
        int[] results = Sums(centred, (int[])x[1], (int[])x[2], place);
        for (int i = 0; i < results.Length; i++)
        {
            double ratio = (double)from.Scales[0] * filters.Scales[i % place.Out] / to.Scales[0];
            results[i] = Level(results[i] * ratio, to.Zeros[0]);
        }

        return results;
    }

    private static T[] Sums<T>(T[] map, T[] filters, T[] bias, Place p)
        where T : INumber<T>
    {
        var sums = new T[p.OutSize * p.OutSize * p.Out];
        var patch = new T[p.Depthwise ? 0 : p.Kernel * p.Kernel * p.In];
        for (int at = 0; at < p.OutSize * p.OutSize; at++)
        {
            var row = sums.AsSpan(at * p.Out, p.Out);
            bias.CopyTo(row);
            Array.Clear(patch);
            for (int tap = 0; tap < p.Kernel * p.Kernel; tap++)
            {
                int y = ((at / p.OutSize) * p.Stride) + (tap / p.Kernel) - p.Pad, x = ((at % p.OutSize) * p.Stride) + (tap % p.Kernel) - p.Pad;
                if (y < 0 || x < 0 || y >= p.Size || x >= p.Size)
                {
                    continue;
                }

                var pixel = map.AsSpan(((y * p.Size) + x) * p.In, p.In);
                if (p.Depthwise)
                {
                    TensorPrimitives.MultiplyAdd(pixel, filters.AsSpan(tap * p.In, p.In), row, row);
                }
                else
                {
                    pixel.CopyTo(patch.AsSpan(tap * p.In));
                }
            }

            for (int o = 0; !p.Depthwise && o < p.Out; o++)
            {
                row[o] += TensorPrimitives.Dot(patch, filters.AsSpan(o * patch.Length, patch.Length));
            }
        }

        return sums;
    }

    private readonly record struct Place(int Kernel, int Stride, int Pad, int Size, int In, int OutSize, int Out, bool Depthwise);
}
