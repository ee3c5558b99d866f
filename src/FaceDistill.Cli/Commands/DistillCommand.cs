using System.CommandLine;
using FaceDistill.Datasets;
using FaceDistill.Distillation;
using FaceDistill.Pipeline;
using FaceDistill.Students;

namespace FaceDistill.Cli.Commands;

/// <summary><c>distill</c>: faces and a teacher to a student.</summary>
internal static class DistillCommand
{
    private static readonly DistillOptions Defaults = new() { Student = "" };
    private static readonly Option<string> Student = new("--student") { Description = "The student: mobilenet-v1:WIDTH@RESOLUTION.", Required = true };
    private static readonly Option<string> Teacher = new("--teacher") { Description = "The teacher's card (a name or a .json file).", DefaultValueFactory = _ => "dlib-resnet" };
    private static readonly Option<string[]> Data = new("--data") { Description = "Training faces without labels: folders of photos or aligned faces, or data sets' names.", Required = true, HelpName = "DIR|NAME", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<AugmentKind> Augment = new("--augment") { Description = "How much the views that train differ from the aligned face, each with the teacher's embedding of the same view.", DefaultValueFactory = _ => AugmentKind.None };
    private static readonly Option<TargetMode> Targets = new("--targets") { Description = "Whether the teacher embeds the augmented views beforehand (cached) or while the student trains (live).", DefaultValueFactory = _ => Defaults.Targets };
    private static readonly Option<int> Views = new("--views") { Description = "With cached targets, the augmented views of each face.", DefaultValueFactory = _ => Defaults.Views };
    private static readonly Option<double> MixUp = new("--mixup") { Description = "Alpha of MixUp, with live targets.", DefaultValueFactory = _ => Defaults.MixUp };
    private static readonly Option<string> Output = CommonOptions.Output("The run folder.");
    private static readonly Option<bool> Resume = new("--resume") { Description = "Continue an interrupted run of the same options." };
    private static readonly Option<HeadKind> Head = new("--head") { Description = "gap or gdc.", DefaultValueFactory = _ => Defaults.Head };
    private static readonly Option<int> Epochs = new("--epochs") { Description = "Passes over the faces.", DefaultValueFactory = _ => Defaults.Epochs };
    private static readonly Option<int> BatchSize = new("--batch-size") { Description = "Faces a step.", DefaultValueFactory = _ => Defaults.BatchSize };
    private static readonly Option<double> LearningRate = new("--learning-rate") { Description = "The highest learning rate.", DefaultValueFactory = _ => Defaults.LearningRate };
    private static readonly Option<double> Warmup = new("--warmup-epochs") { Description = "Epochs of the learning rate's rise.", DefaultValueFactory = _ => Defaults.WarmupEpochs };
    private static readonly Option<double> WeightDecay = new("--weight-decay") { Description = "AdamW's weight decay.", DefaultValueFactory = _ => Defaults.WeightDecay };
    private static readonly Option<double> Validation = new("--validation") { Description = "The part of the faces held out to measure.", DefaultValueFactory = _ => Defaults.Validation };
    private static readonly Option<bool> NoMirror = new("--no-mirror") { Description = "Do not mirror faces." };
    private static readonly Option<PrecisionMode> Precision = new("--precision") { Description = "fp32, bf16 or auto (the faster one here, found by a short measurement).", DefaultValueFactory = _ => Defaults.Precision };
    private static readonly Option<long> Seed = new("--seed") { Description = "Decides initial weights, order and mirroring.", DefaultValueFactory = _ => Defaults.Seed };

    public static Command Create() => VerbContext.Action(
        new Command("distill", "Train a MobileNet student on a teacher's embeddings, export it and write a report.")
        {
            Student, Teacher, Data, Augment, Targets, Views, MixUp, Output, Resume, Head, Epochs, BatchSize, LearningRate, Warmup, WeightDecay, Validation, NoMirror, Seed, Precision,
            CommonOptions.Aligned, CommonOptions.Models, CommonOptions.Device,
        }, Run);

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        var finder = parsed.Finder();
        var options = new DistillOptions
        {
            Student = parsed.GetRequiredValue(Student),
            Head = parsed.GetValue(Head),
            Epochs = parsed.GetValue(Epochs),
            BatchSize = parsed.GetValue(BatchSize),
            LearningRate = parsed.GetValue(LearningRate),
            WarmupEpochs = parsed.GetValue(Warmup),
            WeightDecay = parsed.GetValue(WeightDecay),
            Validation = parsed.GetValue(Validation),
            Mirror = !parsed.GetValue(NoMirror),
            Seed = parsed.GetValue(Seed),
            Augment = parsed.GetValue(Augment) switch { AugmentKind.Mild => new AugmentOptions(), AugmentKind.Strong => AugmentOptions.Strong, _ => AugmentOptions.None },
            Targets = parsed.GetValue(Targets),
            Views = parsed.GetValue(Views),
            MixUp = parsed.GetValue(MixUp),
            Precision = parsed.GetValue(Precision),
            Device = parsed.GetValue(CommonOptions.Device)!,
        };
        var request = new DistillRequest(parsed.GetValue(Teacher)!, [.. parsed.GetRequiredValue(Data).Select(d => DataFolder.Resolve(d, finder))],
            parsed.GetValue(CommonOptions.Aligned), options.Validated(), parsed.GetRequiredValue(Output), parsed.GetValue(Resume));
        var report = new DistillJob(finder, context.Say).Run(request, context.Progress, context.Cancel);
        context.Result(report, console => Rendering.RunSummary.Render(console, report));
    }
}

/// <summary>The augmentations that have a name; a recipe gives each value.</summary>
internal enum AugmentKind
{
    /// <summary>The aligned face.</summary>
    None,

    /// <summary>The defaults of <see cref="AugmentOptions"/>.</summary>
    Mild,

    /// <summary><see cref="AugmentOptions.Strong"/>.</summary>
    Strong,
}
