using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using FaceDistill.Faces;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OpenCvSharp;

namespace FaceDistill.Embeddings;

/// <summary>The one input of a face model: its name, whether its batch is fixed, and whether it takes floats of 32 or 16 bits or the picture's bytes.</summary>
internal sealed class OnnxPictureInput
{
    private const int MostValues = 1 << 26; // of a batch: a quarter of a gigabyte of floats
    private static readonly Type[] Types = [typeof(float), typeof(Float16), typeof(byte)];
    private readonly ModelInputSpec _contract;
    private readonly Type _type;

    private OnnxPictureInput(string name, int fixedBatch, Type type, ModelInputSpec contract) =>
        (Name, FixedBatch, _type, _contract) = (name, fixedBatch, type, contract);

    /// <summary>The input's name.</summary>
    public string Name { get; }

    /// <summary>The batch that the model was made for; 0 where it takes any.</summary>
    public int FixedBatch { get; }

    /// <summary>Finds a model's input and checks that it fits the contract.</summary>
    /// <exception cref="FaceDistillException">There is not one input, or it has another type or shape; the message names both.</exception>
    public static OnnxPictureInput Of(InferenceSession session, ModelInputSpec contract, string path)
    {
        if (session.InputMetadata.Count != 1)
        {
            throw new FaceDistillException($"{path} has {session.InputMetadata.Count} inputs; a face model has one, a picture");
        }

        var (name, metadata) = session.InputMetadata.Single();
        if (!metadata.IsTensor)
        {
            throw new FaceDistillException($"{path} takes {metadata.OnnxValueType}; a face model takes a tensor, a picture");
        }

        int[] shape = metadata.Dimensions;
        int size = contract.Size;
        int[] wanted = contract.Layout == TensorLayout.Nchw ? [-1, 3, size, size] : [-1, size, size, 3];
        if (!Types.Contains(metadata.ElementType))
        {
            throw new FaceDistillException(
                $"{path} takes {metadata.ElementType.Name} values; a face model takes {string.Join(", ", Types.Select(t => t.Name))}: "
                + "export it for one of these");
        }

        bool bytes = metadata.ElementType == typeof(byte);
        bool fits = shape.Length == 4 && Enumerable.Range(1, 3).All(i => shape[i] <= 0 || shape[i] == wanted[i]);
        if (!fits)
        {
            throw new FaceDistillException(
                $"{path} takes {metadata.ElementType.Name} [{string.Join(", ", shape)}] but its contract says [{string.Join(", ", wanted)}] "
                    + $"({contract.Layout}); correct size or layout in the card");
        }

        if (shape[0] > MostValues / contract.Values)
        {
            throw new FaceDistillException(
                $"{path} was made for {shape[0]} faces at once, which is more than fit into memory; export it for fewer, or for any number");
        }

        // Scaled values are no bytes any more: cutting them off would pass unnoticed.
        bool unscaled = !contract.PerImageStandardisation && contract.Mean.All(m => m == 0) && contract.Std.All(s => s == 1);
        return !bytes || unscaled ? new OnnxPictureInput(name, Math.Max(0, shape[0]), metadata.ElementType, contract)
            : throw new FaceDistillException($"{path} takes Byte values, 0 to 255, but its contract scales them; give mean 0 and std 1 in the card");
    }

    /// <summary>The tensor that the model takes.</summary>
    /// <param name="faces">float32 [batch, Contract.Values], filled by <see cref="FaceTensor.Fill"/>; must stay alive and unchanged while the value is
    /// used.</param>
    /// <param name="batch">The number of faces.</param>
    public OrtValue Value(Memory<float> faces, int batch)
    {
        int size = _contract.Size;
        long[] shape = _contract.Layout == TensorLayout.Nchw ? [batch, 3, size, size] : [batch, size, size, 3];
        return _type == typeof(byte) ? OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, Bytes(faces.Span), shape)
            : _type == typeof(Float16) ? OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, Halves(faces.Span), shape)
            : OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, faces, shape);
    }

    /// <summary>An output of 32 or 16 bits as floats; of 32 where they lie.</summary>
    public static ReadOnlySpan<float> Floats(OrtValue output)
    {
        if (output.GetTensorTypeAndShape().ElementDataType != TensorElementType.Float16)
        {
            return output.GetTensorDataAsSpan<float>();
        }

        var halves = MemoryMarshal.Cast<Float16, Half>(output.GetTensorDataAsSpan<Float16>());
        var floats = new float[halves.Length];
        TensorPrimitives.ConvertToSingle(halves, floats);
        return floats;
    }

    private static Memory<Float16> Halves(ReadOnlySpan<float> values)
    {
        var halves = new Float16[values.Length];
        TensorPrimitives.ConvertToHalf(values, MemoryMarshal.Cast<Float16, Half>(halves.AsSpan())); // both are the 16 bits alone
        return halves;
    }

    private static Memory<byte> Bytes(ReadOnlySpan<float> values)
    {
        var bytes = new byte[values.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)values[i];
        }

        return bytes;
    }
}

/// <summary>A model's first run, which a file of anyone's is given a limited time for.</summary>
internal static class OnnxTrial
{
    /// <summary>The limit: far above what any face model takes for a few faces.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Runs it; ONNX Runtime logs nothing, for the message says it.</summary>
    /// <param name="path">The model's file, for the message.</param>
    /// <param name="limit">The time after which it is ended.</param>
    /// <param name="run">Runs the model with these options.</param>
    /// <exception cref="FaceDistillException">It does not end by itself, or fails in another way than a <see cref="FaceDistillException"/> says.</exception>
    public static T Run<T>(string path, TimeSpan limit, Func<RunOptions, T> run)
    {
        using var options = new RunOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        using var watch = new CancellationTokenSource(limit);
        using var ended = watch.Token.Register(() => options.Terminate = true);
        try
        {
            return run(options);
        }
        catch (Exception e) when (watch.IsCancellationRequested && e is FaceDistillException or OnnxRuntimeException)
        {
            throw new FaceDistillException(
                $"{path} does not come to an end: it ran for {limit.TotalSeconds:0} s on a face; it is damaged, or no face model", e);
        }
        catch (Exception e) when (e is OnnxRuntimeException or InvalidOperationException or ArgumentException or OverflowException)
        {
            throw new FaceDistillException($"{path} is no face model: {e.Message.Split('\n')[0]}", e);
        }
    }
}

/// <summary>Pictures made by a formula, smooth as faces are, to try a model on.</summary>
internal static class MadePicture
{
    /// <summary>One of them as a model takes it.</summary>
    /// <param name="contract">What the model wants to see.</param>
    /// <param name="number">Which; each is another picture.</param>
    /// <returns>float32, contract.Values of them.</returns>
    public static unsafe float[] Of(ModelInputSpec contract, int number)
    {
        OpenCvNative.EnsureLoaded();
        int size = contract.Size;
        var pixels = new byte[size * size * 3];
        for (int i = 0; i < pixels.Length; i++)
        {
            double x = i / 3 % size / (double)size, y = i / 3 / size / (double)size, turn = Math.Tau * (number + 1);
            pixels[i] = (byte)(127.5 + (70 * Math.Sin((turn * x) + (i % 3))) + (50 * Math.Cos((turn * 1.5 * y) - (turn * x * 0.5))));
        }

        var values = new float[contract.Values];
        fixed (byte* start = pixels)
        {
            using var face = Mat.FromPixelData(size, size, MatType.CV_8UC3, (IntPtr)start);
            FaceTensor.Fill(face, contract, values);
        }

        return values;
    }
}
