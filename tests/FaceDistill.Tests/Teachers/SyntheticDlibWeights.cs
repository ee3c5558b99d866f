using System.Text.Json;

namespace FaceDistill.Tests.Teachers;

/// <summary>Random weights in the manifest's format with the shapes of dlib's network, listed here a second time on purpose.</summary>
internal static class SyntheticDlibWeights
{
    private static readonly string[] BinNames = ["weights.bin"];

    public static (string Manifest, string Bin) Write(TempFolder folder, int seed)
    {
        var random = new Random(seed);
        var entries = new List<object>();
        using var bin = new MemoryStream();
        foreach ((string name, int[] shape) in Shapes())
        {
            (double low, double high) = Range(name, shape);
            int count = shape.Aggregate(1, (a, b) => a * b);
            // As in the real file, the 64-channel filters are float32 and everything else is uint8.
            if (name.StartsWith("conv64", StringComparison.Ordinal) && name.EndsWith("filters", StringComparison.Ordinal))
            {
                entries.Add(new { name, shape, dtype = "float32" });
                for (int i = 0; i < count; i++)
                {
                    bin.Write(BitConverter.GetBytes((float)(low + (random.NextDouble() * (high - low)))));
                }
            }
            else
            {
                entries.Add(new { name, shape, dtype = "float32", quantization = new { dtype = "uint8", scale = (high - low) / 255, min = low } });
                byte[] bytes = new byte[count];
                random.NextBytes(bytes);
                bin.Write(bytes);
            }
        }

        (string manifestPath, string binPath) = (folder["weights_manifest.json"], folder["weights.bin"]);
        File.WriteAllText(manifestPath, JsonSerializer.Serialize(new[] { new { weights = entries, paths = BinNames } }));
        File.WriteAllBytes(binPath, bin.ToArray());
        return (manifestPath, binPath);
    }

    private static IEnumerable<(string Name, int[] Shape)> Shapes()
    {
        foreach ((string Name, int[] Shape) tensor in Conv("conv32_down", 7, 3, 32))
        {
            yield return tensor;
        }

        int inputs = 32;
        foreach (string block in "32_1 32_2 32_3 64_down 64_1 64_2 64_3 128_down 128_1 128_2 256_down 256_1 256_2 256_down_out".Split(' '))
        {
            int outputs = int.Parse(block.Split('_')[0], System.Globalization.CultureInfo.InvariantCulture);
            foreach ((string Name, int[] Shape) tensor in Conv($"conv{block}/conv1", 3, inputs, outputs)
                .Concat(Conv($"conv{block}/conv2", 3, outputs, outputs)))
            {
                yield return tensor;
            }

            inputs = outputs;
        }

        yield return ("fc", [256, 128]);
    }

    private static (string Name, int[] Shape)[] Conv(string name, int kernel, int inputs, int outputs) =>
    [
        ($"{name}/conv/filters", [kernel, kernel, inputs, outputs]), ($"{name}/conv/bias", [outputs]),
        ($"{name}/scale/weights", [outputs]), ($"{name}/scale/biases", [outputs]),
    ];

    // He's initialisation keeps the activations near 1; the second convolution of a block is smaller, so that sums do not grow.
    private static (double Low, double High) Range(string name, int[] shape)
    {
        if (name.EndsWith("scale/weights", StringComparison.Ordinal))
        {
            return name.Contains("conv2", StringComparison.Ordinal) ? (0.2, 0.6) : (0.7, 1.3);
        }

        if (shape.Length == 1)
        {
            return (-0.2, 0.3);
        }

        double bound = Math.Sqrt(6.0 / shape[..^1].Aggregate(1, (a, b) => a * b));
        return (-bound, bound);
    }
}
