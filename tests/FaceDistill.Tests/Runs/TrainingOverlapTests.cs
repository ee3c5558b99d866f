using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Jobs;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Runs;

public sealed class TrainingOverlapTests(TrainedRun trained) : IClassFixture<TrainedRun>
{
    private static readonly EmbeddingSet Set = new("student", 1, new float[4], ["Ann/1", "Ann/2", "Bob/1", "Cid/1"], ["Ann", "Ann", "Bob", "Cid"]);

    [Fact]
    public void The_same_folder_is_noticed()
    {
        using var folder = new TempFolder();
        Assert.Contains("student was trained on 3 of the 3 people", Warning(folder, new DataFolder("/lfw", "/lfw/images"), Evaluator.AllPairs),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_list_of_people_those_are_counted_who_are_measured()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["train.txt"], "2\nBob\t1\nZoe\t3\n");
        File.WriteAllText(folder["peopleDevTest.txt"], "1\nCid\t1\n");
        var source = new DataFolder(folder.Path, "/lfw/images") { People = folder["train.txt"] };
        Assert.Contains("1 of the 3 people", Warning(folder, source, Evaluator.LfwTenFold, folder.Path), StringComparison.Ordinal);
        Assert.Null(Warning(folder, source, Evaluator.LfwView1Test, folder.Path)); // they share nobody
        Assert.Contains("1 of the 1 people", Warning(folder, source with { People = null }, Evaluator.LfwView1Test, folder.Path), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_faces_and_models_that_do_not_say_are_not_warned_of()
    {
        using var folder = new TempFolder();
        Assert.Null(Warning(folder, new DataFolder("/other", "/other/images"), Evaluator.AllPairs));
        Assert.Null(TrainingOverlap.Of("teacher:dlib-resnet", new DataFolder("/lfw", "/lfw/images"), Evaluator.AllPairs, Set));
        Assert.Null(TrainingOverlap.Of(trained.Folder, new DataFolder("/lfw", "/lfw/images"), Evaluator.AllPairs, Set)); // a run of an earlier version
    }

    [Fact]
    public void The_warning_is_in_the_document_the_verdict_and_the_runs_report()
    {
        using var folder = new TempFolder();
        var job = new EvaluateJob(new AssetFinder([], [], [], folder["cache"]));
        string run = trained.CopyTo(folder["run"]);
        (trained.Info with { TrainedOn = [DataFolder.Of(trained.Tiny.Faces.Dataset.Root)] }).Write(run);
        var request = new EvaluateRequest(Evaluator.AllPairs, [run], DataFolder.Of(trained.Tiny.Faces.Dataset.Root), null, "cpu");
        var document = job.Run(request, JobContext.None);
        Assert.Contains("trained on 12 of the 12 people", Assert.Single(document.Warnings!), StringComparison.Ordinal);
        Assert.Contains("Warning: ", EvaluationVerdict.Of(document, null), StringComparison.Ordinal);
        Assert.Contains("**Warning: ", File.ReadAllText(Path.Combine(run, "report.md")), StringComparison.Ordinal);
    }

    private string? Warning(TempFolder folder, DataFolder trainedOn, string protocol, string root = "/lfw")
    {
        string run = trained.CopyTo(folder[Guid.NewGuid().ToString()]);
        (trained.Info with { TrainedOn = [trainedOn] }).Write(run);
        return TrainingOverlap.Of(run, new DataFolder(root, "/lfw/images"), protocol, Set);
    }
}
