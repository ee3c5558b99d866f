using System.Text.RegularExpressions;

namespace FaceDistill.Attack;

/// <summary>One case while it runs: its own folder and cache, the command line, and the rules by which it is judged.</summary>
internal sealed partial class Trial : IDisposable
{
    private readonly List<string> _wrong = [];
    private readonly List<string> _noise = [];
    private readonly List<Disk> _disks = [];
    private readonly Dictionary<string, string> _environment;
    private readonly string[] _program;

    /// <summary>Starts a case.</summary>
    /// <param name="bases">Inputs that are made once.</param>
    /// <param name="folder">The case's own folder.</param>
    /// <param name="program">How the command line is started.</param>
    public Trial(Bases bases, string folder, string[] program)
    {
        Bases = bases;
        Folder = folder;
        _program = program;
        _environment = Bases.Environment(Cache, bases.Home, this["home"]);
        Directory.CreateDirectory(this["home"]);
        Directory.CreateDirectory(Cache);
    }

    /// <summary>Inputs that are made once; a case that breaks one copies it first.</summary>
    public Bases Bases { get; }

    /// <summary>The case's folder.</summary>
    public string Folder { get; }

    /// <summary>The case's own cache.</summary>
    public string Cache => this["cache"];

    /// <summary>The command lines that were run.</summary>
    public List<string> Commands { get; } = [];

    /// <summary>Their exit codes.</summary>
    public List<int> Exits { get; } = [];

    /// <summary>The largest memory of any.</summary>
    public long Peak { get; private set; }

    /// <summary>What did not hold.</summary>
    public IReadOnlyList<string> Wrongs => _wrong;

    /// <summary>What native libraries said.</summary>
    public IReadOnlyList<string> Noises => _noise;

    /// <summary>A path in the case's folder.</summary>
    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>Says that something did not hold.</summary>
    public void Wrong(string why) => _wrong.Add(why);

    /// <summary>Says so unless it holds.</summary>
    public void Expect(bool holds, string why)
    {
        if (!holds)
        {
            Wrong(why);
        }
    }

    /// <summary>Writes a file of the case.</summary>
    public string Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    /// <summary>Writes a text of the case, UTF-8 without a mark.</summary>
    public string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>A copy of a file or folder of the bases, to be broken.</summary>
    public string Copy(string source, string name)
    {
        Files.Copy(source, this[name]);
        return this[name];
    }

    /// <summary>Runs the command line; hangs, crashes, traces, unbounded memory and native noise are noted whatever comes.</summary>
    public Outcome Run(params string[] arguments) => Run(new Launch(arguments));

    /// <summary>As <see cref="Run(string[])"/>, in another way.</summary>
    public Outcome Run(Launch launch)
    {
        Commands.Add(string.Join(' ', launch.Arguments));
        var outcome = Child.Run(_program, launch, Folder, _environment);
        Judge(outcome, launch);
        return outcome;
    }

    /// <summary>Refused: the exit code, and one line of the program's own that names the file.</summary>
    /// <param name="outcome">What came.</param>
    /// <param name="names">What the line names; null for nothing in particular.</param>
    /// <param name="exit">1 for a failure, 2 for wrong usage.</param>
    /// <param name="output">What is not to be there afterwards: a file, or a folder with anything in it.</param>
    public void Refused(Outcome outcome, string? names = null, int exit = 1, string? output = null)
    {
        Expect(outcome.Exit == exit || outcome.Stopped, $"exit {outcome.Exit} instead of {exit}");
        if (outcome.Exit != 0 && !outcome.Stopped)
        {
            Expect(outcome.Own.Length == 1, $"{outcome.Own.Length} lines of error instead of one");
            string line = string.Join(' ', outcome.Own);
            Expect(names is null || line.Contains(names, StringComparison.Ordinal), $"the line lacks \"{names}\": {Shortened(line)}");
        }

        NothingAt(output);
    }

    /// <summary>Refused whatever the exit code is.</summary>
    public void RefusedOrUsage(Outcome outcome, string? output = null) => Refused(outcome, null, outcome.Exit == 2 ? 2 : 1, output);

    /// <summary>Either done, or refused with one line that names the file: odd, and either is right.</summary>
    public void DoneOrRefused(Outcome outcome, string names, string? output = null)
    {
        if (outcome.Exit == 0)
        {
            Done(outcome);
        }
        else
        {
            Refused(outcome, names, output: output);
        }
    }

    /// <summary>Done: exit code 0 and no line of error.</summary>
    public void Done(Outcome outcome)
    {
        Expect(outcome.Exit == 0 || outcome.Stopped, $"exit {outcome.Exit} instead of 0: {Shortened(string.Join(' ', outcome.Own))}");
        Expect(outcome.Exit != 0 || outcome.Own.Length == 0, $"exit 0 with a line of error: {Shortened(string.Join(' ', outcome.Own))}");
    }

    /// <summary>Runs and expects success.</summary>
    public Outcome Works(params string[] arguments)
    {
        var outcome = Run(arguments);
        Done(outcome);
        return outcome;
    }

    /// <summary>Nothing was left at a path.</summary>
    public void NothingAt(string? path)
    {
        string[] left = path is null ? [] : Files.Under(path);
        Expect(left.Length == 0, $"leftover {string.Join(' ', left.Take(3))}");
    }

    /// <summary>No temporary file or staging folder was left below a folder.</summary>
    public void NoParts(string folder)
    {
        string[] parts = [.. Files.Under(folder)
            .Where(f => f.Contains(".part", StringComparison.Ordinal) && !f.EndsWith(".onnx.part", StringComparison.Ordinal))];
        Expect(parts.Length == 0, $".part never swept: {string.Join(' ', parts.Take(3))}");
    }

    /// <summary>Two folders hold the same bytes.</summary>
    /// <param name="what">What is compared, for the reason.</param>
    /// <param name="wanted">The right one.</param>
    /// <param name="actual">The other one.</param>
    /// <param name="counts">Which files count, by their relative path; null for all.</param>
    public void Same(string what, string wanted, string actual, Func<string, bool>? counts = null)
    {
        string[] first = [.. Files.Under(wanted).Where(f => counts?.Invoke(f) != false)],
            second = [.. Files.Under(actual).Where(f => counts?.Invoke(f) != false)];
        string[] odd = [.. first.Except(second).Select(f => $"-{f}"), .. second.Except(first).Select(f => $"+{f}"),
            .. first.Intersect(second).Where(f => !Files.Hash(Path.Combine(wanted, f)).SequenceEqual(Files.Hash(Path.Combine(actual, f))))];
        Expect(odd.Length == 0 && first.Length > 0, $"{what}: {(first.Length == 0 ? "nothing to compare" : "differs: " + string.Join(' ', odd.Take(4)))}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var disk in _disks)
        {
            disk.Dispose();
        }
    }

    /// <summary>A small disk of the case's own.</summary>
    public Disk Disk(string name, int megabytes)
    {
        _disks.Add(FaceDistill.Attack.Disk.Memory(this[name], megabytes));
        return _disks[^1];
    }

    /// <summary>Makes a folder of the case read-only, for root as well.</summary>
    public void ReadOnly(string folder) => _disks.Add(FaceDistill.Attack.Disk.ReadOnly(folder));

    private void Judge(Outcome outcome, Launch launch)
    {
        Exits.Add(outcome.Exit);
        Peak = Math.Max(Peak, outcome.Peak);
        Expect(!outcome.Hung, $"hang: not done after {outcome.Time.TotalSeconds:0} s");
        Expect(outcome.Peak <= Child.MemoryLimit, $"memory not bounded: {outcome.Peak} MB");
        bool ended = outcome.Stopped || (outcome.Signalled && outcome.Exit == 128 + launch.Signal);
        Expect(ended || outcome.Exit is >= 0 and < 128 or 130, $"crash: exit {outcome.Exit}");
        Expect(!outcome.Own.Any(l => l.Contains(" unexpected ", StringComparison.Ordinal)),
            $"an 'unexpected' line: {Shortened(outcome.Own.FirstOrDefault() ?? "")}");
        Expect(!outcome.Lines.Any(l => Trace().IsMatch(l)), "a stack trace");
        string[] noise = [.. outcome.Lines.Except(outcome.Own).Where(l => Native().IsMatch(l))];
        bool native = noise.Length > 0; // ONNX Runtime writes in colours
        Expect(!(string.Concat(native ? outcome.Own : outcome.Lines) + outcome.Output).Contains('\x1b', StringComparison.Ordinal),
            "a control character on the terminal");
        _noise.AddRange(noise.Take(1).Select(Shortened));
    }

    private static string Shortened(string line) => line.Length <= 200 ? line : line[..200];

    [GeneratedRegex(@"^\s+at [\w.<>`\[\]]+\(|Unhandled exception|terminate called")]
    private static partial Regex Trace();

    // OpenCV, libpng, libjpeg, libtiff and ONNX Runtime where they write to the terminal themselves.
    [GeneratedRegex(@"^\[ ?(WARN|ERROR|INFO):|^libpng |^Corrupt JPEG|^Premature end|^Unsupported marker|^TIFF|^JPEG |onnxruntime[:,]|^\S+: (Warning|Error), ")]
    private static partial Regex Native();
}
