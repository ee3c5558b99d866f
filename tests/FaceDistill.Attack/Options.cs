using System.Globalization;

namespace FaceDistill.Attack;

/// <summary>What the command line of the attack asks for.</summary>
internal sealed record Options
{
    /// <summary>The groups to run; all where it is empty.</summary>
    public List<string> Groups { get; } = [];

    /// <summary>A part of the names of the cases to run.</summary>
    public string? Case { get; private set; }

    /// <summary>Only the short part.</summary>
    public bool Short { get; private set; }

    /// <summary>How many cases run at once.</summary>
    public int Jobs { get; private set; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Where the table of all cases is written.</summary>
    public string? Csv { get; private set; }

    /// <summary>Whether the cases' folders stay.</summary>
    public bool Keep { get; private set; }

    /// <summary>Whether every case is told of, not only failures.</summary>
    public bool Verbose { get; private set; }

    /// <summary>The command line's assembly.</summary>
    public string Cli { get; private set; } = DefaultCli();

    /// <summary>Reads the arguments; null where they are not understood.</summary>
    public static Options? Parse(string[] args)
    {
        var options = new Options();
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out string? name))
        {
            string? value = null;
            if (name is not ("--short" or "--keep" or "--verbose") && !rest.TryDequeue(out value))
            {
                return null;
            }

            switch (name)
            {
                case "--group" when Attack.Groups.Any(g => g.Name == value):
                    options.Groups.Add(value!);
                    break;
                case "--case":
                    options.Case = value;
                    break;
                case "--short":
                    options.Short = true;
                    break;
                case "--keep":
                    options.Keep = true;
                    break;
                case "--verbose":
                    options.Verbose = true;
                    break;
                case "--jobs" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int jobs) && jobs > 0:
                    options.Jobs = jobs;
                    break;
                case "--csv":
                    options.Csv = Path.GetFullPath(value!);
                    break;
                case "--cli" when File.Exists(value):
                    options.Cli = Path.GetFullPath(value);
                    break;
                default:
                    return null;
            }
        }

        return File.Exists(options.Cli) ? options : null;
    }

    /// <summary>Says what is understood.</summary>
    public static int Usage()
    {
        Console.Error.WriteLine($"""
            usage: dotnet run -c Release --project tests/FaceDistill.Attack -- [--short] [--group GROUP ...] [--case PART] [--jobs N] [--csv FILE]
                   [--cli FaceDistill.Cli.dll] [--keep] [--verbose]
            groups: {string.Join(' ', Attack.Groups.Where(g => !g.Extra).Select(g => g.Name))}
            only where they are named: {string.Join(' ', Attack.Groups.Where(g => g.Extra).Select(g => g.Name))}
            """);
        return 2;
    }

    /// <summary>The repository that this was built in; null elsewhere.</summary>
    public static string? Root { get; } = Above(AppContext.BaseDirectory);

    private static string DefaultCli() => Root is null ? "FaceDistill.Cli.dll"
        : Path.Combine(Root, "src", "FaceDistill.Cli", "bin", "Release", "net10.0", "FaceDistill.Cli.dll");

    private static string? Above(string? folder) =>
        folder is null || File.Exists(Path.Combine(folder, "FaceDistill.sln")) ? folder : Above(Path.GetDirectoryName(folder));
}
