using FaceDistill.Views;

namespace FaceDistill.Tests.Views;

public sealed class ViewParametersTests
{
    private static readonly AugmentOptions Everything = new()
    {
        Shift = 0.1, Scale = 0.2, Rotation = 10, Brightness = 0.3, Contrast = 0.4, Gamma = 0.5, Colour = 0.5, Blur = 0.5, Jpeg = 0.5, Downscale = 0.5,
            Erase = 0.5,
    };

    [Fact]
    public void The_same_keys_give_the_same_view_and_each_key_counts()
    {
        var view = ViewParameters.Draw(Everything, true, seed: 1, view: 2, face: 3);
        Assert.Equal(view, ViewParameters.Draw(Everything, true, 1, 2, 3));
        Assert.NotEqual(view, ViewParameters.Draw(Everything, true, 9, 2, 3));
        Assert.NotEqual(view, ViewParameters.Draw(Everything, true, 1, 9, 3));
        Assert.NotEqual(view, ViewParameters.Draw(Everything, true, 1, 2, 9));
    }

    [Fact]
    public void Draws_fill_their_ranges_and_chances_are_what_they_say()
    {
        var views = Enumerable.Range(0, 4000).Select(face => ViewParameters.Draw(Everything, true, 1, 0, face)).ToList();
        void Fills(Func<ViewParameters, double> value, double low, double high)
        {
            Assert.All(views, v => Assert.InRange(value(v), low, high));
            Assert.InRange(views.Average(value), low + (0.45 * (high - low)), low + (0.55 * (high - low)));
            Assert.True(views.Max(value) - views.Min(value) > 0.98 * (high - low));
        }

        Fills(v => v.ShiftX, -0.1, 0.1);
        Fills(v => v.ShiftY, -0.1, 0.1);
        Fills(v => v.Scale, 0.8, 1.2);
        Fills(v => v.Rotation, -10, 10);
        Fills(v => v.Brightness, -0.3, 0.3);
        Fills(v => v.Contrast, -0.4, 0.4);
        Fills(v => v.Gamma, -0.5, 0.5);
        foreach (var has in new Func<ViewParameters,
            bool>[] { v => v.Mirror, v => v.Hue != 0, v => v.Blur > 0, v => v.JpegQuality > 0, v => v.Downscale > 0, v => v.Erased.Width > 0 })
        {
            Assert.InRange(views.Count(has), 1850, 2150); // 2000 with a standard deviation of 32
        }

        Assert.All(views.Where(v => v.JpegQuality > 0), v => Assert.InRange(v.JpegQuality, 20, 90));
        Assert.All(views.Where(v => v.Erased.Width > 0), v =>
        {
            Assert.InRange(v.Erased.Width * v.Erased.Height, 0.02 - 1e-9, 0.1 + 1e-9);
            Assert.InRange(v.Erased.X + v.Erased.Width, 0, 1 + 1e-9);
        });
    }

    [Fact]
    public void No_augmentation_is_the_aligned_face()
    {
        var views = Enumerable.Range(0, 50).Select(face => ViewParameters.Draw(AugmentOptions.None, false, 1, 0, face)).ToList();
        Assert.All(views, v =>
            Assert.True(v is { IsUnmoved: true, Mirror: false, Brightness: 0, Contrast: 0, Gamma: 0, Hue: 0, Blur: 0, JpegQuality: 0, Downscale: 0 }
            && v.Erased.Width == 0));
    }

    [Fact]
    public void Values_out_of_range_are_named()
    {
        Assert.Contains("rotation is 0 to 45, not 50", Message(new AugmentOptions { Rotation = 50 }), StringComparison.Ordinal);
        Assert.Contains("shift", Message(new AugmentOptions { Shift = double.NaN }), StringComparison.Ordinal);
        Assert.Contains("erase is 0 to 1", Message(new AugmentOptions { Erase = -0.1 }), StringComparison.Ordinal);
        Assert.Same(AugmentOptions.Strong, AugmentOptions.Strong.Validated());
    }

    private static string Message(AugmentOptions options) => Assert.Throws<FaceDistillException>(options.Validated).Message;
}
