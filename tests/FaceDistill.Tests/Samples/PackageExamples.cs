// The packages' examples, compiled; PackageTests compares each with the fence in its PACKAGE.md.
#pragma warning disable CA1859, CS8321, IDE0059
// FaceDistill
using FaceDistill.Assets;
using FaceDistill.Datasets;
// FaceDistill.Synthetic
using FaceDistill.Faces;
using FaceDistill.Jobs;
using FaceDistill.Kernels;
using FaceDistill.Synthetic;
using FaceDistill.Training.Options;
// FaceDistill.Runtime
using OpenCvSharp;

namespace FaceDistill.Tests.Samples;

internal static class PackageExamples
{
    public static bool OfRuntime()
    {
        using var embedder = FaceEmbedder.Load("student.onnx", detector: "face_detection_yunet_2026may.onnx");
        using var a = Cv2.ImRead("a.jpg");
        using var b = Cv2.ImRead("b.jpg");
        float similarity = FaceEmbedder.Similarity(embedder.EmbedPhoto(a), embedder.EmbedPhoto(b));
        bool same = similarity >= embedder.Threshold(1e-4);
        Console.WriteLine($"FAR at which the pair would just be accepted: {embedder.FalseAcceptRate(similarity)}");
        return same;
    }

    public static object OfTheLibrary()
    {
        var job = new JobContext(Say: Console.WriteLine);
        var request = new EvaluateRequest("all-pairs", ["student.onnx", "teacher:dlib-resnet"], DataFolder.Of("faces"), null, "cpu");
        var result = new EvaluateJob(AssetFinder.FromEnvironment()).Run(request, job);
        return result;
    }

    public static object OfTraining()
    {
        var job = new JobContext(Say: Console.WriteLine);
        var finder = AssetFinder.FromEnvironment();
        var options = new DistillOptions { Student = new StudentOptions { Name = "mobilenet-v1:0.5@96" }, Run = new TrainingRunOptions { Epochs = 8 } };
        var report = new DistillJob(finder).Run(new DistillRequest("dlib-resnet", [DataFolder.Of("photos")], null, options, "run", Resume: false), job);
        return report;
    }

    public static object OfTorch()
    {
        TorchNative.EnsureLoaded();
        var tensor = TorchSharp.torch.zeros(2, 3);
        return tensor;
    }

    public static void OfSynthetic()
    {
        var frame = AlignedFrame.Default;
        SyntheticFaces.Write("faces", new DrawnPeople(Identities: 20, ImagesPerIdentity: 10, Seed: 1), AlignmentTemplate.Dlib.PointsIn(frame), frame.Side);
    }
}
