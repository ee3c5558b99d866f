using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Options;
using FaceDistill.Views;
using static TorchSharp.torch;

namespace FaceDistill.Training.Starts;

/// <summary>
/// Starts a student with the weights of another one, or of a published backbone, of the same width or a wider one. Of a wider one some channels are kept, in
/// their order, by a <see cref="ChannelRule"/>; the layers behind lose the inputs that went, and are fitted to what is left where there are faces to do it on
/// (<see cref="StartPair"/>). A head of another resolution's map is fitted by <see cref="PooledKernel"/>. The embedding layer is taken over, folded into the
/// new target scaling, where head, teacher and dimension are the same; of a shorter embedding than the teacher's it is turned to the new projector's axes.
/// </summary>
internal static class WeightTransfer
{
    /// <summary>Why a student cannot start from a network; null where it can.</summary>
    /// <param name="from">The network.</param>
    /// <param name="student">The student's name.</param>
    public static string? Misfit(StudentSpec from, string student)
    {
        var to = StudentSpec.Parse(student);
        return from.Kind != to.Kind ? $"another network than {student}; a start is of the same one"
            : from.Width < to.Width ? $"narrower than {student}; a start has the same or a greater width"
            : from.Kind == MobileNetKind.Conv && from.Width > to.Width ? $"wider than {student}; full convolutions start from the same width"
            : null;
    }

    /// <summary>Refuses a start that does not fit.</summary>
    /// <param name="path">The start's file or card, for the message.</param>
    /// <param name="start">What it is, for the message.</param>
    /// <param name="from">Its network.</param>
    /// <param name="student">The student's name.</param>
    /// <exception cref="FaceDistillException">It is narrower than the student, or another network.</exception>
    public static void RequireFit(string path, string start, StudentSpec from, string student)
    {
        if (Misfit(from, student) is { } wrong)
        {
            throw new FaceDistillException($"{path} is {start}, {wrong}");
        }
    }

    /// <summary>Copies what fits, and fits what does not.</summary>
    /// <param name="source">What to start from.</param>
    /// <param name="description">The student to start.</param>
    /// <param name="scaling">The student's target scaling.</param>
    /// <param name="target">Its network.</param>
    /// <param name="options">Which channels of a wider source are kept, and whether layers that lost inputs are fitted to the source's on the faces.</param>
    /// <param name="faces">Training faces; null to copy only, by L1 where the rule needs faces.</param>
    /// <param name="projector">The map that the student's targets go through; null for none.</param>
    /// <returns>One line about what was taken.</returns>
    /// <exception cref="FaceDistillException">The source is narrower, or a face cannot be read.</exception>
    public static string Apply(
        StudentStart source, StudentDescription description, TargetScaling scaling, MobileNetV1 target, StudentOptions options, StartFaces? faces,
        Projector? projector = null)
    {
        var (from, to) = (source.Architecture, target.Architecture);
        var (rule, refit) = (options.InitChannels, options.InitRefit);
        string width = source.Scaling is null ? InvariantText.Of($" of width {from.Spec.Width}") : "";
        RequireFit(source.Path, source.Name + width, from.Spec, description.Student);
        using var frozen = no_grad();
        bool narrower = from.Features > to.Features;
        using var pair = narrower && faces is not null ? new StartPair(source, target, faces, refit) : null;
        var (old, weights) = (source.Model.state_dict(), target.state_dict());
        int[] kept = [0, 1, 2]; // the picture's colours
        for (int i = 0; i < from.Backbone.Count; i++)
        {
            var (wide, narrow) = (from.Backbone[i], to.Backbone[i]);
            pair?.Next(i);
            int[] outputs = wide.Groups > 1 ? kept
                : rule == ChannelRule.Reconstruction && pair is not null ? pair.Choose(i, narrow.Out)
                : Strongest(rule == ChannelRule.BatchNorm ? Magnitudes(old[$"{wide.Name}_bn.weight"]) : Magnitudes(old[$"{wide.Name}.weight"]), narrow.Out);
            Copy(old, wide, narrow, kept, outputs, weights);
            pair?.Fit(i, kept, outputs);
            kept = outputs;
        }

        // Of a start of the same width only a new head over the map has to see the faces.
        using var maps = pair?.Narrow ?? (faces is null || to.HeadConvolution is null || HasHead(source, to) ? null : StartLayers.Maps(target, faces));
        bool head = Head(source, target, kept, maps);
        bool alike = head && from.Dimension == to.Dimension && source.TeacherHash == description.TeacherHash;
        var axes = projector is null || !alike || source.Folder is null ? null : Projector.Find(source.Folder, projector.From, projector.To);
        bool embedding = alike && (projector is null || axes is not null);
        bool turned = axes?.Matrix.AsSpan().SequenceEqual(projector!.Matrix) == false;
        if (embedding)
        {
            Embedding(old, from, kept, source.Scaling!, scaling, weights, turned ? values => projector!.Turned(axes!, values) : values => values);
        }

        bool fits = faces is not null && description.TeacherHash.Length > 0 && (!embedding || ((narrower || turned) && refit));
        string fitted = fits ? ", " + EmbeddingFit.Apply(target, faces!, keep: embedding) : "";
        if (source.WasFolded)
        {
            foreach (var layer in to.Convolutions)
            {
                StartLayers.ToUsualScale(weights, layer);
            }
        }

        string narrowed = pair is null ? "" : $", {(refit ? "narrowed and fitted" : "narrowed")} on {faces!.Count} faces";
        string rest = turned ? "with its embedding layer, turned to other axes"
            : embedding ? "with its embedding layer"
            : source.Scaling is null ? "which has no embedding layer"
            : alike && source.Folder is null ? "without its embedding layer, whose axes an exported file does not carry (its run folder does)"
            : alike ? $"without its embedding layer, whose axes ({Projector.FileName}) are not beside it"
            : head && source.TeacherHash == description.TeacherHash ? InvariantText.Of($"without its embedding layer, which gives {from.Dimension} values")
            : head ? "without its embedding layer, which belongs to another teacher"
            : "without its head, which is another";
        return $"weights of {source.Name} from {source.Path}, {rest}{narrowed}{fitted}";
    }

    private static void Copy(
        Dictionary<string, Tensor> source, ConvLayer wide, ConvLayer narrow, int[] inputs, int[] outputs, Dictionary<string, Tensor> weights)
    {
        int perInput = narrow.Kernel * narrow.Kernel, perOutput = perInput * (wide.In / wide.Groups);
        float[] filters = StartLayers.Values(source[$"{wide.Name}.weight"]);
        filters = wide.Kernel == narrow.Kernel ? filters : PooledKernel.Resize(filters, wide.Kernel, narrow.Kernel);
        bool depthwise = wide.Groups > 1;
        StartLayers.Put(weights[$"{narrow.Name}.weight"], outputs.SelectMany(o => (depthwise ? [0] : inputs)
            .SelectMany(i => filters.AsSpan((o * perOutput) + (i * perInput), perInput).ToArray())));
        foreach (string part in new[] { "weight", "bias", "running_mean", "running_var" })
        {
            float[] values = StartLayers.Values(source[$"{wide.Name}_bn.{part}"]);
            StartLayers.Put(weights[$"{narrow.Name}_bn.{part}"], outputs.Select(o => values[o]));
        }
    }

    // Whether the source's head was taken. Where it has none, one over the whole map starts as the mean over it, which is what a backbone is trained with.
    private static bool Head(StudentStart source, MobileNetV1 target, int[] kept, Activations? maps)
    {
        var (from, to) = (source.Architecture, target.Architecture);
        bool same = HasHead(source, to);
        if (to.HeadConvolution is not { } layer)
        {
            return same;
        }

        var weights = target.state_dict();
        if (same)
        {
            Copy(source.Model.state_dict(), from.HeadConvolution!, layer, kept, kept, weights);
        }
        else if (maps is not null)
        {
            StartLayers.Put(weights[$"{layer.Name}.weight"], Enumerable.Repeat(1f / (layer.Kernel * layer.Kernel), (int)layer.Weights));
        }

        if (maps is not null && (!same || from.Features > to.Features))
        {
            maps.Replace(x => StartLayers.Convolve(layer, x, weights[$"{layer.Name}.weight"]));
            StartLayers.PutMoments(weights, layer, maps.Moments());
        }

        return same;
    }

    private static bool HasHead(StudentStart source, MobileNetV1Architecture to) => source.Scaling is not null && source.Architecture.Head == to.Head;

    // The L1 norm of each output's values.
    private static double[] Magnitudes(Tensor values)
    {
        float[] all = StartLayers.Values(values);
        int each = all.Length / (int)values.shape[0];
        return [.. all.Chunk(each).Select(filter => filter.Sum(w => Math.Abs((double)w)))];
    }

    private static int[] Strongest(double[] strengths, int keep) =>
        [.. Enumerable.Range(0, strengths.Length).OrderByDescending(o => strengths[o]).Take(keep).Order()];

    // In the teacher's space, seen along the target's axes: (W x + b) s + m of the source must be what the target's scaling makes of the target's layer.
    private static void Embedding(
        Dictionary<string, Tensor> source, MobileNetV1Architecture from, int[] kept, TargetScaling old, TargetScaling scaling,
        Dictionary<string, Tensor> weights, Func<float[], float[]> axes)
    {
        float[] matrix = axes(StartLayers.Values(source["embedding.weight"])), bias = axes(StartLayers.Values(source["embedding.bias"]));
        float[] mean = axes(old.Mean);
        double ratio = (double)old.Scale / scaling.Scale;
        StartLayers.Put(weights["embedding.weight"], Enumerable.Range(0, from.Dimension)
            .SelectMany(d => kept.Select(i => (float)(matrix[(d * from.Features) + i] * ratio))));
        StartLayers.Put(weights["embedding.bias"], bias.Select((b, d) => (float)((b * ratio) + (((double)mean[d] - scaling.Mean[d]) / scaling.Scale))));
    }
}
