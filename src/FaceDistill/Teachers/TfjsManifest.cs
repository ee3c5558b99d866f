namespace FaceDistill.Teachers;

/// <summary>A group of tensors in a TensorFlow.js weights manifest, stored one after the other in the given files.</summary>
internal sealed record TfjsManifestGroup(IReadOnlyList<TfjsManifestEntry> Weights, IReadOnlyList<string> Paths);

/// <summary>One tensor: its name, shape, and how it is stored.</summary>
internal sealed record TfjsManifestEntry(string Name, int[] Shape, string Dtype, TfjsQuantization? Quantization = null);

/// <summary>Linear quantisation: value = stored * scale + min.</summary>
internal sealed record TfjsQuantization(string Dtype, double Scale, double Min);
