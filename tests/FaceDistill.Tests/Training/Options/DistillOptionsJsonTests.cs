using System.Text.Json.Nodes;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Tests.Training.Options;

/// <summary>The options' groups are the code's; files hold one list, as they did before there were groups.</summary>
public sealed class DistillOptionsJsonTests
{
    // As version 0.1 wrote it, with another value than the default everywhere.
    private const string Text = """
        {
          "student": "mobilenet-v1:0.5@96",
          "head": "gap",
          "dimension": 64,
          "loss": {
            "squared": 0.5,
            "cosine": 1,
            "distance": 2,
            "angle": 3,
            "arcFace": 0.25,
            "arcFaceScale": 32,
            "arcFaceMargin": 0.375
          },
          "epochs": 7,
          "batchSize": 48,
          "minutes": 2.5,
          "optimizer": "adamw",
          "learningRate": 0.125,
          "schedule": "wsd",
          "warmupEpochs": 0.5,
          "weightDecay": 0.0625,
          "ema": 0.999,
          "clip": 2,
          "keep": "last",
          "patience": 4,
          "progressive": 0.5,
          "init": "runs/a",
          "initChannels": "batchNorm",
          "initRefit": false,
          "mirror": false,
          "augment": {
            "shift": 0.03125,
            "scale": 0.06,
            "rotation": 6,
            "brightness": 0.1,
            "contrast": 0.2,
            "gamma": 0.2,
            "colour": 0.2,
            "blur": 0.05,
            "jpeg": 0.05,
            "downscale": 0.1,
            "erase": 0.05
          },
          "targets": "live",
          "views": 3,
          "mixUp": 0.75,
          "validation": 0.25,
          "validationPeople": 11,
          "seed": 9,
          "precision": "bf16",
          "replicas": 5,
          "checkpointMinutes": 1.5,
          "pictureMemory": 0.5,
          "device": "cpu"
        }
        """;

    private static readonly DistillOptions Everything = new()
    {
        Student = new StudentOptions
        {
            Name = "mobilenet-v1:0.5@96",
            Head = HeadKind.Gap,
            Dimension = 64,
            Init = "runs/a",
            InitChannels = ChannelRule.BatchNorm,
            InitRefit = false,
        },
        Loss = new LossOptions { Squared = 0.5, Cosine = 1, Distance = 2, Angle = 3, ArcFace = 0.25, ArcFaceScale = 32, ArcFaceMargin = 0.375 },
        Run = new TrainingRunOptions
        {
            Epochs = 7,
            BatchSize = 48,
            Minutes = 2.5,
            Progressive = 0.5,
            Seed = 9,
            Precision = PrecisionMode.Bf16,
            Replicas = 5,
            CheckpointMinutes = 1.5,
            PictureMemory = 0.5,
            Device = "cpu",
        },
        Optimizer = new OptimizerOptions
        {
            Kind = OptimizerKind.AdamW,
            LearningRate = 0.125,
            Schedule = ScheduleKind.Wsd,
            WarmupEpochs = 0.5,
            WeightDecay = 0.0625,
            Ema = 0.999,
            Clip = 2,
        },
        Targets = new TargetOptions { Mirror = false, Augment = new AugmentOptions { Shift = 0.03125 }, Mode = TargetMode.Live, Views = 3, MixUp = 0.75 },
        HeldOut = new HeldOutOptions { Part = 0.25, People = 11, Keep = KeepKind.Last, Patience = 4 },
    };

    [Fact]
    public void Every_option_is_written_and_read_as_before_there_were_groups()
    {
        Assert.Equal(Text, JsonFile.Serialize(Everything));
        Assert.Equal(Everything, JsonFile.Parse<DistillOptions>(Text, "text"));
    }

    [Fact]
    public void Each_option_is_read_alone_and_the_others_have_their_defaults()
    {
        var usual = new DistillOptions { Student = new StudentOptions { Name = "mobilenet-v1:0.5@96" } };
        Assert.Equal(usual, JsonFile.Parse<DistillOptions>("""{"student": "mobilenet-v1:0.5@96"}""", "text"));
        var defaults = JsonNode.Parse(JsonFile.Serialize(usual))!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(Text)!.AsObject().Where(m => m.Key != "student"))
        {
            string one = new JsonObject { ["student"] = "mobilenet-v1:0.5@96", [name] = value!.DeepClone() }.ToJsonString();
            var read = JsonNode.Parse(JsonFile.Serialize(JsonFile.Parse<DistillOptions>(one, name)))!.AsObject();
            Assert.True(JsonNode.DeepEquals(value, read[name]), name);
            Assert.NotEqual(defaults[name]?.ToJsonString(), read[name]!.ToJsonString());
            Assert.All(defaults.Where(d => d.Key != name), d => Assert.True(JsonNode.DeepEquals(d.Value, read[d.Key]), $"{name} changed {d.Key}"));
        }
    }

    [Fact]
    public void What_is_left_to_the_run_is_not_written_and_other_nulls_are()
    {
        var text = JsonNode.Parse(JsonFile.Serialize(new DistillOptions { Student = new StudentOptions { Name = "x" } }))!.AsObject();
        Assert.False(text.ContainsKey("validationPeople") || text.ContainsKey("replicas") || text.ContainsKey("isAugmented"));
        Assert.All(new[] { "dimension", "minutes", "init" }, name => Assert.True(text.ContainsKey(name) && text[name] is null, name));
    }

    [Theory]
    [InlineData("""{}""", "'student'")]
    [InlineData("""{"student": null}""", "student")]
    [InlineData("""{"student": "x", "run": {"epochs": 3}}""", "run")]
    [InlineData("""{"student": {"name": "x"}}""", "student")]
    [InlineData("""{"student": "x", "heldOut": {}}""", "heldOut")]
    [InlineData("""{"student": "x", "device": null}""", "device")]
    [InlineData("""{"student": "x", "targets": "now"}""", "targets")]
    [InlineData("""{"student": "x", "augment": {"shif": 1}}""", "shif")]
    public void What_is_missing_unknown_or_of_another_type_is_named(string text, string names) => Assert.Contains(
        names, Assert.Throws<FaceDistillException>(() => JsonFile.Parse<DistillOptions>(text, "text")).Message, StringComparison.Ordinal);
}
