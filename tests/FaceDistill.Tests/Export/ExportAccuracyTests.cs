using FaceDistill.Export;

namespace FaceDistill.Tests.Export;

public sealed class ExportAccuracyTests
{
    [Fact]
    public void A_loss_above_the_limit_is_refused()
    {
        var accuracy = new ExportAccuracy("lfw-view1-test", "lfw", 6844451, 0.18, null, 0.165, null);
        Assert.Equal(1.5, accuracy.LossPoints!.Value, 1e-9);
        accuracy.Check(null, "x.onnx");
        accuracy.Check(1.51, "x.onnx");
        Assert.Equal("x.onnx was not written: TAR at 1e-4 falls from 18.00% to 16.50% by lfw-view1-test on lfw, 1.50 points where --max-loss allows 1.49",
            Assert.Throws<FaceDistillException>(() => accuracy.Check(1.49, "x.onnx")).Message);
        (accuracy with { TarAfter = 0.19 }).Check(0, "x.onnx");
    }

    [Fact]
    public void A_loss_that_cannot_be_measured_passes_no_gate()
    {
        var accuracy = new ExportAccuracy("all-pairs", "few", 600, null, null, null, null);
        accuracy.Check(null, "x.onnx");
        Assert.Contains("600 impostor pairs, too few", Assert.Throws<FaceDistillException>(() => accuracy.Check(100, "x.onnx")).Message,
            StringComparison.Ordinal);
    }
}
