using FaceDistill.Faces;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Tests.Views;

public sealed class ViewRendererTests : IDisposable
{
    private static readonly AlignedFrame Frame = new(160, 16);
    private static readonly ViewParameters Same = new(false, 0, 0, 1, 0);
    private readonly Mat _picture = new(Frame.Side, Frame.Side, MatType.CV_8UC3);

    public ViewRendererTests()
    {
        var pixels = new byte[24 * 24 * 3];
        new Random(3).NextBytes(pixels);
        using var noise = Mat.FromPixelData(24, 24, MatType.CV_8UC3, pixels);
        Cv2.Resize(noise, _picture, _picture.Size(), interpolation: InterpolationFlags.Cubic);
    }

    public void Dispose() => _picture.Dispose();

    [Theory]
    [InlineData(96)]
    [InlineData(160)]
    [InlineData(192)]
    public void Without_a_change_it_is_bit_for_bit_what_an_evaluation_sees(int size)
    {
        using var expected = Frame.View(_picture, size);
        Assert.Equal(0, Difference(expected, Same, size));
        Cv2.Flip(expected, expected, FlipMode.Y);
        Assert.Equal(0, Difference(expected, Same with { Mirror = true }, size));
    }

    [Fact]
    public void A_shifted_cut_shows_the_border_of_the_aligned_picture()
    {
        using var expected = new Mat(_picture, new Rect(32, 8, 160, 160)); // 16 right and 8 up of the square at (16, 16)
        using var whole = expected.Clone();
        Assert.Equal(0, Difference(whole, Same with { ShiftX = 0.1, ShiftY = -0.05 }, 160));
        Cv2.Flip(whole, whole, FlipMode.Y);
        Assert.Equal(0, Difference(whole, Same with { ShiftX = 0.1, ShiftY = -0.05, Mirror = true }, 160));
    }

    [Fact]
    public void A_right_angle_turns_the_face()
    {
        using var expected = Frame.View(_picture, 160);
        Cv2.Rotate(expected, expected, RotateFlags.Rotate90Counterclockwise);
        Assert.InRange(Difference(expected, Same with { Rotation = 90 }, 160), 0, 1);
    }

    [Fact]
    public void Twice_the_scale_shows_the_middle_half()
    {
        using var middle = new Mat(_picture, new Rect(56, 56, 80, 80));
        using var expected = new Mat();
        Cv2.Resize(middle, expected, new Size(160, 160), interpolation: InterpolationFlags.Linear);
        using var view = new ViewRenderer(Frame).Render(_picture, Same with { Scale = 2 }, 160);
        using var inner = new Mat(view, new Rect(4, 4, 152, 152));
        using var wanted = new Mat(expected, new Rect(4, 4, 152, 152)); // the edges have neighbours in the view only
        Assert.InRange(Cv2.Norm(inner, wanted, NormTypes.INF), 0, 3); // OpenCV's tables of 1/32 pixel
    }

    public static TheoryData<string> Changes => ["brightness", "contrast", "gamma", "hue", "saturation", "blur", "jpeg", "downscale", "erase"];

    [Theory]
    [MemberData(nameof(Changes))]
    public void Every_change_changes_the_picture_but_neither_its_size_nor_the_source(string change)
    {
        var view = change switch
        {
            "brightness" => Same with { Brightness = 0.2 },
            "contrast" => Same with { Contrast = -0.3 },
            "gamma" => Same with { Gamma = 0.4 },
            "hue" => Same with { Hue = 15 },
            "saturation" => Same with { Saturation = -0.3 },
            "blur" => Same with { Blur = 0.01 },
            "jpeg" => Same with { JpegQuality = 20 },
            "downscale" => Same with { Downscale = 3 },
            _ => Same with { Erased = (0.2, 0.3, 0.2, 0.2), ErasedGrey = 200 },
        };
        using var before = _picture.Clone();
        using var plain = Frame.View(_picture, 96);
        using var changed = new ViewRenderer(Frame).Render(_picture, view, 96);
        Assert.Equal((96, 96, MatType.CV_8UC3, true), (changed.Width, changed.Height, changed.Type(), changed.IsContinuous()));
        Assert.InRange(Cv2.Norm(plain, changed, NormTypes.L1) / (96 * 96 * 3), 0.3, 80);
        Assert.Equal(0, Cv2.Norm(before, _picture, NormTypes.INF));
    }

    [Fact]
    public void Light_acts_as_its_formula_says_and_grey_stays_grey_under_another_hue()
    {
        using var grey = new Mat(Frame.Side, Frame.Side, MatType.CV_8UC3, Scalar.All(100));
        Assert.Equal(151, Value(grey, Same with { Brightness = 0.2 })); // 100 + 51
        Assert.Equal(86, Value(grey, Same with { Contrast = 0.5 }));    // 127.5 + 1.5 (100 - 127.5)
        Assert.Equal((int)Math.Round(255 * Math.Pow(100 / 255.0, Math.Exp(0.3))), Value(grey, Same with { Gamma = 0.3 }));
        Assert.InRange(Value(grey, Same with { Hue = 15, Saturation = 0.3 }), 99, 101);
        using var blue = new Mat(Frame.Side, Frame.Side, MatType.CV_8UC3, new Scalar(200, 50, 50));
        using var pale = new ViewRenderer(Frame).Render(blue, Same with { Saturation = -1 }, 64);
        var pixel = pale.At<Vec3b>(30, 30);
        Assert.InRange(Math.Max(Math.Abs(pixel.Item0 - pixel.Item1), Math.Abs(pixel.Item1 - pixel.Item2)), 0, 1); // no saturation: grey
    }

    [Fact]
    public void Two_sizes_show_the_same_view()
    {
        var view = new ViewParameters(true, 0.03, -0.02, 1.05, 5) { Blur = 0.005, Downscale = 1, JpegQuality = 40, Brightness = 0.1 };
        var (small, large) = new ViewRenderer(Frame).RenderTwice(_picture, view, 80, 160);
        using (small)
        using (large)
        {
            using var shrunk = new Mat();
            Cv2.Resize(large, shrunk, new Size(80, 80), interpolation: InterpolationFlags.Area);
            Assert.InRange(Cv2.Norm(small, shrunk, NormTypes.L1) / (80 * 80 * 3), 0, 1);
        }
    }

    private static int Value(Mat picture, ViewParameters view)
    {
        using var drawn = new ViewRenderer(Frame).Render(picture, view, 64);
        return drawn.At<Vec3b>(20, 40).Item1;
    }

    private double Difference(Mat expected, ViewParameters view, int size)
    {
        using var drawn = new ViewRenderer(Frame).Render(_picture, view, size);
        return Cv2.Norm(expected, drawn, NormTypes.INF);
    }
}
