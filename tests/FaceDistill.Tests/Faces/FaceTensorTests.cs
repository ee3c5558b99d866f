using FaceDistill.Faces;
using FaceDistill.Kernels;
using FaceDistill.Students;
using OpenCvSharp;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Faces;

public sealed class FaceTensorTests
{
    private const int Size = 32;

    [Theory]
    [InlineData(ColorOrder.Rgb, TensorLayout.Nchw, false)]
    [InlineData(ColorOrder.Rgb, TensorLayout.Nhwc, false)]
    [InlineData(ColorOrder.Bgr, TensorLayout.Nchw, false)]
    [InlineData(ColorOrder.Bgr, TensorLayout.Nhwc, false)]
    [InlineData(ColorOrder.Rgb, TensorLayout.Nchw, true)]
    [InlineData(ColorOrder.Rgb, TensorLayout.Nhwc, true)]
    [InlineData(ColorOrder.Bgr, TensorLayout.Nchw, true)]
    [InlineData(ColorOrder.Bgr, TensorLayout.Nhwc, true)]
    public void Values_equal_those_of_a_naive_twin(ColorOrder order, TensorLayout layout, bool perImage)
    {
        using var face = Noise();
        var contract = new ModelInputSpec(Size, "dlib", order, layout, [122.782f, 117.001f, 104.298f], [256, 128, 64], perImage);
        var values = new float[contract.Values];
        FaceTensor.Fill(face, contract, values);
        for (int y = 0; y < Size; y++)
        {
            for (int x = 0; x < Size; x++)
            {
                for (int c = 0; c < 3; c++)
                {
                    int index = layout == TensorLayout.Nchw ? (((c * Size) + y) * Size) + x : (((y * Size) + x) * 3) + c;
                    Assert.Equal(Naive(face, contract, x, y, c), values[index], 1e-5);
                }
            }
        }
    }

    [Fact]
    public void The_training_path_gives_the_same_values()
    {
        TorchNative.EnsureLoaded();
        using var face = Noise();
        var contract = FaceTensor.StudentContract(Size, "dlib");
        var expected = new float[contract.Values];
        FaceTensor.Fill(face, contract, expected);
        var bytes = new byte[contract.Values];
        FaceTensor.CopyRgb(face, bytes);
        using var pixels = tensor(bytes, [1, Size, Size, 3]);
        using var normalized = StudentInput.Normalize(pixels, contract);
        using var plain = normalized.contiguous();
        Assert.Equal(new long[] { 1, 3, Size, Size }, normalized.shape);
        Assert.Equal(1, normalized.stride(1)); // channels innermost
        float[] actual = plain.data<float>().ToArray();
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Copied_bytes_are_red_green_blue_row_by_row()
    {
        using var face = Noise();
        var bytes = new byte[3 * Size * Size];
        FaceTensor.CopyRgb(face, bytes);
        for (int i = 0; i < Size * Size; i++)
        {
            var bgr = face.At<Vec3b>(i / Size, i % Size);
            Assert.Equal((bgr.Item2, bgr.Item1, bgr.Item0), (bytes[3 * i], bytes[(3 * i) + 1], bytes[(3 * i) + 2]));
        }
    }

    [Fact]
    public void A_part_of_a_picture_and_a_grey_one_are_refused()
    {
        using var face = Noise();
        using var part = new Mat(face, new Rect(0, 0, 16, 16));
        using var grey = new Mat(16, 16, MatType.CV_8UC1, new Scalar(7));
        Assert.Throws<ArgumentException>(() => FaceTensor.CopyRgb(part, new byte[3 * 16 * 16]));
        Assert.Throws<ArgumentException>(() => FaceTensor.CopyRgb(grey, new byte[3 * 16 * 16]));
    }

    [Fact]
    public void A_face_of_another_size_is_refused()
    {
        using var face = Noise();
        Assert.Throws<ArgumentException>(() => FaceTensor.Fill(face, FaceTensor.StudentContract(64, "dlib"), new float[3 * 64 * 64]));
    }

    [Fact]
    public void A_grey_picture_can_be_standardised()
    {
        using var face = new Mat(Size, Size, MatType.CV_8UC3, new Scalar(90, 90, 90));
        var contract = new ModelInputSpec(Size, "dlib", ColorOrder.Rgb, TensorLayout.Nchw, [0, 0, 0], [1, 1, 1], PerImageStandardisation: true);
        var values = new float[contract.Values];
        FaceTensor.Fill(face, contract, values);
        Assert.All(values, v => Assert.Equal(0, v, 1e-3));
    }

    private static Mat Noise()
    {
        var face = new Mat(Size, Size, MatType.CV_8UC3);
        Cv2.SetTheRNG(7);
        Cv2.Randu(face, new Scalar(0, 0, 0), new Scalar(256, 256, 256));
        return face;
    }

    private static double Naive(Mat face, ModelInputSpec contract, int x, int y, int channel)
    {
        var pixel = face.At<Vec3b>(y, x);
        byte[] rgb = [pixel.Item2, pixel.Item1, pixel.Item0];
        int value = contract.ColorOrder == ColorOrder.Rgb ? rgb[channel] : rgb[2 - channel];
        if (!contract.PerImageStandardisation)
        {
            return (value - (double)contract.Mean[channel]) / contract.Std[channel];
        }

        face.GetArray(out Vec3b[] all);
        double[] bytes = [.. all.SelectMany(p => new double[] { p.Item0, p.Item1, p.Item2 })];
        double mean = bytes.Average();
        double deviation = Math.Sqrt(bytes.Average(b => (b - mean) * (b - mean)));
        return (value - mean) / Math.Max(deviation, 1 / Math.Sqrt(bytes.Length));
    }
}
