using System.Text.Json.Nodes;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Students;

namespace FaceDistill.Tests.Reports;

/// <summary>The head of a model card as the Hugging Face Hub reads it, by Python's own YAML reader.</summary>
public sealed class ModelCardHubTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [PythonFact("yaml")]
    public void The_head_tells_the_cards_own_figures_and_that_the_faces_are_drawn()
    {
        var card = Card();
        var head = Head(card);
        Assert.Equal(("facedistill", "other", "see-teacher-and-data", "LICENSE.md", "image-feature-extraction"),
            (Text(head["library_name"]), Text(head["license"]), Text(head["license_name"]), Text(head["license_link"]), Text(head["pipeline_tag"])));
        Assert.Equal(["onnx", "synthetic-faces"], Texts(head["tags"])[^2..]);
        Assert.False(head.ContainsKey("datasets")); // a folder of this machine
        var model = Assert.Single(head["model-index"]!.AsArray())!;
        var result = Assert.Single(model["results"]!.AsArray())!;
        var row = card.Accuracy.Single(a => a.Model == ModelCardAccuracy.ThisFile);
        Assert.Equal(("x.onnx", "people", "all-pairs on people (drawn faces)"),
            (Text(model["name"]), Text(result["dataset"]!["type"]), Text(result["dataset"]!["name"])));
        var metric = Assert.Single(result["metrics"]!.AsArray())!; // 6600 impostor pairs permit none at 1e-4
        Assert.Equal(("tar_at_far_1e-3", "TAR at FAR 1e-3"), (Text(metric["type"]), Text(metric["name"])));
        Assert.Equal(row.Result.TarAtFar!["1e-3"]!.Value, (double)metric["value"]!, 5e-5);
        Assert.Equal((0.001, row.Result.ImpostorPairs), ((double)metric["args"]!["far"]!, (long)metric["args"]!["impostor_pairs"]!));
        string text = ModelCardMarkdown.Of(card);
        Assert.Contains("**The faces of people are drawn, of people who do not exist", text, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.Path, text, StringComparison.Ordinal);
        Assert.Contains("| data faces | MIT, as FaceDistill | drawn by FaceDistill from a seed |", text, StringComparison.Ordinal);
    }

    [PythonFact("yaml")]
    public void Any_name_is_read_back_as_it_is_shown()
    {
        var card = Card();
        foreach (string name in new[]
        {
            "it's: #1 \"x\"", "---", "- a", "a\n---\nlicense: mit", "\u001b[31m\u202e{%!&*@`|>?", "null", "1e-4", "\U0001f600 Ångström\\n\t", " ",
            "[x](y) | z",
        })
        {
            var row = card.Accuracy[0] with { Data = name, Model = ModelCardAccuracy.ThisFile, Seen = false };
            var head = Head(card with { File = name, Accuracy = [row], Data = [new ModelCardSource(name, null, null)] });
            Assert.Equal("other", Text(head["license"]));
            Assert.Equal(ShownText.Of(name), Text(head["model-index"]![0]!["name"]));
            Assert.Equal(ShownText.Of(name), Text(head["model-index"]![0]!["results"]![0]!["dataset"]!["type"]));
            Assert.False(head.ContainsKey("datasets"));
        }
    }

    [PythonFact("yaml")]
    public void Figures_of_others_stand_in_no_head_and_terms_for_research_do()
    {
        var card = Card();
        var torch = card.Accuracy.Single(a => a.Model == ModelCardAccuracy.Torch);
        Assert.False(Head(card with { Accuracy = [] }).ContainsKey("model-index"));
        Assert.False(Head(card with { Accuracy = [torch], Format = "onnx-int8" }).ContainsKey("model-index")); // rounding may have cost some
        Assert.True(Head(card with { Accuracy = [torch], Format = "ncnn" }).ContainsKey("model-index"));
        Assert.False(Head(card with { Accuracy = [torch with { Seen = true }] }).ContainsKey("model-index"));
        Assert.False(Head(card with { Accuracy = [torch with { Model = "dlib-resnet" }] }).ContainsKey("model-index"));
        foreach (var restricted in new[]
        {
            card with { Teacher = new ModelCardSource("t", "Non-commercial use", null) },
            card with { Data = [new ModelCardSource("utkface", "non-commercial research", "x")] },
            card with { Origins = [new StudentOrigin("faceres", StudentOrigin.Backbone, "x", "y", true)] },
        })
        {
            Assert.Equal("research-only-see-teacher-and-data", Text(Head(restricted)["license_name"]));
        }

        Assert.Equal(["utkface"], Texts(Head(card with { Data = [new("utkface", "x", "y"), new("utkface", "x", "y")] })["datasets"]));
        Assert.Equal(["tflite", "int8"], Texts(Head(card with { Format = "tflite-int8", Synthetic = false })["tags"])[^2..]);
    }

    private ModelCard Card()
    {
        string copy = run.CopyTo(_folder["run"]);
        string faces = run.CopyFaces(_folder["faces"]).Dataset.Root;
        (run.Info with { Data = faces, TrainedOn = [DataFolder.Of(faces)] }).Write(copy);
        new ExportJob(new AssetFinder([], [], _folder["cache"])).Run(new ExportRequest(copy, new OnnxFormat(), _folder["x.onnx"])
        {
            Data = run.DrawStrangers(_folder["people"]).Dataset.Root, Protocol = "all-pairs", Device = "cpu",
        }, JobContext.None);
        return JsonFile.Read<ModelCard>(_folder["x.onnx.card.json"]);
    }

    // What the Hub takes for the head: between a first line "---" and the next.
    private JsonObject Head(ModelCard card)
    {
        File.WriteAllText(_folder["README.md"], ModelCardMarkdown.Of(card));
        return JsonNode.Parse(PythonFactAttribute.Run("-c", """
            import json, re, sys, yaml
            text = open(sys.argv[1], encoding='utf-8', newline='').read()
            print(json.dumps(yaml.safe_load(re.match(r'---\n(.*?)\n---\n', text, re.S).group(1))))
            """, _folder["README.md"]))!.AsObject();
    }

    private static string Text(JsonNode? node) => (string)node!;

    private static string[] Texts(JsonNode? node) => [.. node!.AsArray().Select(n => (string)n!)];
}
