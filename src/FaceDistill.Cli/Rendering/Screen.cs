using FaceDistill.Files;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FaceDistill.Cli.Rendering;

/// <summary>How much room there is to write in, and text that keeps to it.</summary>
internal static class Screen
{
    private const int Narrowest = 40, OfPipes = 100;

    /// <summary>Columns for help and tables: those of the variable COLUMNS, else the terminal's, else 100.</summary>
    public static int Width => Asked ?? (Console.IsOutputRedirected ? null : Terminal()) ?? OfPipes;

    /// <summary>Columns for a sentence: without a terminal and COLUMNS it stays one line, for programs that read it.</summary>
    public static int SentenceWidth => Asked ?? (Console.IsOutputRedirected ? null : Terminal()) ?? int.MaxValue;

    /// <summary>Columns for what is rewritten in place on standard error.</summary>
    public static int ErrorWidth => Asked ?? (Console.IsErrorRedirected ? null : Terminal()) ?? OfPipes;

    private static int? Asked => InvariantNumber.Count(Environment.GetEnvironmentVariable("COLUMNS"), out int columns) && columns > 0
        ? Math.Max(Narrowest, columns) : null;

    /// <summary>A text in lines of at most so many columns, broken between words; a word that is longer, such as a path, stays whole.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1L + word.Length > width)
            {
                yield return line;
                line = "";
            }

            line = line.Length == 0 ? word : line + " " + word;
        }

        yield return line;
    }

    private static int? Terminal()
    {
        try
        {
            return Console.WindowWidth > 0 ? Math.Max(Narrowest, Console.WindowWidth) : null;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return null;
        }
    }
}

/// <summary>A table that fits the screen: in one line a row where there is room; else with heads, then brackets, then the parts of names below one another;
/// else each row as a block of lines.</summary>
/// <param name="all">The columns' names; the first column names the row.</param>
internal sealed class FittedTable(params string[] all)
{
    private const int LeastText = 24, Gap = 2;

    private readonly List<string[]> _rows = [];

    // Where lines are broken, each with those before it.
    private enum Break
    {
        Nowhere,
        Heads,
        Brackets,
        Names,
    }

    /// <summary>Whether the cells are texts, of which the last may wrap, and not numbers.</summary>
    public bool Texts { get; init; }

    /// <summary>The columns to show besides the first; null for all.</summary>
    public IReadOnlyCollection<string>? Only { get; init; }

    /// <summary>Adds a row.</summary>
    public void Add(params string[] cells) => _rows.Add(Array.ConvertAll(cells, text => ShownText.Of(text)));

    /// <summary>Draws it.</summary>
    public void Write(IAnsiConsole console)
    {
        int width = console.Profile.Width;
        var heads = Shown(all);
        var rows = _rows.ConvertAll(Shown);
        var tables = Texts ? Wrapped(heads, rows, width) : [.. Enum.GetValues<Break>().Select(at => Built(heads, rows, at))];
        var fitting = tables.FirstOrDefault(t => ((IRenderable)t).Measure(RenderOptions.Create(console), 10_000).Max <= width);
        if (fitting is not null)
        {
            console.Write(fitting);
        }
        else
        {
            rows.ForEach(row => Block(console, heads, row, width));
        }
    }

    private string[] Shown(string[] cells) => [.. cells.Where((_, c) => c == 0 || Only is null || Only.Contains(all[c]))];

    // The last column takes what the others leave.
    private Table[] Wrapped(string[] heads, List<string[]> rows, int width)
    {
        int left = width - heads.SkipLast(1).Select((head, c) => Gap + rows.Select(r => r[c]).Append(head).Max(t => t.Length)).Sum();
        return left < LeastText || heads.Length > 3 ? []
            : [Built(heads, rows.ConvertAll(r => r.SkipLast(1).Append(string.Join('\n', Screen.Wrap(r[^1], left))).ToArray()), Break.Nowhere)];
    }

    private Table Built(string[] heads, List<string[]> rows, Break at)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders();
        var cells = at < Break.Brackets ? rows : rows.ConvertAll(r => Array.ConvertAll(r, t => t.Replace(" (", "\n(", StringComparison.Ordinal)));
        if (at == Break.Names)
        {
            cells = cells.ConvertAll(r => Array.ConvertAll(r, t => t.Length == 0 || !char.IsLetter(t[0]) ? t
                : t.Replace(":", ":\n", StringComparison.Ordinal).Replace("/", "/\n", StringComparison.Ordinal)));
        }

        string[] titles = new string[heads.Length], rules = new string[heads.Length];
        for (int c = 0; c < heads.Length; c++)
        {
            int widest = Widest(cells.Select(r => r[c]));
            titles[c] = at >= Break.Heads ? string.Join('\n', Screen.Wrap(heads[c], Math.Max(widest, Widest(heads[c].Split(' '))))) : heads[c];
            rules[c] = new string('\u2500', Math.Max(widest, Widest([titles[c]])));
            var column = new TableColumn("").NoWrap().Padding(0, 0, c == heads.Length - 1 ? 0 : Gap, 0);
            bool words = cells.All(r => r[c].Length == 0 || char.IsLetter(r[c][0]));
            table.AddColumn(c == 0 || Texts || words ? column : column.RightAligned());
        }

        int lines = titles.Max(t => t.Count(ch => ch == '\n'));
        titles = Array.ConvertAll(titles, t => new string('\n', lines - t.Count(ch => ch == '\n')) + t); // heads stand on their rules

        foreach (string[] row in cells.Prepend(rules).Prepend(titles))
        {
            table.AddRow([.. row.Select(t => Markup.Escape(t))]);
        }

        return table;
    }

    private static int Widest(IEnumerable<string> texts) => texts.Append("").SelectMany(t => t.Split('\n')).Max(line => line.Length);

    private static void Block(IAnsiConsole console, string[] heads, string[] row, int width)
    {
        int names = heads.Skip(1).Max(h => h.Length) + 4;
        console.WriteLine(row[0]);
        for (int c = 1; c < row.Length; c++)
        {
            string start = "  " + heads[c].PadRight(names - 2);
            foreach (string line in row[c].Split('\n').SelectMany(l => Screen.Wrap(l, width - names)))
            {
                console.WriteLine((start + line).TrimEnd());
                start = new string(' ', names);
            }
        }
    }
}
