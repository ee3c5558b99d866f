using System.Collections;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text.RegularExpressions;
using FaceDistill.Cli.Commands;
using FaceDistill.Files;

namespace FaceDistill.Cli.Rendering;

/// <summary>The help of a verb: what it does, examples, its options in groups, wrapped at the terminal's width.</summary>
/// <remarks>Not System.CommandLine's own page: it knows no groups and no examples, and its first column takes half of a narrow terminal.</remarks>
internal sealed partial class HelpPage : SynchronousCommandLineAction
{
    private const int WidestNames = 30;
    private const string AName = "NAME";

    private static readonly IReadOnlyList<string> TheMainJob =
    [
        "quickstart",
        "compare a.jpg b.jpg",
        "distill --student mobilenet-v1:0.5@96 --data photos --output run",
        "evaluate --model run teacher:dlib-resnet --data people",
        "export --model run --output student.onnx",
    ];

    /// <summary>The line for ~/.bashrc by which bash completes verbs, options and cards, however the command is called.</summary>
    public const string BashCompletion = "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}; _facedistill() { local IFS=$'\\n'; "
        + "COMPREPLY=($(\"$1\" \"[suggest:$COMP_POINT]\" \"$COMP_LINE\" 2>/dev/null)); }; complete -o default -F _facedistill facedistill";

    private const int WidestList = 44;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        Write(parseResult.CommandResult.Command, parseResult.InvocationConfiguration.Output, Screen.Width);
        return CommandLine.Done;
    }

    /// <summary>Writes the page.</summary>
    public static void Write(Command command, TextWriter output, int width)
    {
        void Lines(string text, string indent = "") => Screen.Wrap(text, width - indent.Length).ToList().ForEach(l => output.WriteLine(indent + l));
        Lines(command.Description ?? "");
        Heading("usage");
        Lines(Usage(command), "  ");
        var examples = command is RootCommand ? TheMainJob : (command as Verb)?.Examples ?? [];
        if (examples.Count > 0)
        {
            Heading("examples");
            examples.ToList().ForEach(example => Command(output, $"{Hints.Command} {example}", width));
        }

        Columns("arguments", command.Arguments.Select(a => (a.Name, a.Description ?? "")));
        Columns("verbs", command.Subcommands.Select(c => (c.Name, c.Description ?? "")));
        var groups = (command as Verb)?.Groups ?? [];
        foreach (var (name, options) in groups)
        {
            Columns(name, options.Select(Row));
        }

        var rest = command.Options.Except(groups.SelectMany(g => g.Options)).Where(o => o is not HelpOption).ToList();
        bool root = command is RootCommand;
        Columns(root || groups.Count > 0 ? "always" : "options", rest.Select(Row)
            .Concat(root ? [] : Always(command).Select(Row)).Append(("-h, --help", root ? "Show this; after a verb, its own help." : "Show this.")));
        if (root)
        {
            Heading("completion in bash: add this line to ~/.bashrc");
            output.WriteLine("  " + BashCompletion); // one line, to be copied
        }

        void Heading(string text)
        {
            output.WriteLine();
            Lines(text + ":");
        }

        void Columns(string heading, IEnumerable<(string Name, string Text)> rows)
        {
            var all = rows.ToList();
            if (all.Count == 0)
            {
                return;
            }

            Heading(heading);
            int column = Math.Min(Math.Min(WidestNames, width * 2 / 5), 4 + all.Max(r => r.Name.Length));
            foreach (var (name, text) in all)
            {
                var lines = Screen.Wrap(text, width - column).ToList();
                bool beside = name.Length + 4 <= column;
                output.WriteLine(beside ? ("  " + name.PadRight(column - 2) + lines.FirstOrDefault()).TrimEnd() : "  " + name);
                lines.Skip(beside ? 1 : 0).ToList().ForEach(l => output.WriteLine(new string(' ', column) + l));
            }
        }
    }

    // Options of the verbs above, such as --json.
    private static IEnumerable<Option> Always(Command command) =>
        command.Parents.OfType<Command>().SelectMany(p => p.Options.Where(o => o.Recursive && o is not HelpOption).Concat(Always(p)));

    private static string Usage(Command command)
    {
        string path = command is RootCommand ? "" : string.Join(' ', Path(command)) + " ";
        string arguments = string.Concat(command.Arguments.Select(a => a.Arity.MinimumNumberOfValues > 0 ? $"{a.Name.ToUpperInvariant()} "
            : $"[{a.Name.ToUpperInvariant()}] "));
        return $"{Hints.Command} {path}{(command.Subcommands.Count > 0 ? "VERB " : "")}{arguments}[options]";
    }

    private static IEnumerable<string> Path(Command command) =>
        command.Parents.OfType<Command>().Where(p => p is not RootCommand).SelectMany(Path).Append(command.Name);

    private static (string Name, string Text) Row(Option option)
    {
        string aliases = string.Concat(option.Aliases.Where(a => a.Length == 2 && a[0] == '-').Select(a => a + ", "));
        string value = Value(option), text = option.Description ?? "";
        text += value == AName && OptionValues.Names(option) is { Count: > 0 } names ? $" One of {string.Join(", ", names)}." : "";
        string shown = option is { Required: false, HasDefaultValue: true } && Shown(option.GetDefaultValue()) is { } usual ? $" (default {usual})" : "";
        return ($"{aliases}{option.Name}{(value.Length > 0 ? " " + value : "")}", text + (option.Required ? " (required)" : shown));
    }

    private static string Value(Option option)
    {
        var (type, names) = (OptionValues.TypeOf(option), OptionValues.Names(option));
        return type == typeof(bool) || type == typeof(void) ? ""
            : names.Count > 0 ? names.Sum(n => n.Length + 1) <= WidestList ? $"<{string.Join('|', names)}>" : AName
            : option.HelpName ?? (type == typeof(int) || type == typeof(long) ? "N" : type == typeof(double) || type == typeof(float) ? "X" : AName);
    }

    private static string? Shown(object? value) => value is null or false or "" or ICollection { Count: 0 } ? null : OptionValues.Shown(value);

    [GeneratedRegex("--?[a-z][a-z-]* [^- ]\\S*")]
    private static partial Regex Options();

    // A command line that a shell takes as it stands, over several lines where it is long.
    private static void Command(TextWriter output, string line, int width)
    {
        const char Kept = '\u00A0'; // an option and its value stay together
        var lines = Screen.Wrap(Options().Replace(line, m => m.Value.Replace(' ', Kept)), width - 6).Select(l => l.Replace(Kept, ' ')).ToList();
        for (int i = 0; i < lines.Count; i++)
        {
            output.WriteLine((i == 0 ? "  " : "    ") + lines[i] + (i < lines.Count - 1 ? " \\" : ""));
        }
    }
}
