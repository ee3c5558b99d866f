using System.Text.RegularExpressions;

namespace FaceDistill.Files;

/// <summary>What a message gives its reader to type.</summary>
internal static partial class Hints
{
    private const string Plain = "facedistill";

    /// <summary>The variable in which a script that starts the program says under which name it was called itself.</summary>
    public const string CommandVariable = "FACEDISTILL_COMMAND";

    /// <summary>The command as it was started: <c>./facedistill</c>, <c>facedistill.cmd</c>, or <c>facedistill</c> where nobody says.</summary>
    public static string Command => Environment.GetEnvironmentVariable(CommandVariable) is { Length: > 0 } typed ? Typed(typed) : Plain;

    /// <summary>An argument as the system's shell reads it.</summary>
    public static string Typed(string argument) => Quoted(argument, OperatingSystem.IsWindows());

    /// <summary>An argument as a POSIX shell reads it, or cmd.exe and after it the C library's rules of backslashes before quotes.</summary>
    internal static string Quoted(string argument, bool windows) =>
        argument.Length > 0 && argument.All(c => char.IsLetterOrDigit(c) || (windows ? "-_./:@+\\" : "-_./:@=,+%").Contains(c, StringComparison.Ordinal))
            ? argument
            : !windows ? $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'"
            : $"\"{BeforeQuotes().Replace(argument, "$1$1\\\"")}{new string('\\', argument.Length - argument.TrimEnd('\\').Length)}\"";

    [GeneratedRegex("(\\\\*)\"")]
    private static partial Regex BeforeQuotes();

    /// <summary>A whole command line, to be typed again.</summary>
    public static string Typed(IEnumerable<string> arguments) => string.Join(' ', arguments.Select(Typed).Prepend(Command));

    /// <summary>"; did you mean 'NAME'?" where one of the names is near enough to be meant; else nothing.</summary>
    public static string DidYouMean(string typed, IEnumerable<string> names) => Nearest(typed, names) is { } name ? $"; did you mean '{name}'?" : "";

    /// <summary>The name with the fewest slips between it and what was typed (a third of its letters at most), or the first that begins with it, or whose
    /// last word it is.</summary>
    public static string? Nearest(string typed, IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(typed);
        string[] all = [.. names];
        var near = all.Select(name => (Name: name, Slips: Slips(typed.ToUpperInvariant(), name.ToUpperInvariant())))
            .Where(n => n.Slips <= Math.Max(1, n.Name.Length / 3) && n.Slips < n.Name.Length).OrderBy(n => n.Slips).ToList();
        return near.Count > 0 ? near[0].Name
            : typed.Length < 3 ? null : all.FirstOrDefault(name => name.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
                ?? all.FirstOrDefault(name => name.EndsWith("-" + typed, StringComparison.OrdinalIgnoreCase));
    }

    // Letters put in, left out, exchanged for others or with their neighbours: Damerau, "A technique for computer detection and correction of spelling
    // errors", 1964; each place once.
    private static int Slips(string a, string b)
    {
        int[,] cost = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                cost[i, j] = i == 0 || j == 0 ? i + j
                    : Math.Min(Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1, cost[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
                }
            }
        }

        return cost[a.Length, b.Length];
    }
}
