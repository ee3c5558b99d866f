using System.Text;
using FaceDistill.Cli.Rendering;
using FaceDistill.Files;
using Spectre.Console;

namespace FaceDistill.Cli;

/// <summary>The program's standard output and error, also where they are closed or full.</summary>
internal static class StandardStreams
{
    /// <summary>Standard output: what cannot be written is an error of one line.</summary>
    /// <exception cref="FaceDistillException">It is closed: said before work begins whose result nobody would see.</exception>
    public static TextWriter Output() => IsOpen(1) ? Result(Console.Out) : throw Unwritten("it is closed", null);

    /// <summary>Standard error: what cannot be written is lost, for there is nobody left to tell.</summary>
    public static TextWriter Error() => IsOpen(2) ? Notes(Console.Error) : TextWriter.Null;

    /// <summary>A result's way out.</summary>
    internal static TextWriter Result(TextWriter inner) => new Guarded(inner, e => throw Unwritten(e.Message.TrimEnd('.'), e));

    /// <summary>A JSON document that stays one in any code page: in another than UTF-8 (Windows's consoles) its letters beyond ASCII become escapes.</summary>
    /// <param name="document">The document.</param>
    /// <param name="encoding">The output's.</param>
    internal static string Json(string document, Encoding encoding) => encoding.CodePage == Encoding.UTF8.CodePage || Ascii.IsValid(document) ? document
        : string.Concat(document.Select(c => char.IsAscii(c) ? $"{c}" : InvariantText.Of($"\\u{(int)c:x4}")));

    /// <summary>The way out of everything else.</summary>
    internal static TextWriter Notes(TextWriter inner) => new Guarded(inner, _ => { });

    private static FaceDistillException Unwritten(string why, Exception? cause) =>
        new($"cannot write to standard output: {why}; send it to a terminal, a pipe or a file with room", cause!);

    // A stream that the caller closed has a number that is free, and the runtime opens its own pipes and files under it: these are closed on exec, which what a
    // caller hands over never is. To write into them would stop the runtime itself. Linux tells (proc(5), fdinfo).
    private static bool IsOpen(int number)
    {
        if (!OperatingSystem.IsLinux() || !Directory.Exists("/proc/self/fdinfo"))
        {
            return true;
        }

        const string Flags = "flags:";
        const int CloseOnExec = 0x80000; // O_CLOEXEC, octal 02000000
        try
        {
            string? flags = File.ReadLines(InvariantText.Of($"/proc/self/fdinfo/{number}")).FirstOrDefault(l => l.StartsWith(Flags, StringComparison.Ordinal));
            return flags is null || (Convert.ToInt32(flags[Flags.Length..].Trim(), 8) & CloseOnExec) == 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private sealed class Guarded(TextWriter inner, Action<Exception> failed) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => Do(w => w.Write(value));

        public override void Write(char[] buffer, int index, int count) => Do(w => w.Write(buffer, index, count));

        public override void Write(string? value) => Do(w => w.Write(value));

        public override void WriteLine(string? value) => Do(w => w.WriteLine(value));

        public override void Flush() => Do(w => w.Flush());

        private void Do(Action<TextWriter> write)
        {
            try
            {
                write(inner);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                failed(e);
            }
        }
    }
}

/// <summary>Names on the terminal, without what would steer it. These stand before Spectre.Console's own of the same name: a nearer namespace goes
/// first.</summary>
internal static class ShownOnTerminal
{
    /// <summary>Writes a sentence: on a terminal broken between words, elsewhere in one line.</summary>
    public static void WriteLine(this IAnsiConsole console, string text)
    {
        string shown = ShownText.Of(text), indent = new(' ', shown.Length - shown.TrimStart(' ').Length);
        foreach (string line in Screen.Wrap(shown[indent.Length..], Screen.SentenceWidth - indent.Length))
        {
            console.Profile.Out.Writer.WriteLine(indent + line);
        }
    }

    /// <summary>A table's cell of any text.</summary>
    public static string Cell(string text) => Markup.Escape(ShownText.Of(text));
}
