using System.Globalization;
using FaceDistill;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Export;
using FaceDistill.Jobs;
using FaceDistill.Training.Options;

// Distils a student from a teacher on a folder of photos or aligned faces, and exports it for phones: TrainStudent dlib-resnet faces/ run/ 8

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length != 4 || !int.TryParse(args[3], NumberStyles.None, CultureInfo.InvariantCulture, out int epochs))
{
    Console.Error.WriteLine("usage: TrainStudent TEACHER FACES RUN EPOCHS");
    return 2;
}

try
{
    var finder = AssetFinder.FromEnvironment(); // $FACEDISTILL_HOME and the cache
    var options = new DistillOptions // everything else as 'facedistill distill' has it
    {
        Student = new StudentOptions { Name = "mobilenet-v1:0.25@96" },
        Run = new TrainingRunOptions { Epochs = epochs },
    };
    using var stop = new CancellationTokenSource();
    Console.CancelKeyPress += (_, pressed) =>
    {
        pressed.Cancel = true; // the checkpoint is written; the same line goes on
        stop.Cancel();
    };
    var job = new JobContext(Say: Console.WriteLine, Cancel: stop.Token);
    bool begun = File.Exists(Path.Combine(args[2], "checkpoint.safetensors"));
    new DistillJob(finder).Run(new DistillRequest(args[0], [DataFolder.Resolve(args[1], finder)], null, options, args[2], Resume: begun), job);
    string file = Path.Combine(args[2], "student.tflite"); // student.onnx lies there already
    var exported = new ExportJob(finder).Run(new ExportRequest(args[2], ExportFormat.Named("tflite"), file), job);
    Console.WriteLine($"{file}: smallest cosine to the student in TorchSharp {exported.MinCosine:0.000000} on {exported.Faces} faces");
    return 0;
}
catch (Exception e) when (e is FaceDistillException or OperationCanceledException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
