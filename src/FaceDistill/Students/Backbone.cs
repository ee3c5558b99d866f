using System.Text.Json;
using FaceDistill.Assets;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Students;

/// <summary>One convolution of a backbone with its batch norm folded in.</summary>
/// <param name="Filters">float32 [out, in / groups, kernel, kernel], row-major.</param>
/// <param name="Bias">float32 [out].</param>
internal sealed record BackboneLayer(float[] Filters, float[] Bias);

/// <summary>
/// A published MobileNet v1 in Keras's names as TensorFlow.js converts it: conv1, conv_dw_1 to 13 and conv_pw_1 to 13, batch norms folded. Of a full or
/// pointwise convolution the filter ("convolution/merged_input") has the norm's factor in it, of a depthwise one the factor stands beside
/// ("batchnorm_1/mul"); of both the offset is "batchnorm_1/sub", which is added.
/// </summary>
internal sealed class Backbone
{
    private readonly TfjsWeights _weights;

    /// <summary>Reads the files.</summary>
    /// <param name="card">The backbone.</param>
    /// <param name="manifest">The model's .json.</param>
    /// <param name="bin">Its weights.</param>
    /// <exception cref="FaceDistillException">A file is damaged, or a layer is missing or has another shape.</exception>
    public Backbone(BackboneCard card, string manifest, string bin)
    {
        Card = card;
        _weights = TfjsWeights.Read(manifest, bin, InvariantText.Of($"MobileNet v1 {card.Width:0.0###}"));
        foreach (var layer in Architecture(StudentsLargest).Backbone)
        {
            Folded(layer);
        }
    }

    private const int StudentsLargest = 224; // any resolution: the backbone's filters do not depend on it

    /// <summary>The card.</summary>
    public BackboneCard Card { get; }

    /// <summary>The layers at a resolution.</summary>
    /// <param name="resolution">A student's resolution.</param>
    public MobileNetV1Architecture Architecture(int resolution) => new(new StudentSpec(Card.Width, resolution), HeadKind.Gap, 1);

    /// <summary>
    /// A layer as a student computes it. The first one takes the student's input, x = (p - m) / s in red, green, blue, instead of the backbone's,
    /// (p - M) / S: its filters are turned to that order and multiplied by s / S, and (m - M) / S of each filter's sum goes into the bias. At the
    /// border, where zeros stand for m instead of M, that differs a little.
    /// </summary>
    /// <param name="layer">A layer of <see cref="Architecture"/>.</param>
    /// <param name="contract">What the student wants to see.</param>
    /// <exception cref="FaceDistillException">The layer is missing or has another shape.</exception>
    public BackboneLayer Layer(ConvLayer layer, ModelInputSpec contract)
    {
        var folded = Folded(layer);
        if (layer.In != 3)
        {
            return folded;
        }

        float[] filters = new float[folded.Filters.Length], bias = [.. folded.Bias];
        int plane = layer.Kernel * layer.Kernel;
        for (int o = 0; o < layer.Out; o++)
        {
            double offset = 0;
            for (int c = 0; c < 3; c++)
            {
                int theirs = Card.ColorOrder == contract.ColorOrder ? c : 2 - c;
                double factor = (double)contract.Std[c] / Card.Std[theirs], shift = ((double)contract.Mean[c] - Card.Mean[theirs]) / Card.Std[theirs];
                for (int k = 0; k < plane; k++)
                {
                    float value = folded.Filters[(((o * 3) + theirs) * plane) + k];
                    filters[(((o * 3) + c) * plane) + k] = (float)(value * factor);
                    offset += value * shift;
                }
            }

            bias[o] = (float)(bias[o] + offset);
        }

        return new BackboneLayer(filters, bias);
    }

    private BackboneLayer Folded(ConvLayer layer)
    {
        bool depthwise = layer.Groups > 1;
        string name = layer.Name == "conv0" ? "conv1" : $"conv_{layer.Name[..2]}_{layer.Name[2..]}"; // dw3 is conv_dw_3
        int k = layer.Kernel, inputs = layer.In / layer.Groups;
        float[] bias = _weights.Get($"{name}_bn/batchnorm_1/sub", layer.Out).Values;
        float[] stored = depthwise ? _weights.Get($"{name}/depthwise_kernel", k, k, layer.Out, 1).Values
            : _weights.Get($"{name}/convolution/merged_input", k, k, layer.In, layer.Out).Values;
        float[]? factors = depthwise ? _weights.Get($"{name}_bn/batchnorm_1/mul", layer.Out).Values : null;
        // From [place, in, out]; a depthwise filter's [place, channel, 1] is the same with one input.
        var filters = new float[stored.Length];
        for (int place = 0; place < k * k; place++)
        {
            for (int i = 0; i < inputs; i++)
            {
                for (int o = 0; o < layer.Out; o++)
                {
                    filters[(((o * inputs) + i) * k * k) + place] = stored[(((place * inputs) + i) * layer.Out) + o] * (factors?[o] ?? 1);
                }
            }
        }

        return new BackboneLayer(filters, bias);
    }
}

/// <summary>The card of a published backbone that students start from (teachers/backbones/NAME.json).</summary>
internal sealed record BackboneCard
{
    private const string Keras = "keras-mobilenet-v1";
    private static readonly string[] Endings = [".json", ".bin"];

    /// <summary>The card's name.</summary>
    public required string Name { get; init; }

    /// <summary>One sentence.</summary>
    public required string Description { get; init; }

    /// <summary>The terms of the weights.</summary>
    public required string Licence { get; init; }

    /// <summary>Where the weights come from.</summary>
    public required string Source { get; init; }

    /// <summary>The files: one .json (the model or its manifest) and one .bin.</summary>
    public required Asset[] Assets { get; init; }

    /// <summary>How the layers are called and folded: "keras-mobilenet-v1".</summary>
    public required string Layers { get; init; }

    /// <summary>The order of the input's channels.</summary>
    public required ColorOrder ColorOrder { get; init; }

    /// <summary>What is subtracted from the channels of 0..255, in their order.</summary>
    public required float[] Mean { get; init; }

    /// <summary>What the differences are divided by.</summary>
    public required float[] Std { get; init; }

    /// <summary>The width multiplier. Default 1.</summary>
    public double Width { get; init; } = 1;

    /// <summary>Whether what starts from it is for research only.</summary>
    public bool Research { get; init; }

    /// <summary>Whether a name or path is that of a backbone's card.</summary>
    /// <exception cref="FaceDistillException">It is a path of a file that cannot be read or is no JSON.</exception>
    public static bool Is(string nameOrPath) => nameOrPath.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(nameOrPath)
        ? JsonFile.Read<JsonElement>(nameOrPath) is { ValueKind: JsonValueKind.Object } card && card.TryGetProperty("layers", out _)
        : Cards.Names(Cards.Backbones).Contains(nameOrPath);

    /// <summary>Reads a card and checks it.</summary>
    /// <param name="nameOrPath">A shipped card's name, or the path of the user's own.</param>
    /// <exception cref="FaceDistillException">There is no such card or it is malformed; the message names card and field.</exception>
    public static (BackboneCard Card, AssetSet Files) Load(string nameOrPath)
    {
        var text = Cards.ReadText(Cards.Backbones, nameOrPath);
        var card = JsonFile.Parse<BackboneCard>(text.Text, text.Origin);
        var files = new AssetSet(text, card.Name, card.Assets);
        string? wrong = card.Layers != Keras ? $"no layers '{card.Layers}'; there are {Keras}"
            : !Endings.All(e => card.Assets.Count(a => a.File.EndsWith(e, StringComparison.Ordinal)) == 1)
                ? $"{Keras} are read from one {string.Join(" and one ", Endings)} file among the assets"
            : card.Mean.Length != 3 || card.Std.Length != 3 ? "mean and std have three values each"
            : card.Mean.Any(m => !float.IsFinite(m)) || card.Std.Any(s => !float.IsFinite(s) || s <= 0) ? "mean is finite and std positive"
            : !(card.Width is > 0 and <= 1) ? InvariantText.Of($"the width is above 0 and at most 1, not {card.Width}")
            : null;
        return wrong is null ? (card, files) : throw new FaceDistillException($"{text.Origin}: {wrong}");
    }

    /// <summary>Reads the weights of a card.</summary>
    /// <param name="nameOrPath">A shipped card's name, or the path of the user's own.</param>
    /// <param name="finder">Finds the files.</param>
    /// <exception cref="FaceDistillException">The card or a file is missing, malformed or has the wrong hash; the message says what to do.</exception>
    public static Backbone Open(string nameOrPath, AssetFinder finder)
    {
        var (card, files) = Load(nameOrPath);
        string Find(string ending) => finder.Find(files, files.Assets.Single(a => a.File.EndsWith(ending, StringComparison.Ordinal)));
        return new Backbone(card, Find(Endings[0]), Find(Endings[1]));
    }
}
