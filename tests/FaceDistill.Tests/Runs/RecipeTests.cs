using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Tests.Runs;

public sealed class RecipeTests : IDisposable
{
    private static readonly string Recipes = Path.Combine(RepositoryRoot.Path, "eval", "recipes");
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_recipe_of_the_repository_is_read_and_opens_with_what_it_is()
    {
        var files = Directory.GetFiles(Recipes, "*.json")
            .Where(f => Path.GetFileName(f) != "schema.json" && !Path.GetFileName(f).StartsWith("table14", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, file =>
        {
            var recipe = Recipe.Read(file);
            Assert.Equal("schema.json", recipe.Schema);
            Assert.NotEmpty(recipe.About!);
            Assert.Contains(Path.GetFileName(file), recipe.Command, StringComparison.Ordinal);
            Assert.True(recipe.ExpectedMinutes > 0);
            string text = File.ReadAllText(file);
            Assert.True(text.IndexOf("\"about\"", StringComparison.Ordinal) < text.IndexOf("\"options\"", StringComparison.Ordinal));
        });
    }

    [Fact]
    public void The_schema_file_is_the_one_of_the_types()
    {
        string made = RecipeSchema.Text();
        string file = Path.Combine(Recipes, "schema.json");
        if (File.ReadAllText(file) != made)
        {
            string beside = Path.Combine(Path.GetTempPath(), "facedistill-schema.json");
            File.WriteAllText(beside, made);
            Assert.Fail($"{file} is out of date; the types now say {beside}: copy it there");
        }
    }

    [Theory]
    [InlineData("""{"options": {"student": "mobilenet-v1:0.5@96", "epoch": 3}}""", "epoch")]
    [InlineData("""{"options": {"student": "mobilenet-v1:0.5@96", "epochs": "many"}}""", "options.epochs")]
    [InlineData("""{"options": {"student": "mobilenet-v1:0.5@96", "head": "round"}}""", "options.head")]
    [InlineData("""{"options": {"student": "mobilenet-v1:0.5@96", "head": 1}}""", "options.head")]
    [InlineData("""{"options": {"student": "mobilenet-v1:0.5@96"}, "minutes": 3}""", "minutes")]
    [InlineData("""{"options": {"student": "mobilenet-v1:0.5@96", "augment": {"shif": 0}}}""", "shif")]
    [InlineData("""{"options": {"student": "mobilenet-v1:0.5@96"}, "data": "utkface"}""", "data")]
    [InlineData("""{"options": {"epochs": 3}}""", "student")]
    [InlineData("""{"about": "nothing"}""", "options")]
    [InlineData("""{"options": {"student": "mobilenet-v1:0.5@96", "ema": 1}}""", "moving average")]
    public void A_wrong_key_type_or_value_is_one_line_that_names_it(string text, string names)
    {
        File.WriteAllText(_folder["r.json"], text);
        string message = Assert.Throws<FaceDistillException>(() => Recipe.Read(_folder["r.json"])).Message;
        Assert.StartsWith(_folder["r.json"], message, StringComparison.Ordinal);
        Assert.Contains(names, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("", 1.6e-2, 0.1)]
    [InlineData(", \"init\": \"faceres\"", 8e-3, 0.1)]
    [InlineData(", \"init\": \"faceres\", \"learningRate\": 0.016", 1.6e-2, 0.1)]
    [InlineData(", \"optimizer\": \"adamw\"", 4e-3, 0.02)]
    [InlineData(", \"optimizer\": \"sgd\"", 0.1, 1e-4)]
    [InlineData(", \"optimizer\": \"sgd\", \"learningRate\": 0.05", 0.05, 1e-4)]
    [InlineData(", \"optimizer\": \"adamw\", \"weightDecay\": 0.1", 4e-3, 0.1)]
    public void A_rate_that_is_left_out_is_the_usual_one_of_the_optimizer(string more, double rate, double decay)
    {
        File.WriteAllText(_folder["r.json"], $$$"""{"options": {"student": "mobilenet-v1:0.5@96"{{{more}}}}}""");
        var options = Recipe.Read(_folder["r.json"]).Options;
        Assert.Equal((rate, decay), (options.Optimizer.LearningRate, options.Optimizer.WeightDecay));
    }

    [Fact]
    public void What_is_written_is_read()
    {
        var recipe = new Recipe
        {
            About = "a",
            Options = new DistillOptions
            {
                Student = new StudentOptions { Name = "mobilenet-v1:0.5@96", Init = "run" },
                Run = new TrainingRunOptions { Minutes = 3 },
                Optimizer = new OptimizerOptions { Kind = OptimizerKind.Sgd },
                Targets = new TargetOptions { Augment = new AugmentOptions { Shift = 0.1 } },
            },
        };
        recipe.Write(_folder.Path);
        Assert.Equal(JsonFile.Serialize(recipe), JsonFile.Serialize(Recipe.Read(_folder[Recipe.FileName])));
        Assert.Contains("\"sgd\"", JsonFile.Serialize(recipe), StringComparison.Ordinal);
    }
}
