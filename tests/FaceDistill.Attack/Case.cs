namespace FaceDistill.Attack;

/// <summary>How a case went.</summary>
internal enum Verdict
{
    /// <summary>As it should.</summary>
    Held,

    /// <summary>As it should, but a native library spoke on standard error without naming a file.</summary>
    Noise,

    /// <summary>Not as it should.</summary>
    Failed,

    /// <summary>Not as it should, and <see cref="Exceptions"/> says why it stays so.</summary>
    Excepted,

    /// <summary>Not tried; the reason says what is missing.</summary>
    Skipped,
}

/// <summary>One bad input or fault.</summary>
/// <param name="Name">What is wrong, as in the list of the first attack.</param>
/// <param name="Body">Makes the input, runs the command line, judges.</param>
/// <param name="Short">Whether the short part, which each CI run tries, holds it.</param>
internal sealed record Case(string Name, Action<Trial> Body, bool Short = false);

/// <summary>Cases of one kind of input.</summary>
/// <param name="Name">The group's name, as --group takes it.</param>
/// <param name="Cases">Its cases.</param>
/// <param name="Extra">Whether it runs only where it is named: it takes long.</param>
internal sealed record Group(string Name, Func<IEnumerable<Case>> Cases, bool Extra = false);

/// <summary>What came of a case: a row of the CSV.</summary>
internal sealed record CaseResult(string Group, string Name, string Command, string Exit, Verdict Verdict, string Why, double Seconds, long PeakMegabytes)
{
    /// <summary>The column "class".</summary>
    public string Class => Verdict switch
    {
        Verdict.Held => "PASS",
        Verdict.Noise => "MINOR native library noise",
        Verdict.Failed => "FAIL",
        Verdict.Excepted => "EXCEPTION",
        _ => "SKIP",
    };
}

/// <summary>Thrown by a case that cannot be tried here.</summary>
internal sealed class SkipException(string reason) : Exception(reason);
