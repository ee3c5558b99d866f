using System.Globalization;
using FaceDistill;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Jobs;

// Measures models on all pairs of a folder with a sub-folder a person: EvaluateModels people/ student.onnx teacher:dlib-resnet

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: EvaluateModels PEOPLE MODEL...");
    return 2;
}

try
{
    var finder = AssetFinder.FromEnvironment(); // $FACEDISTILL_HOME and the cache
    var request = new EvaluateRequest("all-pairs", args[1..], DataFolder.Resolve(args[0], finder), null, "auto");
    var result = new EvaluateJob(finder).Run(request, new JobContext(Say: Console.Error.WriteLine));
    foreach (var model in result.Models)
    {
        Console.WriteLine($"{model.Name}: {model.GenuinePairs} pairs of one person, {model.ImpostorPairs} of two");
        foreach (var (far, tar) in model.TarAtFar!)
        {
            var interval = model.TarInterval95AtFar?.GetValueOrDefault(far); // of ten people and more
            Console.WriteLine(tar is null ? $"  FAR {far}: too few pairs of two people" : $"  FAR {far}: TAR {tar:0.00%}"
                + (interval is null ? "" : $" ({interval[0]:0.00%} to {interval[1]:0.00%})") + $", threshold {model.ThresholdAtFar![far]:0.0000}");
        }

        if (model.RetentionAt1e4 is { } kept)
        {
            Console.WriteLine($"  keeps {kept:0.0%} of its teacher's TAR at 1e-4");
        }
    }

    return 0;
}
catch (FaceDistillException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
