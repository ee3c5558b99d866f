using System.Text.Json.Nodes;
using FaceDistill.Assets;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Starts;

namespace FaceDistill.Tests.Training.Starts;

/// <summary>The terms of a start's teacher and data are those of what starts from it, from its folder as from its file.</summary>
public sealed class StartTermsTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private const string Student = "mobilenet-v1:0.25@64";
    private const string Terms = "teacher: non-commercial research only; data: MIT, as FaceDistill; not known";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_that_starts_from_a_run_folder_is_published_on_its_terms_and_without_its_place()
    {
        string begun = Begun(), next = _folder["next"];
        var options = TinyRun.Options with
        {
            Student = TinyRun.Options.Student with { Init = begun },
            Run = TinyRun.Options.Run with { Epochs = 1 },
        };
        using (var trainer = run.Tiny.Trainer(next, options))
        {
            trainer.StartFrom(RunStudent.Open(begun));
            trainer.Run(JobContext.None);
        }

        (run.Info with { Options = options }).Write(next);
        TrainedFaces.Write(next, run.Tiny.Faces);
        string file = Export(next), text = File.ReadAllText(file + ".MODEL_CARD.md");
        var card = JsonFile.Read<ModelCard>(file + ".card.json");
        Assert.Equal(new StudentOrigin(Student, StudentOrigin.Student, Terms, "begun", Research: true), Assert.Single(card.Origins));
        Assert.Equal("begun", card.Recipe.Student.Init);
        Assert.Contains("license_name: research-only-see-teacher-and-data", text, StringComparison.Ordinal);
        Assert.Contains($"**For research only: it started from {Student} (research).**", text, StringComparison.Ordinal);
    }

    [Fact]
    public void So_does_an_exported_file_by_its_card_and_an_earlier_card_without_them_is_read()
    {
        string file = Export(Begun()), card = file + ".card.json";
        Assert.Equal(new StudentOrigin(Student, StudentOrigin.Student, Terms, file, Research: true), Assert.Single(ExportedStudent.Read(file).Origins));

        var earlier = JsonNode.Parse(File.ReadAllText(card))!.AsObject();
        Assert.True(earlier.Remove("teacher") && earlier.Remove("data"));
        File.WriteAllText(card, earlier.ToJsonString());
        Assert.Equal(new StudentOrigin(Student, StudentOrigin.Student, null, file, Research: false), Assert.Single(ExportedStudent.Read(file).Origins));
    }

    // A run of a teacher that is for research only, on drawn faces and others of which nothing is known.
    private string Begun()
    {
        string folder = run.CopyTo(_folder["begun"]), teacher = TinyTeacher.Write(_folder["teacher"]);
        File.WriteAllText(teacher, File.ReadAllText(teacher).Replace("\"MIT\"", "\"non-commercial research only\"", StringComparison.Ordinal));
        new Recipe { Teacher = teacher, Data = [run.Tiny.Faces.Dataset.Root, _folder["gone"]], Options = TrainedRun.Options }.Write(folder);
        return folder;
    }

    private string Export(string folder)
    {
        string file = _folder[Path.GetFileName(folder) + ".onnx"];
        new ExportJob(new AssetFinder([], [], _folder["cache"])).Run(new ExportRequest(folder, new OnnxFormat(), file) { Device = "cpu" }, JobContext.None);
        return file;
    }
}
