using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using FaceDistill.Cli;
using FaceDistill.Cli.Commands;
using FaceDistill.Cli.Rendering;
using FaceDistill.Files;
using FaceDistill.Formats;
using Spectre.Console;

namespace FaceDistill.Tests.Cli;

/// <summary>What people see and type on a terminal: help, tables, slips of the pen, completion, numbers.</summary>
public sealed class TerminalTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public static TheoryData<string> Verbs => [.. All(CommandLine.Root()).Where(v => v is not RootCommand).Select(Path)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", "verbs:", "quickstart")]
    [InlineData("teachers", "verbs:", "pull")]
    [InlineData("datasets", "verbs:", "verify")]
    public async Task Without_anything_to_do_there_is_help(string line, params string[] expected)
    {
        var (code, output, error) = await Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((CommandLine.Done, ""), (code, error));
        Assert.All(expected, words => Assert.Contains(words, output, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Help_has_two_to_four_examples_that_can_be_typed_and_groups_that_hold_every_option(string path)
    {
        var verb = Assert.IsType<Verb>(All(CommandLine.Root()).Single(v => Path(v) == path));
        Assert.InRange(verb.Examples.Count, 2, 4);
        Assert.All(verb.Examples, example =>
        {
            Assert.StartsWith(path, example, StringComparison.Ordinal);
            Assert.Equal([], CommandLine.Root().Parse(example).Errors.Select(e => e.Message));
        });
        Assert.Equal(verb.Options.Select(o => o.Name).Order(), verb.Groups.SelectMany(g => g.Options).Select(o => o.Name).Order());
        foreach (int width in new[] { 60, 80, 100, 160 })
        {
            string help = HelpOf(verb, width);
            Assert.All(help.Split('\n'), line => Assert.InRange(line.Length, 0, width));
            Assert.DoesNotMatch("<[^>]*[A-Z]", help);
            Assert.DoesNotContain("True", help, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_option_s_values_and_default_are_shown_as_they_are_typed()
    {
        string help = HelpOf(All(CommandLine.Root()).Single(v => Path(v) == "distill"), 100);
        Assert.Contains("--keep <best|last>", help, StringComparison.Ordinal);
        Assert.Contains("(default best)", help, StringComparison.Ordinal);
        Assert.Contains("(default 1e-6)", HelpOf(All(CommandLine.Root()).Single(v => Path(v) == "audit"), 100), StringComparison.Ordinal);
        Assert.Contains("--optimizer <adamw|muon|sgd>", help, StringComparison.Ordinal);
        Assert.Contains(".tflite", HelpOf(All(CommandLine.Root()).Single(v => Path(v) == "evaluate"), 100), StringComparison.Ordinal);
        Assert.Contains("--init-channels <l1|batch-norm|reconstruction>", help, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("distil", "'distil' is no verb; did you mean 'distill'?")]
    [InlineData("distil --help", "'distil' is no verb; did you mean 'distill'?")]
    [InlineData("count 0.25@64", "did you mean 'mobilenet-v1:0.25@64'?")]
    [InlineData("export --model m --format int8", "did you mean 'onnx-int8'?")]
    [InlineData("teachers pul", "'pul' is no verb; did you mean 'pull'? (see 'facedistill teachers --help')")]
    [InlineData("distill --kep best", "'--kep' is no option of distill; did you mean '--keep'?")]
    [InlineData("teachers list --models=x --wied", "did you mean '--wide'? (see 'facedistill teachers list --help')")]
    [InlineData("distill --student s --data d --output o --keep bset", "--keep 'bset' is none of best, last; did you mean 'best'?")]
    [InlineData("evaluate --model m --data d --protocol lfw-view1", "did you mean 'lfw-view1-test'?")]
    [InlineData("align --data d --output o --template arcfce", "--template 'arcfce' is none of arcface, dlib, facenet, wide; did you mean 'arcface'?")]
    [InlineData("evaluate --model m --data lwf", "did you mean 'lfw'?")]
    [InlineData("evaluate --model teacher:dlib-resent --data {0}", "did you mean 'dlib-resnet'?")]
    [InlineData("evaluate --model dlib-resnet --data {0}", "did you mean 'teacher:dlib-resnet'?")]
    [InlineData("teachers pull yunat", "did you mean 'yunet', one of detectors?")]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data {0} --output {0}/run --init facers", "did you mean 'faceres'?")]
    [InlineData("distill --student s --data d --output o --epochs", "--epochs needs a value")]
    [InlineData("evaluate --embeddings X.npy --labels X.txt --far", "--far needs a value")]
    [InlineData("teachers pull", "give NAME")]
    [InlineData("align --data d", "give --output PATH")]
    [InlineData("--json", "name a verb")]
    public async Task A_slip_is_answered_with_what_was_meant(string line, string says)
    {
        var (code, output, error) = await Run(line.Replace("{0}", _folder.Path, StringComparison.Ordinal).Split(' '));
        Assert.NotEqual(CommandLine.Done, code);
        Assert.Equal("", output);
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("distill --student s --data d --output o --clip 1,5", "--clip '1,5' is no number; a point stands before decimals")]
    [InlineData("distill --student s --data d --output o --epochs 1,000", "--epochs '1,000' is no whole number")]
    [InlineData("distill --student s --data d --output o --minutes 1e999", "--minutes '1e999' is too large a number")]
    [InlineData("distill --student s --data d --output o --ema NaN", "--ema 'NaN' is no number")]
    [InlineData("count mobilenet-v1:0.5@96 --dimension 1,5", "--dimension '1,5' is no whole number")]
    [InlineData("evaluate --embeddings x.npy --unknown 0,5", "--unknown '0,5' is no number")]
    public async Task A_number_with_a_comma_is_refused(string line, string says)
    {
        var (code, _, error) = await Run(line.Split(' '));
        Assert.Equal(CommandLine.Usage, code);
        Assert.Contains(says, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_option_that_takes_a_number_refuses_a_comma()
    {
        var root = CommandLine.Root();
        var options = All(root).SelectMany(v => v.Options.Select(o => (Verb: v, Option: o)))
            .Where(o => InvariantNumber.Problem("x", OptionValues.TypeOf(o.Option)) is not null).ToList();
        Assert.InRange(options.Count, 25, 1000);
        Assert.All(options, o => Assert.Contains($"{o.Option.Name} '1,5' is no ",
            string.Join('\n', root.Parse($"{Path(o.Verb)} {o.Option.Name} 1,5").Errors.Select(e => e.Message)), StringComparison.Ordinal));
    }

    // With the data of real cultures, which the program leaves out: it must not rest on that.
    [UnixFact]
    public async Task Cultures_change_nothing()
    {
        string program = typeof(CommandLine).Assembly.Location, config = System.IO.Path.ChangeExtension(program, ".runtimeconfig.json");
        var json = JsonNode.Parse(await File.ReadAllTextAsync(config))!;
        json["runtimeOptions"]!["configProperties"]!["System.Globalization.Invariant"] = false;
        await File.WriteAllTextAsync(_folder["x.runtimeconfig.json"], json.ToJsonString());
        foreach (string culture in new[] { "de_DE.UTF-8", "tr_TR.UTF-8" })
        {
            async Task<(int Code, string Output, string Error)> In(string line)
            {
                var start = new ProcessStartInfo("dotnet", ["exec", "--runtimeconfig", _folder["x.runtimeconfig.json"], "--depsfile",
                    System.IO.Path.ChangeExtension(program, ".deps.json"), program, .. line.Split(' ')]);
                (start.Environment["LC_ALL"], start.Environment["LANG"]) = (culture, culture);
                return await OtherProcess.Run(start);
            }

            var counted = await In("count mobilenet-v1:0.5@96 --head GAP --dimension 128");
            if (counted.Error.Contains("libicu", StringComparison.Ordinal))
            {
                return; // a machine without any culture
            }

            Assert.Equal((0, ""), (counted.Code, counted.Error));
            Assert.Matches(@"mobilenet-v1:0\.5@96 +27\.\d\d ", counted.Output);
            Assert.Contains("'1,5' is no number", (await In("distill --student s --data d --output o --clip 1,5")).Error, StringComparison.Ordinal);
            Assert.Contains("there is no such", (await In(
                $"distill --student mobilenet-v1:0.5@96 --data {_folder.Path} --output {_folder["o"]} --clip 1.5 --targets LIVE --init "
                    + $"{_folder["none"]}")).Error,
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("./facedistill di", "distill")]
    [InlineData("facedistill teachers ", "add list pull verify")]
    [InlineData("facedistill distill --keep ", "best last")]
    [InlineData("facedistill distill --resume --te", "--teacher")]
    [InlineData("facedistill distill --teacher dlib", "dlib-resnet")]
    [InlineData("facedistill evaluate --model teacher:dl", "teacher:dlib-resnet")]
    [InlineData("facedistill distill --student mobilenet-v1:0.25", "mobilenet-v1:0.25@224")]
    [InlineData("facedistill evaluate --data lfw", "lfw lfw-train")]
    [InlineData("facedistill evaluate --protocol lfw", "lfw-10fold lfw-view1-test")]
    [InlineData("facedistill datasets pull syn", "synthetic")]
    [InlineData("facedistill", "")]
    public async Task A_shell_completes(string line, string words)
    {
        var (code, output, error) = await Run($"[suggest:{line.Length}]", line);
        Assert.Equal((CommandLine.Done, "", words), (code, error, string.Join(' ', output.Split('\n', StringSplitOptions.RemoveEmptyEntries))));
    }

    [UnixFact]
    public async Task Bash_completes_by_the_documented_line()
    {
        string script = HelpPage.BashCompletion.Replace("\"$1\"", $"dotnet '{typeof(CommandLine).Assembly.Location}'", StringComparison.Ordinal)
            + "\nCOMP_LINE='./facedistill distill --teacher dl'; COMP_POINT=${#COMP_LINE}; _facedistill ./facedistill; echo \"${COMPREPLY[@]}\"";
        var (code, output, error) = await OtherProcess.Run(new ProcessStartInfo("bash", ["-c", script]));
        Assert.Equal((0, "dlib-resnet\n", ""), (code, output, error));
    }

    [Fact]
    public async Task Quiet_says_nothing_but_errors_and_the_result()
    {
        float[] values = [.. Enumerable.Range(0, 40 * 8).Select(i => (float)Math.Sin(i))];
        NpyFile.Write(_folder["x.npy"], 8, values);
        await File.WriteAllLinesAsync(_folder["y.txt"], Enumerable.Range(0, 40).Select(i => $"person {i / 4}"));
        string[] line = ["evaluate", "--embeddings", _folder["x.npy"], "--labels", _folder["y.txt"], "--report", _folder["report"]];
        Assert.NotEqual("", (await Run(line)).Error);
        var (code, output, error) = await Run([.. line, "--quiet"]);
        Assert.Equal((CommandLine.Done, ""), (code, error));
        Assert.Contains("x.npy", output, StringComparison.Ordinal);
        Assert.Contains("none.npy", (await Run("evaluate", "-q", "--embeddings", _folder["none.npy"], "--labels", _folder["y.txt"])).Error,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(120, 1)]
    [InlineData(80, 1)]
    [InlineData(66, 2)] // brackets below
    [InlineData(58, 2)] // and the parts of names
    [InlineData(45, 5)] // a block
    public void A_table_fits(int width, int linesOfARow)
    {
        var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No });
        console.Profile.Width = width;
        var table = new FittedTable("model", "TAR at 1e-3", "TAR at 1e-4", "kept", "rest") { Only = ["TAR at 1e-3", "TAR at 1e-4", "kept"] };
        for (int i = 0; i < 3; i++)
        {
            table.Add($"teacher:dlib-\u001bnet{i}", "91.43% (88.33-94.29)", "70.92% (65.22-80.08)", "100%", "unseen");
        }

        table.Write(console);
        string[] lines = output.ToString().TrimEnd().Split('\n');
        Assert.All(lines, line => Assert.InRange(line.TrimEnd().Length, 1, width));
        Assert.Equal(3 * (linesOfARow == 5 ? 4 : linesOfARow) + (linesOfARow == 5 ? 0 : 2), lines.Length);
        Assert.Contains(@"dlib-\u001Bnet2", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("unseen", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_break_between_words_and_a_path_stays_whole() =>
        Assert.Equal(["a long", "line of", "/a/path/that/is/longer", "x"], Screen.Wrap("a long line of /a/path/that/is/longer x", 8));

    [Fact]
    public async Task Columns_and_the_commands_name_come_from_the_environment()
    {
        try
        {
            Environment.SetEnvironmentVariable("COLUMNS", "60");
            Environment.SetEnvironmentVariable(Hints.CommandVariable, "./facedistill");
            string help = (await Run("distill", "--help")).Output;
            Assert.All(help.Split('\n'), line => Assert.InRange(line.Length, 0, 60));
            Assert.Contains("  ./facedistill distill [options]\n", help, StringComparison.Ordinal);
            Assert.Contains("(see './facedistill distill --help')", (await Run("distill", "--kep")).Error, StringComparison.Ordinal);
            Assert.Contains("'./facedistill distill' made?", (await Run("export", "--model", _folder["none"])).Error, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("COLUMNS", null);
            Environment.SetEnvironmentVariable(Hints.CommandVariable, null);
        }
    }

    private static string HelpOf(Command verb, int width)
    {
        var output = new StringWriter();
        HelpPage.Write(verb, output, width);
        return output.ToString();
    }

    private static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);

    private static string Path(Command command) =>
        string.Join(' ', command.Parents.OfType<Command>().Where(p => p is not RootCommand).Select(p => p.Name).Append(command.Name));

    private static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        int code = await CommandLine.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
