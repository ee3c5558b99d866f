using FaceDistill.Distillation;
using FaceDistill.Faces;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Tests;

/// <summary>Untrained students whose batch norms have run over other data: their embeddings differ from face to face, as trained ones' do.</summary>
internal static class RandomStudent
{
    public static StudentCheckpoint Write(string path, string student, HeadKind head, int dimension = 16, float targetScale = 0.05f)
    {
        var spec = StudentSpec.Parse(student);
        using var model = new MobileNetV1(new MobileNetV1Architecture(spec, head, dimension), seed: 3);
        using (no_grad())
        using (NewDisposeScope())
        using (var generator = new Generator(4))
        {
            foreach (var (name, tensor) in model.state_dict().Where(t => t.Key.Contains("_bn.", StringComparison.Ordinal) && t.Value.dim() > 0))
            {
                bool positive = name.EndsWith("running_var", StringComparison.Ordinal) || name.EndsWith(".weight", StringComparison.Ordinal);
                tensor.uniform_(positive ? 0.5 : -0.5, positive ? 1.5 : 0.5, generator);
            }
        }

        using var optimizer = new AdamWState(model, 0);
        float[] mean = [.. Enumerable.Range(0, dimension).Select(i => i / (float)dimension)];
        var description = new StudentDescription(student, head, dimension, FaceTensor.StudentContract(spec.Resolution, "dlib"), "teacher", "hash", targetScale);
        var options = new DistillOptions { Student = student, Head = head };
        StudentCheckpoint.Write(path, model, optimizer, new TargetScaling(mean, targetScale), description, options, new TrainingState(1, 0, 0, []));
        return StudentCheckpoint.Read(path);
    }
}
