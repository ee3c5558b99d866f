using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using FaceDistill.Cli.Commands;
using FaceDistill.Files;

namespace FaceDistill.Cli;

/// <summary>Parses a command line, runs its verb, and turns every failure into one line and an exit code.</summary>
public static class CommandLine
{
    /// <summary>Exit codes: done, failed with one line on standard error, wrong usage, cancelled.</summary>
    public const int Done = 0, Failed = 1, Usage = 2, Cancelled = 130;

    private const string Name = "facedistill";

    /// <summary>Runs one command line on the program's own streams.</summary>
    internal static async Task<int> RunAsync(string[] args)
    {
        var error = StandardStreams.Error();
        try
        {
            return await RunAsync(args, StandardStreams.Output(), error);
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
        var parsed = Root().Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction)
        {
            await error.WriteLineAsync(ShownText.Of($"facedistill: {UsageError(parsed)} (see 'facedistill {Verb(parsed)}--help')"));
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
        DistillCommand.Name => $"; go on with: {Line(parsed.Given(DistillCommand.Resume) ? args : [.. args, DistillCommand.Resume.Name])}",
        QuickstartCommand.Name or Table14Command.Name => $"; the same command goes on: {Line(args)}",
        _ => "",
    };

    private static string Line(string[] args) => $"{Name} {string.Join(' ', args.Select(Quoted))}";

    // As a POSIX shell reads it.
    private static string Quoted(string argument) =>
        argument.Length > 0 && argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:@=,+%".Contains(c, StringComparison.Ordinal)) ? argument
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string Verb(ParseResult parsed) => parsed.CommandResult.Command.Name == Name ? "" : parsed.CommandResult.Command.Name + " ";

    // What was typed and not understood says more than what is missing; and one line is enough.
    private static string UsageError(ParseResult parsed) => parsed.UnmatchedTokens.Count > 0
        ? $"'{parsed.UnmatchedTokens[0]}' is not understood"
        : Named(parsed.Errors[0]);

    private static string Named(ParseError error)
    {
        string line = string.Join(' ', error.Message.Split(['\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries));
        return error.SymbolResult is OptionResult { Option.Name: var name } && !line.Contains(name, StringComparison.Ordinal) ? $"{name}: {line}" : line;
    }

    private static Command Root() => new(Name, "Distils face-embedding models into MobileNet students, and measures them at FAR 1e-4.")
    {
        new HelpOption(),
        new VersionOption(),
        CommonOptions.Verbose,
        CommonOptions.Json,
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
}
