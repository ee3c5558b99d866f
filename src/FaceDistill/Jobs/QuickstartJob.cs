using FaceDistill.Assets;
using FaceDistill.Benchmark;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Export;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Kernels;
using FaceDistill.Reports;
using FaceDistill.Synthetic;
using FaceDistill.Training.Options;

namespace FaceDistill.Jobs;

/// <summary>
/// The whole way on synthetic faces, in minutes and without any data: draw faces, embed them with the default teacher, distil a small
/// student, measure both on other identities, export, report.
/// </summary>
internal sealed class QuickstartJob(AssetFinder finder)
{
    private const string Teacher = "dlib-resnet";
    private const int TrainingIdentities = 60, TrainingImages = 40, TestIdentities = 60, TestImages = 12, TimingRounds = 25;
    private const int Parts = 1 + DistillJob.Parts + 2; // drawing, distilling, measuring, exporting with what was measured
    private const ulong TrainingSeed = 1, TestSeed = 2; // other seeds draw other people

    /// <summary>Runs it; what an earlier run in the same folder finished is kept.</summary>
    /// <param name="output">The folder for faces, run and report.</param>
    /// <param name="epochs">Passes over the faces.</param>
    /// <param name="device">Where torch computes: auto, cpu or cuda.</param>
    /// <param name="job">Told of each stage.</param>
    /// <exception cref="FaceDistillException">The teacher cannot be fetched, or the folder holds something else.</exception>
    public RunReportData Run(string output, int epochs, string device, JobContext job)
    {
        var options = new DistillOptions
        {
            Student = new StudentOptions { Name = "mobilenet-v1:0.25@96" },
            Run = new TrainingRunOptions { Epochs = epochs, Device = device },
        }.Validated();
        TorchDevice.Resolve(device); // before anything is fetched or drawn
        var pull = new ModelPull(finder);
        if (pull.Status(Teacher).Any(f => !f.IsUsable))
        {
            job.Say?.Invoke($"fetching the teacher {Teacher} ({ModelPull.About(Teacher).Licence})");
            pull.Pull(Teacher, job);
        }

        var training = Draw(Path.Combine(output, "faces", "training"), TrainingIdentities, TrainingImages, TrainingSeed, job.Part(1, Parts));
        var test = Draw(Path.Combine(output, "faces", "test"), TestIdentities, TestImages, TestSeed, job.Part(1, Parts));
        string run = Path.Combine(output, "run");
        new DistillJob(finder).Run(new DistillRequest(Teacher, [training], null, options, run, Resume: true), job.Within(1, Parts));
        new EvaluateJob(finder).Run(
            new EvaluateRequest(Evaluator.AllPairs, ["teacher:" + Teacher, run], test, null, options.Run.Device), job.Part(Parts - 1, Parts));
        // again, now that its thresholds are known
        new ExportJob(finder).Run(new ExportRequest(run, new OnnxFormat(), null) { Device = device }, job.Part(Parts, Parts));
        Time(run, options.Run.Device, job.Part(Parts, Parts));
        return RunReport.Write(run);
    }

    private void Time(string run, string device, JobContext job)
    {
        job.Say?.Invoke("timing student and teacher");
        string file = Path.Combine(run, new OnnxFormat().DefaultFile);
        var models = new BenchmarkJob(finder)
            .Run(new BenchmarkRequest([file, "teacher:" + Teacher], [], null, null, null, device, TimingRounds, null) { Provider = OnnxProviders.Cpu },
                job).Models;
        double own = models[0].LatencyMs.Fastest, teacher = models[1].LatencyMs.Fastest;
        JsonFile.Write(Path.Combine(run, RunSpeed.FileName), new RunSpeed(FileHash.Sha256(file), Teacher, own, teacher, teacher / own));
    }

    private static DataFolder Draw(string folder, int identities, int images, ulong seed, JobContext job)
    {
        SyntheticDataset.Write(folder, new DrawnPeople(identities, images, seed), AlignmentTemplate.Dlib, AlignedFrame.Default, job);
        return DataFolder.Of(folder);
    }
}
