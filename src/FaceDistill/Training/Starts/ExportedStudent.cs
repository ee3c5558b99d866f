using System.Runtime.InteropServices;
using System.Text.Json;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Training.Options;

namespace FaceDistill.Training.Starts;

/// <summary>
/// A student read back from a file that 'export' wrote: fp32, fp16 or int8 ONNX with its card (FILE.card.json) beside. Its convolutions have their batch norms
/// folded in, its embedding layer the target scaling; 8-bit weights are levels times their channel's step.
/// </summary>
internal sealed class ExportedStudent
{
    private const string Remedy = "bring back the two that 'export' wrote together";
    private readonly Dictionary<string, OnnxInitializer> _constants;

    private ExportedStudent(string path, Dictionary<string, OnnxInitializer> constants, Card card)
    {
        (Path, _constants, Options, TeacherHash) = (path, constants, card.Recipe, card.TeacherSha256);
        Architecture = new MobileNetV1Architecture(StudentSpec.Parse(card.Student), card.Recipe.Student.Head, card.Dimension);
        Origins = [StudentOrigin.Of(card.Student, path, card.Origins, card.Teacher, card.Data), .. card.Origins];
        (EmbeddingWeights, EmbeddingBias) = (
            Constant("embedding.weight", Architecture.Dimension, Architecture.Features), Constant("embedding.bias", Architecture.Dimension));
        foreach (var layer in Architecture.Convolutions)
        {
            Layer(layer);
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The options that it was trained with.</summary>
    public DistillOptions Options { get; }

    /// <summary>The SHA-256 of its teacher.</summary>
    public string TeacherHash { get; }

    /// <summary>The layers.</summary>
    public MobileNetV1Architecture Architecture { get; }

    /// <summary>What a student that starts from it started from, the nearest first.</summary>
    public IReadOnlyList<StudentOrigin> Origins { get; }

    /// <summary>float32 [D, features], row-major: into the teacher's space.</summary>
    public float[] EmbeddingWeights { get; }

    /// <summary>float32 [D], in the teacher's space.</summary>
    public float[] EmbeddingBias { get; }

    /// <summary>Whether a path is meant as one: by its ending.</summary>
    /// <param name="path">A path.</param>
    public static bool Is(string path) => path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a file and its card.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <exception cref="FaceDistillException">File or card are missing or damaged, the card is another file's, or a layer is missing or has another
    /// shape.</exception>
    public static ExportedStudent Read(string path)
    {
        string cardPath = path + ExportedModel.CardEnding;
        if (!File.Exists(path))
        {
            throw new FaceDistillException($"there is no file {path}");
        }

        var said = ExportedModel.Metadata(path); // says what is damaged
        if (!said.ContainsKey(ExportedModel.StudentKey))
        {
            throw new FaceDistillException($"{path} is no student that 'export' wrote (no {ExportedModel.StudentKey} in its metadata), and no other network "
                + "can be a start");
        }

        if (!File.Exists(cardPath))
        {
            throw new FaceDistillException($"{path} has no {System.IO.Path.GetFileName(cardPath)} beside it, which 'export' writes and which says what "
                + "student it is and on what terms: bring it back, or start from the run folder");
        }

        var card = Card.Read(cardPath);
        if (card.Sha256 != FileHash.Sha256(path))
        {
            throw new FaceDistillException($"{cardPath} is the card of another file than {path}: {Remedy}");
        }

        foreach (var (key, value) in new[] { (ExportedModel.StudentKey, card.Student), (ExportedModel.HeadKey, card.Recipe.Student.Head.ToString()),
            (ExportedModel.TeacherHashKey, card.TeacherSha256) })
        {
            if (said.GetValueOrDefault(key) is var own && own != value)
            {
                throw new FaceDistillException(
                    $"{path} says {key} = {own ?? "nothing"}, and its card {value}: it is not the student that its card says; {Remedy}");
            }
        }

        return new ExportedStudent(path, OnnxFile.Initializers(File.ReadAllBytes(path)), card);
    }

    /// <summary>A convolution with its batch norm folded in.</summary>
    /// <param name="layer">A layer of <see cref="Architecture"/>.</param>
    /// <exception cref="FaceDistillException">It is missing or has another shape.</exception>
    public BackboneLayer Layer(ConvLayer layer) => new(
        Constant($"{layer.Name}.weight", layer.Out, layer.In / layer.Groups, layer.Kernel, layer.Kernel), Constant($"{layer.Name}.bias", layer.Out));

    // Whole numbers have a step for each output channel beside them.
    private float[] Constant(string name, params long[] shape)
    {
        var constant = Find(name, shape);
        var data = constant.Data;
        float[] values = constant.Type switch
        {
            OnnxElementType.Float32 => MemoryMarshal.Cast<byte, float>(data).ToArray(),
            OnnxElementType.Float16 => [.. MemoryMarshal.Cast<byte, Half>(data).ToArray().Select(h => (float)h)],
            OnnxElementType.Int8 => [.. MemoryMarshal.Cast<byte, sbyte>(data).ToArray().Select(level => (float)level)],
            OnnxElementType.Int32 => [.. MemoryMarshal.Cast<byte, int>(data).ToArray().Select(level => (float)level)],
            var type => throw new FaceDistillException($"{Path}: {constant.Name} is {type}, which 'export' does not write"),
        };
        if (constant.Type is OnnxElementType.Int8 or OnnxElementType.Int32)
        {
            float[] steps = MemoryMarshal.Cast<byte, float>(Find(name + ".scale", [shape[0]]).Data).ToArray();
            values = [.. values.Select((level, i) => level * steps[i / (values.Length / steps.Length)])];
        }

        return values.Length == shape.Aggregate(1L, (a, b) => a * b) && values.All(float.IsFinite) ? values
            : throw new FaceDistillException(
                $"{Path}: {constant.Name} holds {values.Length} values, or one that is no number; bring back a copy, or export again");
    }

    private OnnxInitializer Find(string name, long[] shape)
    {
        var constant = _constants.GetValueOrDefault(name) ?? _constants.GetValueOrDefault(name + ".fp16");
        return constant?.Dims.SequenceEqual(shape) == true ? constant : throw new FaceDistillException(
            $"{Path} {(constant is null ? "lacks" : $"has [{string.Join(", ", constant.Dims)}] for")} {name} [{string.Join(", ", shape)}]: it is not the "
            + "student that its card says");
    }

    /// <summary>What of a card counts for a start.</summary>
    private sealed record Card(string Sha256, string Student, int Dimension, string TeacherSha256, StudentOrigin[] Origins, DistillOptions Recipe)
    {
        public ModelCardSource? Teacher { get; private init; }

        public IReadOnlyList<ModelCardSource> Data { get; private init; } = [];

        public static Card Read(string path)
        {
            try
            {
                var card = JsonFile.Read<JsonElement>(path);
                T Of<T>(string key) => card.TryGetProperty(key, out var value) && Read<T>(key, value) is { } read ? read
                    : throw new JsonException($"'{key}' is missing");
                T? Noted<T>(string key) => card.TryGetProperty(key, out var value) ? Read<T>(key, value) : default;
                var one = new Card(Of<string>("sha256"), Of<string>("student"), Of<int>("dimension"), Of<string>("teacherSha256"),
                    Of<StudentOrigin[]>("origins"), Of<DistillOptions>("recipe").Validated())
                {
                    Teacher = Noted<ModelCardSource>("teacher"), Data = [.. (Noted<ModelCardSource?[]>("data") ?? []).OfType<ModelCardSource>()],
                };
                StudentSpec.Parse(one.Student);
                return one.Origins.Contains(null!) ? throw new JsonException("'origins' holds nothing for one")
                    : one.Dimension is > 0 and <= 65536 ? one : throw new JsonException($"'dimension' is 1 to 65536, not {one.Dimension}");
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or FaceDistillException)
            {
                throw new FaceDistillException($"{path} is no card that 'export' wrote: {e.Message}; {Remedy}", e);
            }
        }

        private static T? Read<T>(string key, JsonElement value)
        {
            try
            {
                return value.Deserialize<T>(JsonFile.Options);
            }
            catch (JsonException e)
            {
                throw new JsonException($"'{key}' is not what it should be", e);
            }
        }
    }
}
