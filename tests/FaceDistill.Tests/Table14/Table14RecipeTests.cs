using FaceDistill.Students;
using FaceDistill.Table14;
using FaceDistill.Training.Starts;

namespace FaceDistill.Tests.Table14;

public sealed class Table14RecipeTests : IDisposable
{
    private static readonly string Recipes = Path.Combine(RepositoryRoot.Path, "eval", "recipes");
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("table14.json", "dlib-resnet", 18)]
    [InlineData("table14-faceplugin.json", "faceplugin-512", 9)]
    [InlineData("table14-further.json", "dlib-resnet", 1)]
    [InlineData("table14-views.json", "dlib-resnet", 1)]
    [InlineData("table14-rest.json", "dlib-resnet", 15)]
    public void The_tables_recipes_are_read_and_open_with_what_they_are(string name, string teacher, int rows)
    {
        string file = Path.Combine(Recipes, name);
        var recipe = Table14Recipe.Read(file);
        Assert.Equal((teacher, rows), (recipe.Teacher, recipe.Rows.Count));
        Assert.Contains(name, recipe.Command, StringComparison.Ordinal);
        Assert.NotEmpty(recipe.About!);
        Assert.True(recipe.ExpectedMinutes > 0);
        Assert.Equal("table14.schema.json", recipe.Schema);
    }

    [Fact]
    public void The_exported_files_that_rows_start_from_are_there_and_fit()
    {
        var rows = Directory.GetFiles(Recipes, "table14*.json").Where(f => !f.EndsWith("schema.json", StringComparison.Ordinal))
            .SelectMany(f => Table14Recipe.Read(f).Rows).Where(r => r.Init is not null && ExportedStudent.Is(r.Init)).ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Null(
            WeightTransfer.Misfit(ExportedStudent.Read(Path.Combine(RepositoryRoot.Path, row.Init!)).Architecture.Spec, row.Student)));
    }

    [Fact]
    public void The_tables_students_stand_in_both_columns_and_are_measured_twice()
    {
        var recipe = Table14Recipe.Read(Path.Combine(Recipes, "table14.json"));
        var columns = recipe.Rows.ToLookup(r => r.Init is not null, r => r.Student);
        Assert.Equal(9, columns[true].Count());
        Assert.Equal(columns[true].Order(StringComparer.Ordinal), columns[false].Order(StringComparer.Ordinal));
        Assert.All(PaperTable.Rows.Skip(1), row => Assert.Contains(row.Student!.ToString(), columns[false]));
        Assert.All(recipe.Rows.GroupBy(r => r.Student),
            rows => Assert.Single(rows.Select(r => recipe.OptionsOf(r, start => start.Name).Run.Epochs).Distinct()));
        Assert.Equal(("data/strangers", "all-pairs"), (recipe.SecondTest!.Data, recipe.SecondTest.Protocol));
        var options = recipe.OptionsOf(recipe.Rows.First(r => r.Name == "mobilenet-v1:0.5@96-start"), start => start.Name);
        Assert.Equal(("mobilenet-v1:1.0@128-start", 0.008, 16), (options.Student.Init, options.Optimizer.LearningRate, options.Run.Epochs));
    }

    [Fact]
    public void A_student_may_stand_twice_and_its_rows_have_names_of_their_own()
    {
        var recipe = Read("""
            {"student": "mobilenet-v1:0.5@96", "init": "mobilenet-v1:0.5@128"}, {"student": "mobilenet-v1:0.5@96", "seeds": 2},
            {"student": "mobilenet-v1:0.25@96", "init": "mobilenet-v1:0.5@96-start", "seed": 7}, {"student": "mobilenet-v1-shallow:0.5@96"}
            """);
        Assert.Equal(["mobilenet-v1:0.5@128", "mobilenet-v1:0.5@96-start", "mobilenet-v1:0.5@96", "mobilenet-v1:0.5@96-seed2",
            "mobilenet-v1:0.25@96-start-seed7",
            "mobilenet-v1-shallow:0.5@96"], recipe.Rows.Select(r => r.Name));
        Assert.Equal(["0.5@128", "0.5@96-start", "0.5@96", "0.5@96-seed2", "0.25@96-start-seed7", "shallow-0.5@96"],
            recipe.Rows.Select(r => Table14RecipeRow.Short(r.Name)));
        Assert.Equal([1L, 1, 1, 2, 7, 1], recipe.Rows.Select(r => recipe.OptionsOf(r, s => s.Name).Run.Seed));
        string[] Chosen(params string[] names) => [.. recipe.Of(names).Rows.Select(r => r.Name["mobilenet-v1:".Length..])];
        Assert.Equal(["0.5@96-start", "0.5@96", "0.5@96-seed2"], Chosen("mobilenet-v1:0.5@96"));
        Assert.Equal(["0.5@96-start"], Chosen("mobilenet-v1:0.5@96-start"));
        Assert.Equal(["0.5@96", "0.5@96-seed2"], Chosen("mobilenet-v1:0.5@96-random"));
        Assert.Equal(["0.5@96-seed2", "0.25@96-start-seed7"], Chosen("mobilenet-v1:0.25@96", "mobilenet-v1:0.5@96-random-seed2"));
        Assert.Contains("no row 'mobilenet-v1:0.5@128-start'", Assert.Throws<FaceDistillException>(() => Chosen("mobilenet-v1:0.5@128-start")).Message,
            StringComparison.Ordinal);
        Assert.Equal(recipe.Rows, recipe.Validated().Rows); // seeds are rows now
    }

    [Theory]
    [InlineData("mobilenet-v1:0.5@128", "mobilenet-v1:0.5@128-random, mobilenet-v1:0.5@128-start")] // which of the two?
    [InlineData("mobilenet-v1:0.5@96-start", "no row before it")]
    public void A_start_that_names_no_row_or_two_is_refused(string init, string names)
    {
        string rows = """{"student": "mobilenet-v1:0.5@128", "init": "mobilenet-v1:0.5@128-random"}, {"student": "mobilenet-v1:0.5@96", "init": "INIT"}""";
        string message = Assert.Throws<FaceDistillException>(() => Read(rows.Replace("INIT", init, StringComparison.Ordinal))).Message;
        Assert.Contains(names, message, StringComparison.Ordinal);
        foreach (string which in new[] { "mobilenet-v1:0.5@128", "mobilenet-v1:0.5@128-start" })
        {
            string said = which.EndsWith("-start", StringComparison.Ordinal) ? which : which + "-random";
            var recipe = Read(rows.Replace("INIT", said, StringComparison.Ordinal));
            Assert.Equal(which, recipe.StartOf(recipe.Rows[2])!.Name);
        }
    }

    [Fact]
    public void The_schema_file_is_the_one_of_the_types()
    {
        string made = Table14Recipe.SchemaText(), file = Path.Combine(Recipes, "table14.schema.json");
        if (!File.Exists(file) || File.ReadAllText(file) != made)
        {
            string beside = Path.Combine(Path.GetTempPath(), "facedistill-table14.schema.json");
            File.WriteAllText(beside, made);
            Assert.Fail($"{file} is out of date; the types now say {beside}: copy it there");
        }
    }

    [Theory]
    [InlineData("""{"student": "mobilenet-v1:0.5@96", "epoch": 3}""", "epoch")]
    [InlineData("""{"student": "mobilenet-v1:0.5@97"}""", "resolution")]
    [InlineData("""{"student": "mobilenet-v1:0.5@96", "epochs": 0}""", "epochs are 1 to 10000")]
    [InlineData("""{"student": "mobilenet-v1:0.5@96", "learningRate": 2}""", "learning rate")]
    [InlineData("""{"student": "mobilenet-v1:0.5@96", "init": "mobilenet-v1:1.0@96"}""", "no row before it")]
    [InlineData("""{"student": "mobilenet-v1:0.5@96", "init": "mobilenet-v1:0.25@96"}""", "narrower")]
    [InlineData("""{"student": "mobilenet-v1:0.25@96"}""", "stands twice")]
    [InlineData("""{"student": "mobilenet-v1:0.25@96", "seed": 1}""", "stands twice")]
    [InlineData("""{"student": "mobilenet-v1:0.5@96", "seeds": 0}""", "seeds are 1 to 100")]
    public void A_wrong_row_is_one_line_that_names_it(string row, string names) => AssertRefused(Text(row), names);

    [Theory]
    [InlineData("\"protocols\": [\"lfw-10fold\"]", "first protocol")]
    [InlineData("\"protocols\": [\"all-pairs\", \"nonsense\"]", "nonsense")]
    [InlineData("\"secondTest\": {\"data\": \"others/lfw/\"}", "both tests are called lfw")]
    [InlineData("\"baseline\": {\"students\": [\"mobilenet-v1:0.25@96\"], \"data\": [\"x\"], \"epochs\": 1, \"loss\": {\"arcFace\": 1}}",
        "looks at the teacher")]
    [InlineData("\"baseline\": {\"students\": [\"mobilenet-v1:0.25@96\"], \"data\": [], \"epochs\": 1}", "baseline.data")]
    [InlineData("\"secondTest\": {\"data\": \"x\", \"protocol\": \"lfw-10fold\"}", "that of the second test")]
    [InlineData("\"secondTest\": {\"data\": \"\"}", "secondTest.data")]
    [InlineData("\"benchRounds\": 0", "benchRounds")]
    [InlineData("\"rounds\": 1", "rounds")]
    [InlineData("\"baseline\": {\"students\": [\"mobilenet-v1:1.0@96\"], \"data\": [\"x\"], \"epochs\": 1}", "not among the rows")]
    [InlineData("\"baseline\": {\"students\": [\"mobilenet-v1:0.25@96\"], \"data\": [\"x\"], \"epochs\": 0}", "epochs are 1 to 10000")]
    public void A_wrong_value_is_one_line_that_names_it(string more, string names) =>
        AssertRefused(Text("""{"student": "mobilenet-v1:0.5@96"}""", more), names);

    [Fact]
    public void A_row_has_the_tables_options_but_for_what_it_says_itself()
    {
        File.WriteAllText(
            _folder["t.json"], Text("""{"student": "mobilenet-v1:0.25@64", "epochs": 3, "learningRate": 0.002, "init": "mobilenet-v1:0.25@96"}"""));
        var recipe = Table14Recipe.Read(_folder["t.json"]);
        var options = recipe.OptionsOf(recipe.Rows[1], start => $"rows/{start.Name}");
        Assert.Equal(recipe.Options with
        {
            Student = recipe.Options.Student with { Name = "mobilenet-v1:0.25@64", Init = "rows/mobilenet-v1:0.25@96" },
            Run = recipe.Options.Run with { Epochs = 3 },
            Optimizer = recipe.Options.Optimizer with { LearningRate = 0.002 },
        }, options);
        Assert.Equal(recipe.Options with
        {
            Student = recipe.Options.Student with { Name = "mobilenet-v1:0.25@96" },
        }, recipe.OptionsOf(recipe.Rows[0], start => start.Name));
    }

    [Fact]
    public void A_row_may_start_from_a_backbones_card()
    {
        File.WriteAllText(_folder["t.json"], Text("""{"student": "mobilenet-v1:1.0@96", "init": "faceres"}"""));
        var recipe = Table14Recipe.Read(_folder["t.json"]);
        Assert.Equal("faceres", recipe.OptionsOf(recipe.Rows[1], start => $"rows/{start.Name}").Student.Init);
    }

    [Fact]
    public void A_rate_that_is_left_out_is_the_usual_one_of_the_optimizer_and_a_common_start_is_refused()
    {
        string text = Text("""{"student": "mobilenet-v1:0.5@96"}""");
        File.WriteAllText(_folder["t.json"], text.Replace("\"options\": {", "\"options\": {\"optimizer\": \"sgd\", ", StringComparison.Ordinal));
        var options = Table14Recipe.Read(_folder["t.json"]).Options;
        Assert.Equal((0.1, 1e-4), (options.Optimizer.LearningRate, options.Optimizer.WeightDecay));
        AssertRefused(text.Replace("\"options\": {", "\"options\": {\"init\": \"run\", ", StringComparison.Ordinal), "options.init");
        AssertRefused(Text("null"), "null stands in a list");
    }

    private void AssertRefused(string text, string names)
    {
        File.WriteAllText(_folder["t.json"], text);
        string message = Assert.Throws<FaceDistillException>(() => Table14Recipe.Read(_folder["t.json"])).Message;
        Assert.StartsWith(_folder["t.json"], message, StringComparison.Ordinal);
        Assert.Contains(names, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    private Table14Recipe Read(string rows)
    {
        File.WriteAllText(_folder["t.json"], $$"""
            {"data": ["utkface"], "test": "lfw", "options": {"student": "mobilenet-v1:0.25@96"}, "rows": [{"student": "mobilenet-v1:0.5@128"}, {{rows}}]}
            """);
        return Table14Recipe.Read(_folder["t.json"]);
    }

    private static string Text(string row, string? more = null) =>
        $$"""
        {"data": ["utkface"], "test": "lfw", {{(more is null ? "" : more + ", ")}}"options": {"student": "mobilenet-v1:0.25@96"},
         "rows": [{"student": "mobilenet-v1:0.25@96"}, {{row}}]}
        """;
}
