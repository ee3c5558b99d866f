using System.Numerics.Tensors;
using FaceDistill.Distillation;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Teachers;
using OpenCvSharp;

namespace FaceDistill.Export;

/// <summary>What an export came to: the files, and how far their embeddings are from TorchSharp's on real faces.</summary>
/// <param name="Files">The written files.</param>
/// <param name="MaxAbsDifference">The largest difference of any embedding value.</param>
/// <param name="MinCosine">The smallest cosine between the two embeddings of a face.</param>
/// <param name="Faces">The number of faces compared.</param>
public sealed record ExportOutcome(IReadOnlyList<string> Files, double MaxAbsDifference, double MinCosine, int Faces);

/// <summary>Writes a student as ONNX, and puts the file in place only when ONNX Runtime gives TorchSharp's embeddings.</summary>
public static class StudentExporter
{
    /// <summary>The largest difference of an embedding value that an fp32 export may show.</summary>
    public const double Tolerance = 1e-4;

    /// <summary>Exports and verifies.</summary>
    /// <param name="checkpoint">The student.</param>
    /// <param name="path">The .onnx file to write.</param>
    /// <param name="faces">Aligned faces, BGR 8-bit, as large as the student's input; at least one.</param>
    /// <param name="device">Where TorchSharp computes: auto, cpu or cuda.</param>
    /// <exception cref="FaceDistillException">The export differs from the student; nothing is left in place.</exception>
    public static ExportOutcome Onnx(StudentCheckpoint checkpoint, string path, IReadOnlyList<Mat> faces, string device = "cpu")
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentOutOfRangeException.ThrowIfZero(faces.Count, nameof(faces));
        var graph = StudentOnnx.Build(checkpoint);
        double difference = 0, cosine = 1;
        AtomicFile.WriteBeside(path, temporary =>
        {
            OnnxWriter.Write(graph, temporary);
            (difference, cosine) = Compare(checkpoint, temporary, faces, device);
            if (!(difference <= Tolerance))
            {
                throw new FaceDistillException(FormattableString.Invariant(
                    $"{path} was not written: ONNX Runtime's embeddings differ from TorchSharp's by {difference:0.0e+0} where {Tolerance:0.0e+0} is allowed"));
            }
        });
        return new ExportOutcome([Path.GetFullPath(path)], difference, cosine, faces.Count);
    }

    private static (double MaxAbsDifference, double MinCosine) Compare(StudentCheckpoint checkpoint, string onnx, IReadOnlyList<Mat> faces, string device)
    {
        using var torch = new StudentEmbedder(checkpoint, "student", device);
        using var exported = new OnnxTeacher("export", onnx, checkpoint.Description.Contract, checkpoint.Description.Dimension);
        int values = torch.Contract.Values, dimension = torch.Dimension;
        var input = new float[faces.Count * values];
        for (int i = 0; i < faces.Count; i++)
        {
            FaceTensor.Fill(faces[i], torch.Contract, input.AsSpan(i * values, values));
        }

        var a = new float[faces.Count * dimension];
        var b = new float[faces.Count * dimension];
        torch.Embed(input, faces.Count, a);
        exported.Embed(input, faces.Count, b);
        double cosine = Enumerable.Range(0, faces.Count).Min(i => (double)TensorPrimitives.CosineSimilarity<float>(
            a.AsSpan(i * dimension, dimension), b.AsSpan(i * dimension, dimension)));
        return (a.Zip(b, (x, y) => Math.Abs((double)x - y)).Max(), Math.Min(1, cosine));
    }
}
