using FaceDistill.Assets;
using FaceDistill.Faces;
using FaceDistill.Jobs;
using FaceDistill.Students;

namespace FaceDistill.Tests.Students;

public sealed class BackboneTests : IDisposable
{
    private static readonly ModelInputSpec Contract = FaceTensor.StudentContract(64, "dlib");
    private readonly TempFolder _folder = new();
    private readonly AssetFinder _finder;

    public BackboneTests() => _finder = new AssetFinder([], [], _folder["cache"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_first_filters_are_turned_to_red_first_and_give_the_same_for_the_same_picture()
    {
        var tiny = new TinyBackbone(0.25, seed: 1);
        var backbone = BackboneCard.Open(tiny.Write(_folder["b"]), _finder);
        var layer = backbone.Architecture(64).Backbone[0];
        var (filters, bias) = (backbone.Layer(layer, Contract).Filters, backbone.Layer(layer, Contract).Bias);
        float[] picture = [.. Enumerable.Range(0, 64 * 64 * 3).Select(i => (float)((i * 37) % 256))];
        int side = 64;
        float[] expected = tiny.Forward(picture, ref side, ours: true, layers: 1);
        int row = 7, column = 12;
        Assert.All(Enumerable.Range(0, layer.Out), o =>
        {
            double sum = bias[o];
            for (int c = 0; c < 3; c++)
            {
                for (int k = 0; k < 9; k++)
                {
                    float p = picture[(((((2 * row) + (k / 3) - 1) * 64) + (2 * column) + (k % 3) - 1) * 3) + c];
                    sum += filters[(((o * 3) + c) * 9) + k] * ((p - 127.5) / 127.5);
                }
            }

            Assert.Equal(expected[(((row * side) + column) * layer.Out) + o], Math.Max(0, sum), 1e-3);
        });
    }

    [Theory]
    [InlineData("tiny.json", "conv_dw_7/depthwise_kernel", "conv_dw_7/other", "has no tensor conv_dw_7/depthwise_kernel, which MobileNet v1 0.25 needs")]
    [InlineData("tiny.json", "weightsManifest", "weights", "has no weightsManifest")]
    [InlineData("backbone.json", "\"width\": 0.25", "\"width\": 0.5", "has shape [8], MobileNet v1 0.5 needs [16]")]
    [InlineData("backbone.json", "\"width\": 0.25", "\"width\": 2", "the width is above 0 and at most 1, not 2")]
    [InlineData("backbone.json", "keras-mobilenet-v1", "magic", "no layers 'magic'; there are keras-mobilenet-v1")]
    [InlineData("backbone.json", "103.939, ", "", "three values")]
    [InlineData("backbone.json", "\"path\": \"tiny.bin\"", "\"path\": \"gone.bin\"", "no file ")]
    [InlineData("backbone.json", "\"research\"", "\"rsearch\"", "rsearch")]
    public void A_card_or_model_that_does_not_fit_is_one_line(string file, string old, string replacement, string message)
    {
        string card = new TinyBackbone(0.25, seed: 1).Write(_folder["b"]), path = Path.Combine(_folder["b"], file), text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(old, replacement, StringComparison.Ordinal));
        AssertRefused(card, message);
    }

    [Fact]
    public void A_truncated_or_changed_file_is_refused_by_its_hash_and_without_one_by_its_length()
    {
        string card = new TinyBackbone(0.25, seed: 1).Write(_folder["b"]), bin = Path.Combine(_folder["b"], "tiny.bin");
        byte[] bytes = File.ReadAllBytes(bin);
        File.WriteAllBytes(bin, bytes[..^8]);
        AssertRefused(card, "SHA-256");
        string text = File.ReadAllText(card);
        int at = text.IndexOf(", \"sha256\"", StringComparison.Ordinal);
        File.WriteAllText(card, text.Remove(at, 78));
        AssertRefused(card, "ends within axes");
        File.WriteAllBytes(bin, bytes);
        Assert.Equal("tiny-backbone", BackboneCard.Open(card, _finder).Card.Name);
    }

    [Fact]
    public void The_shipped_card_says_that_it_is_for_research()
    {
        var (card, files) = BackboneCard.Load("faceres");
        Assert.True(card.Research);
        Assert.Contains("no licence was found", card.Licence, StringComparison.Ordinal);
        Assert.StartsWith("b0ea2cc4", files.Assets.Single(a => a.File.EndsWith(".bin", StringComparison.Ordinal)).Sha256, StringComparison.Ordinal);
        Assert.Contains("faceres", ModelPull.AllNames);
        Assert.Equal((card.Description, card.Licence), ModelPull.About("faceres"));
        Assert.Contains("teachers pull faceres", Assert.Throws<FaceDistillException>(() => BackboneCard.Open("faceres", _finder)).Message,
            StringComparison.Ordinal);
    }

    private void AssertRefused(string card, string message)
    {
        string said = Assert.Throws<FaceDistillException>(() => BackboneCard.Open(card, _finder)).Message;
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);
    }
}
