using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using FaceDistill.Cli.Commands;
using FaceDistill.Cluster;
using FaceDistill.Cli.Rendering;
using FaceDistill.Files;

namespace FaceDistill.Cli;

/// <summary>Parses a command line, runs its verb, and turns every failure into one line and an exit code.</summary>
public static class CommandLine
{
    /// <summary>Exit codes: done, failed with one line on standard error, wrong usage, cancelled.</summary>
    public const int Done = 0, Failed = 1, Usage = 2, Cancelled = 130;

    private const string Name = "facedistill";

    // A name that begins with @ is a file's or a folder's like any other, and no file of further arguments.
    internal static readonly ParserConfiguration AsTyped = new() { ResponseFileTokenReplacer = null };

    /// <summary>Runs one command line on the program's own streams.</summary>
    internal static async Task<int> RunAsync(string[] args)
    {
        var error = StandardStreams.Error();
        try
        {
            int code = await RunAsync(args, StandardStreams.Output(), error);
            if (code != Done && Array.Find(args, a => !a.StartsWith('-')) == DistillCommand.Name)
            {
                Ranks.Leave(code);
            }

            return code;
        }
        catch (FaceDistillException e)
        {
            await error.WriteLineAsync($"{Name}: {e.Message}"); // of a stream
            return Failed;
        }
    }

    /// <summary>Runs one command line.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        using var cancel = new CancellationTokenSource();
        void OnSignal(PosixSignalContext context)
        {
            // The first signal ends the work cleanly; the second ends the process.
            context.Cancel = !cancel.IsCancellationRequested;
            cancel.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        if (args is [var directive, ..] && directive.StartsWith("[suggest", StringComparison.Ordinal))
        {
            Completion.Suggestions(Root(), args).ForEach(output.WriteLine);
            return Done;
        }

        var parsed = Root().Parse(args, AsTyped);
        if (parsed is { CommandResult.Command.Subcommands.Count: > 0, UnmatchedTokens.Count: 0 } && parsed.Tokens.All(t => t.Type == TokenType.Command))
        {
            HelpPage.Write(parsed.CommandResult.Command, output, Screen.Width); // nothing is asked for: what there is
            return Done;
        }

        bool unknown = parsed is { Action: HelpPage, UnmatchedTokens.Count: > 0, CommandResult.Command.Subcommands.Count: > 0 }; // help about no verb
        if (unknown || (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction))
        {
            if (Ranks.Started is not > 0) // of several processes one says it
            {
                await error.WriteLineAsync(ShownText.Of($"facedistill: {UsageError(parsed)} (see '{Hints.Command} {Verb(parsed)}--help')"));
            }

            return Usage;
        }

        var invocation = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        try
        {
            return await parsed.InvokeAsync(invocation, cancel.Token);
        }
        catch (Exception e)
        {
            return await ReportAsync(e, parsed, args, error);
        }
    }

    private static async Task<int> ReportAsync(Exception e, ParseResult parsed, string[] args, TextWriter error)
    {
        if (e is AggregateException aggregate)
        {
            var inner = aggregate.Flatten().InnerExceptions; // of parallel work: one message says enough
            e = inner.OfType<FaceDistillException>().FirstOrDefault() ?? inner[0];
        }

        if (e is OperationCanceledException)
        {
            await error.WriteLineAsync(ShownText.Of($"{Name}: cancelled{GoOn(parsed, args)}"));
            return Cancelled;
        }

        await error.WriteLineAsync(
            parsed.GetValue(CommonOptions.Verbose) ? ShownText.Lines($"facedistill: {e}") : ShownText.Of($"facedistill: {FailureLine.Of(e)}"));
        return Failed;
    }

    // How a cancelled verb that keeps what is done goes on.
    private static string GoOn(ParseResult parsed, string[] args) => parsed.CommandResult.Command.Name switch
    {
        DistillCommand.Name => $"; go on with: {(Ranks.Launched is > 1 and var count ? InvariantText.Of($"mpirun -n {count} ") : "")}"
            + DistillCommand.GoOn(parsed, args),
        QuickstartCommand.Name or Table14Command.Name => $"; the same command goes on: {Hints.Typed(args)}",
        _ => "",
    };

    private static string Verb(ParseResult parsed) =>
        string.Concat(Names(parsed.CommandResult).Select(name => name + " "));

    private static IEnumerable<string> Names(SymbolResult? result) => result is CommandResult { Command: not RootCommand } verb
        ? Names(verb.Parent).Append(verb.Command.Name) : [];

    // What was typed and not understood says more than what is missing; and one line is enough.
    private static string UsageError(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var (mistyped, by) = OptionValues.Mistyped(parsed.CommandResult);
        if (mistyped is null && parsed.UnmatchedTokens.Count == 0)
        {
            return parsed.Tokens.Any(t => t.Type == TokenType.Command) || command.Subcommands.Count == 0 ? Named(parsed.Errors[0], parsed) : "name a verb";
        }

        string typed = mistyped ?? parsed.UnmatchedTokens[0];
        bool option = typed.StartsWith('-');
        var options = Options(parsed.CommandResult).Select(o => o.Name).Append("--help").ToList();
        var verbs = command.Subcommands.Select(c => c.Name);
        return options.Contains(typed) && by is OptionResult left ? $"{left.Option.Name} needs a value"
            : option ? $"'{typed}' is no option{(command is RootCommand ? "" : " of " + Verb(parsed).TrimEnd())}"
            + $"{Hints.DidYouMean(typed.Split('=')[0], options)}"
            : command.Subcommands.Count > 0 ? $"'{typed}' is no verb{Hints.DidYouMean(typed, verbs)}"
            : options.Contains("--" + typed) ? $"'{typed}' is not understood; did you mean '--{typed}'?" : $"'{typed}' is not understood";
    }

    private static IEnumerable<Option> Options(SymbolResult? result) => result is CommandResult verb
        ? verb.Command.Options.Where(o => verb == result || o.Recursive).Concat(Options(verb.Parent).Where(o => o.Recursive)) : [];

    private static string Named(ParseError error, ParseResult parsed)
    {
        string line = string.Join(' ', error.Message.Split(['\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries));
        if (line.Contains(" missing for ", StringComparison.Ordinal)) // a value after an option, or an argument of the verb
        {
            return error.SymbolResult is OptionResult option ? $"{option.Option.Name} needs a value"
                : $"give {string.Join(' ', parsed.CommandResult.Command.Arguments.Select(a => a.Name.ToUpperInvariant()))}";
        }

        if (parsed.CommandResult.Command.Options.FirstOrDefault(o => o.Required && line == $"Option '{o.Name}' is required.") is { } left)
        {
            return $"give {left.Name}{(left.HelpName is { } what ? " " + what : "")}";
        }

        return error.SymbolResult is OptionResult { Option.Name: var name } && !line.Contains(name, StringComparison.Ordinal) ? $"{name}: {line}" : line;
    }

    /// <summary>All verbs.</summary>
    internal static RootCommand Root()
    {
        var root = new RootCommand("Distils face-embedding models into MobileNet students, and measures them at FAR 1e-4.")
        {
            CommonOptions.Quiet,
            CommonOptions.Json,
            CommonOptions.Verbose,
            QuickstartCommand.Create(),
            CompareCommand.Create(),
            SearchCommand.Create(),
            AlignCommand.Create(),
            EmbedCommand.Create(),
            DistillCommand.Create(),
            EvaluateCommand.Create(),
            AuditCommand.Create(),
            ExportCommand.Create(),
            CountCommand.Create(),
            BenchCommand.Create(),
            Table14Command.Create(),
            TeachersCommand.Create(),
            DatasetsCommand.Create(),
        };
        root.Options.OfType<HelpOption>().Single().Action = new HelpPage();
        return root;
    }
}

/// <summary>The words that a shell may complete a line with.</summary>
internal static class Completion
{
    /// <summary>The words for <c>[suggest:POSITION] LINE</c>: POSITION is the cursor's place in LINE, which begins with the program as it was typed.</summary>
    public static List<string> Suggestions(RootCommand root, string[] args)
    {
        string line = args.Length > 1 ? args[1] : "";
        int cursor = InvariantNumber.Count(args[0].Trim('[', ']').Split(':')[^1], out int typed) ? Math.Min(typed, line.Length) : line.Length;
        int program = line.IndexOf(' ', StringComparison.Ordinal);
        if (program < 0 || cursor <= program)
        {
            return [];
        }

        // Only what stands before the cursor decides; options where there is nothing else to say, or they are begun.
        string before = line[(program + 1)..cursor], word = before.Split(' ')[^1];
        string whole = before[..^word.Length];
        var all = root.Parse(whole, CommandLine.AsTyped).GetCompletions(whole.Length).Select(c => c.InsertText ?? c.Label)
            .Where(c => c.Length > 2 && c.StartsWith(word, StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal).ToLookup(c => c.StartsWith('-'));
        return [.. all[word.StartsWith('-') || !all[false].Any()]];
    }
}
