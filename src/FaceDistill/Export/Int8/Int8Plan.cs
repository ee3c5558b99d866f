namespace FaceDistill.Export;

/// <summary>Everything that decides a quantised graph besides the student's weights.</summary>
/// <param name="Ranges">The levels of "input", of each layer's output and of "pooled", by name.</param>
/// <param name="Biases">The bias of each layer, float32 [out], corrected or not, by the layer's name.</param>
/// <param name="Float32Layers">The layers that stay in float32.</param>
public sealed record Int8Plan(
    IReadOnlyDictionary<string, ActivationRange> Ranges, IReadOnlyDictionary<string, float[]> Biases, IReadOnlySet<string> Float32Layers);
