using FaceDistill.Faces;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Teachers;

/// <summary>The one input of a face model: its name, whether its batch is fixed, and whether it takes floats or the picture's bytes.</summary>
internal sealed class OnnxPictureInput
{
    private readonly FaceContract _contract;
    private readonly bool _bytes;

    private OnnxPictureInput(string name, int fixedBatch, bool bytes, FaceContract contract) =>
        (Name, FixedBatch, _bytes, _contract) = (name, fixedBatch, bytes, contract);

    /// <summary>The input's name.</summary>
    public string Name { get; }

    /// <summary>The batch that the model was made for; 0 where it takes any.</summary>
    public int FixedBatch { get; }

    /// <summary>Finds a model's input and checks that it fits the contract.</summary>
    /// <exception cref="FaceDistillException">There is not one input, or it has another type or shape; the message names both.</exception>
    public static OnnxPictureInput Of(InferenceSession session, FaceContract contract, string path)
    {
        if (session.InputMetadata.Count != 1)
        {
            throw new FaceDistillException($"{path} has {session.InputMetadata.Count} inputs; a face model has one, a picture");
        }

        var (name, metadata) = session.InputMetadata.Single();
        int[] shape = metadata.Dimensions;
        int size = contract.Size;
        int[] wanted = contract.Layout == TensorLayout.Nchw ? [-1, 3, size, size] : [-1, size, size, 3];
        bool bytes = metadata.ElementType == typeof(byte);
        bool fits = (bytes || metadata.ElementType == typeof(float)) && shape.Length == 4
            && Enumerable.Range(1, 3).All(i => shape[i] <= 0 || shape[i] == wanted[i]);
        if (!fits)
        {
            throw new FaceDistillException(
                $"{path} takes {metadata.ElementType.Name} [{string.Join(", ", shape)}] but its contract says Single [{string.Join(", ", wanted)}] ({contract.Layout}); correct size or layout in the card");
        }

        // Scaled values are no bytes any more: cutting them off would pass unnoticed.
        bool unscaled = !contract.PerImageStandardisation && contract.Mean.All(m => m == 0) && contract.Std.All(s => s == 1);
        return !bytes || unscaled ? new OnnxPictureInput(name, Math.Max(0, shape[0]), bytes, contract)
            : throw new FaceDistillException($"{path} takes Byte values, 0 to 255, but its contract scales them; give mean 0 and std 1 in the card");
    }

    /// <summary>The tensor that the model takes.</summary>
    /// <param name="faces">float32 [batch, Contract.Values], filled by <see cref="FaceTensor.Fill"/>; must stay alive and unchanged while the value is used.</param>
    /// <param name="batch">The number of faces.</param>
    public OrtValue Value(Memory<float> faces, int batch)
    {
        int size = _contract.Size;
        long[] shape = _contract.Layout == TensorLayout.Nchw ? [batch, 3, size, size] : [batch, size, size, 3];
        return _bytes ? OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, Bytes(faces.Span), shape)
            : OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, faces, shape);
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
