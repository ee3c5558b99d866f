using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Jobs;
using FaceDistill.Tests.Datasets;

namespace FaceDistill.Tests.Jobs;

public sealed class AlignJobTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // lfw-train lies in LFW's folder: with everybody's photos, test people would have come into a training folder.
    [LfwFact]
    public void Of_a_part_of_a_set_nobody_elses_photos_are_aligned()
    {
        string lfw = LfwFactAttribute.Folder!;
        var people = LfwPeople.Read(Path.Combine(lfw, "peopleDevTrain.txt"));
        var all = FaceDataset.List(Path.Combine(lfw, "images")).Images;
        int part = all.Count(i => people.People.Any(p => p.Name == i.Identity));
        Assert.InRange(part, 1, all.Count - 1);
        using var stop = new CancellationTokenSource();
        var lines = new List<string>();
        var job = new JobContext(
            line =>
            {
                lines.Add(line);
                stop.Cancel(); // before hours of aligning
            },
            Cancel: stop.Token);
        var finder = new AssetFinder([], [Path.GetFullPath(Path.Combine(lfw, "..", ".."))], _folder["cache"]);
        Assert.ThrowsAny<OperationCanceledException>(
            () => new AlignJob(finder).Run(new AlignRequest("lfw-train", _folder["out"], "dlib", AlignedFrame.Default), job));
        Directory.CreateDirectory(_folder["full"]); // by an earlier version, which aligned everybody
        string other = all.First(i => !people.People.Any(p => p.Name == i.Identity)).Path;
        File.WriteAllText(_folder["full/faces.csv"], $"path,photo,face,faces\n{other},{new string('a', 32)},{new string('b', 32)},1\n");
        Assert.Contains($"holds {other}, whose person is none of those in", Assert.Throws<FaceDistillException>(
            () => new AlignJob(finder).Run(new AlignRequest("lfw-train", _folder["full"], "dlib", AlignedFrame.Default), JobContext.None)).Message,
            StringComparison.Ordinal);
        Assert.StartsWith(FormattableString.Invariant($"lfw-train: {part} of the {all.Count} photos in "), lines[0], StringComparison.Ordinal);
    }
}
