using FaceDistill.Faces;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using static TorchSharp.torch;

namespace FaceDistill.Tests;

/// <summary>Untrained students whose batch norms have seen pictures: their embeddings differ from face to face, as trained ones' do.</summary>
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
            foreach (var (name, tensor) in model.state_dict()
                .Where(t => t.Key.EndsWith("_bn.weight", StringComparison.Ordinal) || t.Key.EndsWith("_bn.bias", StringComparison.Ordinal)))
            {
                bool positive = name.EndsWith(".weight", StringComparison.Ordinal);
                tensor.uniform_(positive ? 0.5 : -0.5, positive ? 1.5 : 0.5, generator);
            }

            // One pass over coarse patches sets the running moments: with any others the pictures' differences would die out on the way.
            foreach (var norm in model.modules().OfType<BatchNorm>())
            {
                norm.Momentum = 1;
            }

            int patches = spec.Resolution / 8;
            model.train();
            model.forward(nn.functional.interpolate(rand([16, 3, patches, patches], generator: generator).Times(2).Minus(1), scale_factor: [8, 8]));
            model.eval();
        }

        using var optimizer = new AdamWState(model, 0);
        float[] mean = [.. Enumerable.Range(0, dimension).Select(i => i / (float)dimension)];
        var description = new StudentDescription(student, head, dimension, FaceTensor.StudentContract(spec.Resolution, "dlib"), "teacher", "hash")
        {
            TargetScale = targetScale,
        };
        var options = new DistillOptions { Student = new StudentOptions { Name = student, Head = head } };
        var run = new RunPosition(description, new TargetScaling(mean, targetScale), options, new TrainingState(0, 0, 0, []));
        StudentCheckpoint.Write(path, run, new TrainedStudent(model) { Optimizer = optimizer });
        return StudentCheckpoint.Read(path);
    }
}
