using FaceDistill.Formats;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace FaceDistill.Tests.Teachers;

/// <summary>
/// dlib's ResNet once more, by TorchSharp: scale layers stand on their own, padding is by concatenation with zeros, and
/// whether a block pads is read off the tensors. Shares nothing with the converter but the weight reader.
/// </summary>
internal sealed class DlibTorchReference(TfjsWeights weights)
{
    public float[] Forward(float[] input, int batch)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor x = relu(Scaled(tensor(input, [batch, 3, 150, 150]), "conv32_down", 7, 3, 32, 2, 0));
        x = max_pool2d(x, 3, 2);
        int channels = 32;
        foreach (string name in "32_1 32_2 32_3 64_down 64_1 64_2 64_3 128_down 128_1 128_2 256_down 256_1 256_2 256_down_out".Split(' '))
        {
            int outputs = int.Parse(name.Split('_')[0], System.Globalization.CultureInfo.InvariantCulture);
            bool down = name.Contains("down", StringComparison.Ordinal);
            Tensor y = relu(Scaled(x, $"conv{name}/conv1", 3, channels, outputs, down ? 2 : 1, down ? 0 : 1));
            y = Scaled(y, $"conv{name}/conv2", 3, outputs, outputs, 1, 1);
            x = relu(down ? SumOfUnequal(y, avg_pool2d(x, 2, 2)) : x + y);
            channels = outputs;
        }

        Tensor matrix = tensor(weights.Get("fc", 256, 128).Values, [256, 128]);
        return x.mean([2, 3]).matmul(matrix).data<float>().ToArray();
    }

    private static Tensor SumOfUnequal(Tensor y, Tensor skip)
    {
        if (skip.shape[2] != y.shape[2])
        {
            y = cat([y, zeros(y.shape[0], y.shape[1], 1, y.shape[3])], 2);
            y = cat([y, zeros(y.shape[0], y.shape[1], y.shape[2], 1)], 3);
        }

        return y + (skip.shape[1] == y.shape[1] ? skip : cat([skip, zeros_like(skip)], 1));
    }

    private Tensor Scaled(Tensor x, string name, int kernel, int inputs, int outputs, int stride, int pad)
    {
        Tensor filters = tensor(weights.Get($"{name}/conv/filters", kernel, kernel, inputs, outputs).Values, [kernel, kernel, inputs, outputs]);
        Tensor y = conv2d(x, filters.permute(3, 2, 0, 1).contiguous(), Channel($"{name}/conv/bias", outputs).flatten(), [stride, stride], [pad, pad]);
        return y * Channel($"{name}/scale/weights", outputs) + Channel($"{name}/scale/biases", outputs);
    }

    private Tensor Channel(string name, int count) => tensor(weights.Get(name, count).Values, [1, count, 1, 1]);
}
