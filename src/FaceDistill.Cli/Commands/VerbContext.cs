using System.CommandLine;
using System.CommandLine.Parsing;
using FaceDistill.Assets;
using FaceDistill.Cli.Rendering;
using FaceDistill.Files;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary>What a verb works with: its parsed options, where it prints, how it shows progress, and how it is cancelled.</summary>
internal sealed class VerbContext : IDisposable
{
    private readonly ProgressLine? _progress;
    private readonly HashSet<string> _said = new(StringComparer.Ordinal);

    private VerbContext(ParseResult parsed, CancellationToken cancel)
    {
        (Parsed, Cancel) = (parsed, cancel);
        _progress = parsed.GetValue(CommonOptions.Quiet) ? null
            : new ProgressLine(parsed.InvocationConfiguration.Error, terminal: !Console.IsErrorRedirected);
    }

    public ParseResult Parsed { get; }

    public CancellationToken Cancel { get; }

    /// <summary>What the library tells and asks while it works.</summary>
    public JobContext Job => new(Say, _progress, Cancel);

    /// <summary>Gives a command its action, and has its options' values read as <see cref="OptionValues"/> reads them.</summary>
    /// <param name="command">The verb with its options.</param>
    /// <param name="run">Does the work.</param>
    /// <param name="usageError">What is wrong with options that are each right by themselves; null where nothing is.</param>
    public static Command Action(Command command, Action<VerbContext> run, Func<CommandResult, string?>? usageError = null)
    {
        command.Options.ToList().ForEach(OptionValues.ReadStrictly);
        command.Validators.Add(result =>
        {
            string? wrong = OptionValues.Mistyped(result).Value
                ?? command.Options.Select(o => result.GetResult(o)).OfType<OptionResult>().Select(OptionValues.Error).FirstOrDefault(e => e is not null);
            if ((wrong ?? usageError?.Invoke(result)) is { } error)
            {
                result.AddError(error);
            }
        });
        command.SetAction((parsed, cancel) =>
        {
            // On the program's first thread, whose heap may grow as it likes: glibc's heaps of other threads hold no block of more than 64 MB.
            using var context = new VerbContext(parsed, cancel);
            CacheFolder.Told = context.Say;
            run(context);
            return Task.CompletedTask;
        });
        return command;
    }

    /// <summary>Says something that is not the result: to standard error, unless all is to be quiet there. What several steps find of the same model or data
    /// is said once; that it waits, or how a training ended, each time.</summary>
    public void Say(string line)
    {
        bool state = line.StartsWith("waiting for ", StringComparison.Ordinal) || line.StartsWith("best epoch ", StringComparison.Ordinal);
        lock (_said)
        {
            if (!_said.Add(line) && !state)
            {
                return;
            }
        }

        _progress?.WriteAbove(line);
    }

    /// <summary>Prints the result: the JSON document with --json, else what <paramref name="render"/> draws.</summary>
    public void Result<T>(T document, Action<IAnsiConsole> render)
    {
        _progress?.Dispose();
        var output = Parsed.InvocationConfiguration.Output;
        if (Parsed.GetValue(CommonOptions.Json))
        {
            // Within JSON's strings the escapes of both mean the same.
            output.WriteLine(StandardStreams.Json(ShownText.Lines(JsonFile.Serialize(document)), Console.OutputEncoding));
            return;
        }

        // Asked of the console itself: the writer stands before it, and says nothing of a terminal.
        bool plain = Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output), Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect, ColorSystem = plain ? ColorSystemSupport.NoColors
                : ColorSystemSupport.Detect,
        });
        console.Profile.Width = Screen.Width;
        render(console);
    }

    public void Dispose() => _progress?.Dispose();
}
