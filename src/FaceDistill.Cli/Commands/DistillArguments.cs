using System.CommandLine;
using FaceDistill.Assets;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Cli.Commands;

/// <summary>The options of <c>distill</c> that decide the training: each overrides the recipe's value.</summary>
internal static class DistillArguments
{
    private static readonly DistillOptions Defaults = new() { Student = new StudentOptions { Name = "" } };
    private static readonly Option<string> Student = new Option<string>("--student")
    {
        Description = "mobilenet-v1:WIDTH@RESOLUTION, at most 1@224; also mobilenet-v1-conv: and mobilenet-v1-shallow:.",
        HelpName = "NAME",
    }.Offers(PaperTable.Rows.Concat(PaperTable.ImageNet.Values.SelectMany(rows => rows)).Select(r => r.Student).OfType<StudentSpec>()
        .Select(s => s.ToString()).Distinct());

    private static readonly Option<HeadKind> Head = new("--head")
    {
        Description = "What makes one vector of the last map: global pooling (gap) or a depthwise convolution as large as the map (gdc).",
        DefaultValueFactory = _ => Defaults.Student.Head,
    };
    private static readonly Option<int?> Dimension = new("--dimension")
    {
        Description = "The embedding's length: the teacher's, or less, by the principal axes of the teacher's embeddings.",
    };
    private static readonly Option<double> Squared = Weight("squared", "the squared difference", Defaults.Loss.Squared);
    private static readonly Option<double> Cosine = Weight("cosine", "1 - the cosine", Defaults.Loss.Cosine);
    private static readonly Option<double> Distance = Weight("distance", "the relational loss of distances", Defaults.Loss.Distance);
    private static readonly Option<double> Angle = Weight("angle", "the relational loss of angles", Defaults.Loss.Angle);
    private static readonly Option<double> ArcFace =
        Weight("arcface", "ArcFace, for faces in a sub-folder for each person; alone (--loss-squared 0) a training without a teacher", Defaults.Loss.ArcFace);
    private static readonly Option<double> ArcFaceScale = new("--arcface-scale")
    {
        Description = "What ArcFace multiplies cosines by.",
        DefaultValueFactory = _ => Defaults.Loss.ArcFaceScale,
    };
    private static readonly Option<double> ArcFaceMargin = new("--arcface-margin")
    {
        Description = "ArcFace's margin in radians.",
        DefaultValueFactory = _ => Defaults.Loss.ArcFaceMargin,
    };

    private static readonly Option<string?> Init = new Option<string?>("--init")
    {
        Description = "Start with the weights of a published backbone (faceres, or your card's path; 'teachers pull' fetches it), run folder, checkpoint "
            + "or exported .onnx file (its card beside it), of the same or a greater width.",
        HelpName = "CARD|RUN|FILE",
    }.Completes("", Cards.Backbones);
    private static readonly Option<ChannelRule> InitChannels = new("--init-channels")
    {
        Description = "Which channels of a wider start are kept: l1 (the largest filters), batch-norm (the largest norm weights) or reconstruction (those "
            + "that explain most of the next layer's output on training faces).",
        DefaultValueFactory = _ => Defaults.Student.InitChannels,
    };

    private static readonly Option<bool> NoInitRefit = new("--no-init-refit") { Description = "Do not fit a narrowed start's layers on faces." };
    private static readonly Option<int> Epochs = new("--epochs") { Description = "Passes over the faces.", DefaultValueFactory = _ => Defaults.Run.Epochs };
    private static readonly Option<double?> Minutes = new("--minutes")
    {
        Description = "As many epochs as fit into so many minutes of training, instead of --epochs.",
    };
    private static readonly Option<int> Patience = new("--patience")
    {
        Description = "End after so many epochs without a better one; 0 for never.",
        DefaultValueFactory = _ => Defaults.HeldOut.Patience,
    };
    private static readonly Option<KeepKind> Keep = new("--keep")
    {
        Description = "Export and evaluate the best or the last student.",
        DefaultValueFactory = _ => Defaults.HeldOut.Keep,
    };
    private static readonly Option<int> BatchSize = new("--batch-size") { Description = "Faces a step.", DefaultValueFactory = _ => Defaults.Run.BatchSize };

    private static readonly Option<OptimizerKind> Optimizer = new("--optimizer")
    {
        Description = "How gradients become steps; sgd has Nesterov's momentum.",
        DefaultValueFactory = _ => Defaults.Optimizer.Kind,
    };

    private static readonly Option<ScheduleKind> Schedule = new("--schedule")
    {
        Description = "How the learning rate falls; wsd is stable, then linear over the last third.",
        DefaultValueFactory = _ => Defaults.Optimizer.Schedule,
    };

    private static readonly Option<double> LearningRate = new("--learning-rate")
    {
        Description = "The highest learning rate; with --init 8e-3, with adamw 4e-3 and with sgd 0.1 unless given.",
        DefaultValueFactory = _ => Defaults.Optimizer.LearningRate,
    };

    private static readonly Option<double> Warmup =
        new("--warmup-epochs") { Description = "Epochs of the learning rate's rise.", DefaultValueFactory = _ => Defaults.Optimizer.WarmupEpochs };
    private static readonly Option<double> WeightDecay = new("--weight-decay")
    {
        Description = "The weight decay; with adamw 0.02 and with sgd 1e-4 unless given.",
        DefaultValueFactory = _ => Defaults.Optimizer.WeightDecay,
    };
    private static readonly Option<double> Ema = new("--ema")
    {
        Description = "The decay of the weights' moving average; 0 for none.",
        DefaultValueFactory = _ => Defaults.Optimizer.Ema,
    };
    private static readonly Option<double> Clip = new("--clip")
    {
        Description = "The largest norm of a step's gradients; 0 for no limit.",
        DefaultValueFactory = _ => Defaults.Optimizer.Clip,
    };
    private static readonly Option<double> Progressive = new("--progressive")
    {
        Description = "Train the first half at lower resolutions, from this part of the full one up; 1 for none.",
        DefaultValueFactory = _ => Defaults.Run.Progressive,
    };
    private static readonly Option<double> Validation = new("--validation")
    {
        Description = "The part of the faces held out to measure.",
        DefaultValueFactory = _ => Defaults.HeldOut.Part,
    };
    private static readonly Option<int?> ValidationPeople = new("--validation-people")
    {
        Description = "How many people are held out with all their pictures, to choose the best epoch by their TAR; a sub-folder is a person. "
            + "Unless given a tenth of them, at most 300, where the data have enough.",
    };
    private static readonly Option<AugmentKind> Augment = new("--augment")
    {
        Description = "How much the views that train differ from the aligned face, each with the teacher's embedding of the same view.",
        DefaultValueFactory = _ => AugmentKind.None,
    };
    private static readonly Option<TargetMode> Targets = new("--targets")
    {
        Description = "Whether the teacher embeds the augmented views beforehand (cached) or while the student trains (live).",
        DefaultValueFactory = _ => Defaults.Targets.Mode,
    };
    private static readonly Option<int> Views = new("--views")
    {
        Description = "With cached targets, the augmented views of each face.",
        DefaultValueFactory = _ => Defaults.Targets.Views,
    };
    private static readonly Option<double> MixUp = new("--mixup")
    {
        Description = "Alpha of MixUp, with live targets.",
        DefaultValueFactory = _ => Defaults.Targets.MixUp,
    };
    private static readonly Option<bool> NoMirror = new("--no-mirror") { Description = "Do not mirror faces." };
    private static readonly Option<PrecisionMode> Precision = new("--precision")
    {
        Description = "In what the network computes; auto is the faster one here (bf16 where the processor has AVX512_BF16).",
        DefaultValueFactory = _ => Defaults.Run.Precision,
    };
    private static readonly Option<int?> ReplicaCount = new("--replicas")
    {
        Description = "In how many parts a batch is computed at once on the CPU, with batch norm over each; as many as torch has threads unless given, each "
            + "of 32 faces or more.",
    };

    private static readonly Option<double> CheckpointMinutes = new("--checkpoint-minutes")
    {
        Description = "A checkpoint every so many minutes, beside each epoch's; 0 for none within an epoch.",
        DefaultValueFactory = _ => Defaults.Run.CheckpointMinutes,
    };

    private static readonly Option<double?> PictureMemory = new("--picture-memory")
    {
        Description = "Gigabytes of memory in which decoded pictures are kept, so that each is decoded once; a third of the machine's unless given.",
        HelpName = "GB",
    };

    private static readonly Option<long> Seed = new("--seed")
    {
        Description = "Decides initial weights, order and mirroring.",
        DefaultValueFactory = _ => Defaults.Run.Seed,
    };

    /// <summary>All of them, in the groups of the help.</summary>
    public static (string Name, Option[] Options)[] Groups =>
    [
        ("the student", [Student, Head, Dimension, Init, InitChannels, NoInitRefit]),
        ("training", [Epochs, Minutes, BatchSize, Progressive, Precision, ReplicaCount, CommonOptions.Device, Seed, CheckpointMinutes, PictureMemory]),
        ("the views that train", [NoMirror, Augment, Targets, Views, MixUp]),
        ("what is minimised", [Squared, Cosine, Distance, Angle, ArcFace, ArcFaceScale, ArcFaceMargin]),
        ("the optimizer", [Optimizer, LearningRate, Schedule, Warmup, WeightDecay, Ema, Clip]),
        ("the best epoch", [ValidationPeople, Validation, Keep, Patience]),
    ];

    /// <summary>Whether the student is named on the command line.</summary>
    public static bool NamesStudent(System.CommandLine.Parsing.CommandResult result) => result.GetResult(Student) is { Implicit: false };

    /// <summary>What is wrong with options that are each right by themselves; null where nothing is.</summary>
    public static string? UsageError(System.CommandLine.Parsing.CommandResult result) => result.Given(Epochs) && result.Given(Minutes)
        ? "--minutes stands in place of --epochs: give one of them" : null;

    /// <summary>An option that would silently do nothing beside the others, the recipe's among them; null where each does something.</summary>
    public static string? Idle(ParseResult parsed, DistillOptions options)
    {
        var (targets, held) = (options.Targets, options.HeldOut);
        return (parsed.Given(ArcFaceScale) || parsed.Given(ArcFaceMargin)) && options.Loss.ArcFace == 0
                ? "--arcface-scale and --arcface-margin belong to --loss-arcface"
            : (parsed.Given(InitChannels) || parsed.Given(NoInitRefit)) && options.Student.Init is null
                ? "--init-channels and --no-init-refit belong to --init"
            : parsed.Given(Views) && !(targets.IsAugmented && targets.Mode == TargetMode.Cached)
                ? "--views is the number of augmented views with cached targets: give --augment, and not --targets live"
            : parsed.Given(Validation) && options is { HeldOut.Part: > 0, Loss.IsDistilled: false }
                ? "--validation compares with the teacher's embeddings; without a teacher only people can be held out (--validation-people)"
            : parsed.Given(Keep) && held.Keep == KeepKind.Best && options.HeldPart == 0 && (held.People ?? (options.Loss.IsDistilled ? 1 : 0)) == 0
                ? "--keep best needs something to choose by: give --validation or --validation-people above 0"
            : null;
    }

    /// <summary>The recipe's options, or the defaults, with what was typed in place of them.</summary>
    public static DistillOptions Options(ParseResult parsed, Recipe? recipe)
    {
        var basis = recipe?.Options ?? Defaults;
        T Or<T>(Option<T> option, T value) => parsed.Given(option) ? parsed.GetValue(option)! : value;
        var (student, run, optimizer, targets, held) = (basis.Student, basis.Run, basis.Optimizer, basis.Targets, basis.HeldOut);
        var options = basis with
        {
            Student = student with
            {
                Name = Or(Student, student.Name),
                Head = Or(Head, student.Head),
                Dimension = Or(Dimension, student.Dimension),
                InitChannels = Or(InitChannels, student.InitChannels),
                InitRefit = parsed.Given(NoInitRefit) ? !parsed.GetValue(NoInitRefit) : student.InitRefit,
            },
            Loss = basis.Loss with
            {
                Squared = Or(Squared, basis.Loss.Squared),
                Cosine = Or(Cosine, basis.Loss.Cosine),
                Distance = Or(Distance, basis.Loss.Distance),
                Angle = Or(Angle, basis.Loss.Angle),
                ArcFace = Or(ArcFace, basis.Loss.ArcFace),
                ArcFaceScale = Or(ArcFaceScale, basis.Loss.ArcFaceScale),
                ArcFaceMargin = Or(ArcFaceMargin, basis.Loss.ArcFaceMargin),
            },
            Run = run with
            {
                Epochs = Or(Epochs, run.Epochs),
                BatchSize = Or(BatchSize, run.BatchSize),
                // Epochs that were typed count for more than a recipe's minutes.
                Minutes = parsed.Given(Epochs) && !parsed.Given(Minutes) ? null : Or(Minutes, run.Minutes),
                Progressive = Or(Progressive, run.Progressive),
                Seed = Or(Seed, run.Seed),
                Precision = Or(Precision, run.Precision),
                Replicas = Or(ReplicaCount, run.Replicas),
                CheckpointMinutes = Or(CheckpointMinutes, run.CheckpointMinutes),
                PictureMemory = Or(PictureMemory, run.PictureMemory),
                Device = Or(CommonOptions.Device, run.Device),
            },
            Optimizer = optimizer with
            {
                Kind = Or(Optimizer, optimizer.Kind),
                Schedule = Or(Schedule, optimizer.Schedule),
                WarmupEpochs = Or(Warmup, optimizer.WarmupEpochs),
                Ema = Or(Ema, optimizer.Ema),
                Clip = Or(Clip, optimizer.Clip),
            },
            Targets = targets with
            {
                Mirror = parsed.Given(NoMirror) ? !parsed.GetValue(NoMirror) : targets.Mirror,
                Augment = parsed.Given(Augment) ? Named(parsed.GetValue(Augment)) : targets.Augment,
                Mode = Or(Targets, targets.Mode),
                Views = Or(Views, targets.Views),
                MixUp = Or(MixUp, targets.MixUp),
            },
            HeldOut = held with
            {
                Part = Or(Validation, held.Part),
                People = Or(ValidationPeople, held.People),
                Keep = Or(Keep, held.Keep),
                Patience = Or(Patience, held.Patience),
            },
        };
        bool another = options.Optimizer.Kind != optimizer.Kind; // a learning rate belongs to its optimizer
        options = options.WithUsual(rate: another, decay: another).From(Or(Init, student.Init));
        return options with
        {
            Optimizer = options.Optimizer with
            {
                LearningRate = Or(LearningRate, options.Optimizer.LearningRate),
                WeightDecay = Or(WeightDecay, options.Optimizer.WeightDecay),
            },
        };
    }

    private static Option<double> Weight(string name, string what, double usual) =>
        new($"--loss-{name}") { Description = $"The weight of {what}.", DefaultValueFactory = _ => usual };

    private static AugmentOptions Named(AugmentKind kind) => kind switch
    {
        AugmentKind.Mild => new AugmentOptions(),
        AugmentKind.Strong => AugmentOptions.Strong,
        _ => AugmentOptions.None,
    };
}
