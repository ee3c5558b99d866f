using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using Microsoft.ML.OnnxRuntime;
using OpenCvSharp;

namespace FaceDistill.Export.Int8;

/// <summary>Runs a folded student in float32 over calibration faces and notes what each layer gives.</summary>
internal static class StudentCalibration
{
    private const int Batch = 16;

    /// <summary>Measures.</summary>
    /// <param name="student">The student.</param>
    /// <param name="faces">Aligned faces, BGR 8-bit, of the student's size; of training data, never of test people.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <returns>The statistics of each layer's output after its ReLU, by the layer's name, and of "input".</returns>
    public static IReadOnlyDictionary<string, ActivationStatistics> Measure(FoldedStudent student, IReadOnlyList<Mat> faces, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentOutOfRangeException.ThrowIfZero(faces.Count, nameof(faces));
        var seen = student.Layers.ToDictionary(l => l.Layer.Name, l => new ActivationStatistics(l.Layer.Out), StringComparer.Ordinal);
        seen["input"] = new ActivationStatistics(3);
        string folder = Leftovers.TemporaryFolder("int8"), file = Path.Combine(folder, "student.onnx");
        try
        {
            OnnxWriter.Write(student.Tapped(), file);
            using var session = OnnxSessions.Open(file);
            Pass(session, student, faces, (name, values, plane) => seen[name].Add(values, plane), cancel);
            Pass(session, student, faces, (name, values, _) => seen[name].AddHistogram(values), cancel);
        }
        finally
        {
            Leftovers.Delete(folder);
        }

        return seen;
    }

    private delegate void Tap(string name, ReadOnlySpan<float> values, int plane);

    private static void Pass(InferenceSession session, FoldedStudent student, IReadOnlyList<Mat> faces, Tap tap, CancellationToken cancel)
    {
        var contract = student.Description.Contract;
        string[] names = [.. session.OutputNames];
        using var run = new RunOptions();
        for (int at = 0; at < faces.Count; at += Batch)
        {
            cancel.ThrowIfCancellationRequested();
            int count = Math.Min(Batch, faces.Count - at);
            var input = new float[count * contract.Values];
            for (int i = 0; i < count; i++)
            {
                FaceTensor.Fill(faces[at + i], contract, input.AsSpan(i * contract.Values, contract.Values));
            }

            tap("input", input, contract.Size * contract.Size);
            using var value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, input.AsMemory(), [count, 3, contract.Size, contract.Size]);
            using var outputs = session.Run(run, ["input"], [value], names);
            for (int o = 0; o < names.Length; o++)
            {
                var layer = student.Layers[o].Layer;
                int side = layer.OutSize;
                tap(layer.Name, outputs[o].GetTensorDataAsSpan<float>(), side * side);
            }
        }
    }
}
