using System.Text.Json;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Benchmark;

/// <summary>What any ONNX file costs, counted from the file: for teachers and for models of other tools.</summary>
/// <param name="MultAdds">Multiply-accumulates of one picture in convolutions and matrix products.</param>
/// <param name="Parameters">The values of the graph's constants, null where the file is not in ONNX's own format.</param>
internal sealed record GraphCost(long MultAdds, long? Parameters)
{
    private const uint GraphField = 7, InitializerField = 5, DimsField = 1; // onnx.proto: ModelProto.graph, GraphProto.initializer, TensorProto.dims

    /// <summary>Counts a file: runs it once, unoptimised, with ONNX Runtime's profiler, which notes the shapes of each node's tensors.</summary>
    /// <param name="path">The model file.</param>
    /// <param name="contract">Gives the picture's size where the model leaves it open; null where it is not known.</param>
    /// <exception cref="FaceDistillException">The file does not load or run.</exception>
    public static GraphCost Of(string path, ModelInputSpec? contract)
    {
        string folder = Leftovers.TemporaryFolder("profile");
        try
        {
            using var options = OnnxSessions.Options();
            options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL; // fused nodes have names of their own
            options.ProfileOutputPathPrefix = Path.Combine(folder, "run"); // before the next line, which reads it
            options.EnableProfiling = true;
            string profile;
            int pictures;
            using (var session = new BenchSession(path, contract, options))
            {
                session.TryOut();
                pictures = session.FixedBatch;
                profile = session.EndProfiling();
            }

            using var document = JsonDocument.Parse(File.ReadAllBytes(profile));
            bool onnx = path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);
            return new GraphCost(document.RootElement.EnumerateArray().Sum(MultAddsOf) / pictures, onnx ? CountParameters(File.ReadAllBytes(path)) : null);
        }
        catch (Exception e) when (e is InvalidOperationException or IndexOutOfRangeException or KeyNotFoundException or JsonException or FormatException
            or InvalidProtocolBufferException or DivideByZeroException)
        {
            throw new FaceDistillException($"{path} cannot be counted: {e.Message}; is it a model of faces?", e);
        }
        finally
        {
            Leftovers.Delete(folder);
        }
    }

    private static long MultAddsOf(JsonElement entry)
    {
        if (!entry.TryGetProperty("args", out var args) || !args.TryGetProperty("op_name", out var name)
            || !args.TryGetProperty("output_type_shape", out var outputs) || outputs.GetArrayLength() == 0)
        {
            return 0;
        }

        string op = name.GetString()!;
        long[][] inputs = [.. args.GetProperty("input_type_shape").EnumerateArray().Select(Dims)];
        long outputValues = Product(Dims(outputs[0]));
        return op switch
        {
            // Each output value: one multiply-accumulate for each value of its filter, [out, in / groups, kernel...].
            "Conv" or "FusedConv" => outputValues * Product(inputs[1][1..]),
            "ConvInteger" or "QLinearConv" => outputValues * Product(inputs[op == "QLinearConv" ? 3 : 1][1..]),
            "MatMul" or "MatMulInteger" => outputValues * inputs[0][^1],
            "Gemm" => outputValues * (Product(inputs[0]) / Dims(outputs[0])[0]), // whether transposed or not
            _ => 0,
        };
    }

    // {"float": [1, 3, 64, 64]}
    private static long[] Dims(JsonElement typeAndShape) => [.. typeAndShape.EnumerateObject().Single().Value.EnumerateArray().Select(d => d.GetInt64())];

    private static long Product(IEnumerable<long> values) => values.Aggregate(1L, (a, b) => a * b);

    private static long CountParameters(byte[] model) =>
        Messages(model, GraphField).Sum(graph => Messages(graph, InitializerField).Sum(tensor => Product(Numbers(tensor, DimsField))));

    private static IEnumerable<byte[]> Messages(byte[] message, uint field)
    {
        var input = new CodedInputStream(message);
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (tag == ((field << 3) | (uint)WireFormat.WireType.LengthDelimited))
            {
                yield return input.ReadBytes().ToByteArray();
            }
            else
            {
                input.SkipLastField();
            }
        }
    }

    // Packed or one by one: both are read.
    private static List<long> Numbers(byte[] message, uint field)
    {
        var numbers = new List<long>();
        var input = new CodedInputStream(message);
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (tag == (field << 3))
            {
                numbers.Add(input.ReadInt64());
            }
            else if (tag == ((field << 3) | (uint)WireFormat.WireType.LengthDelimited))
            {
                var packed = input.ReadBytes().CreateCodedInput();
                while (!packed.IsAtEnd)
                {
                    numbers.Add(packed.ReadInt64());
                }
            }
            else
            {
                input.SkipLastField();
            }
        }

        return numbers;
    }
}
