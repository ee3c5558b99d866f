using System.Diagnostics;
using System.Globalization;
using FaceDistill.Files;

namespace FaceDistill.Cli.Rendering;

/// <summary>
/// Shows progress with rate and time left: one line rewritten in place on a terminal, a plain line every few seconds elsewhere.
/// </summary>
/// <remarks>
/// Not Spectre.Console's Progress: it draws only while a callback runs, so that each stage would need a thread of its own beside the plain
/// lines (152 lines in all); a cancel's "^C" leaves its bar on the screen, and a killed process a hidden cursor.
/// </remarks>
internal sealed class ProgressLine(TextWriter error, bool terminal) : IProgress<WorkProgress>, IDisposable
{
    private static readonly TimeSpan TerminalPause = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan PlainPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeastKept = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private readonly Stopwatch _watch = new();
    private WorkProgress _last;
    private TimeSpan _shownAt;
    private long _startedAt;
    private int _width;

    public void Report(WorkProgress value)
    {
        lock (_gate)
        {
            bool again = _last.Total > 0 && _last.Done >= _last.Total && value.Done < _last.Done // the same for other data
                && (value.Total != _last.Total || value.Done < _last.Done / 2);
            if (value.Stage != _last.Stage || value.Part != _last.Part || again)
            {
                Finish();
                _watch.Restart();
                _startedAt = value.Done > 1 ? value.Done : 0;
                _shownAt = TimeSpan.Zero;
            }
            else if (value.Done < _last.Done)
            {
                return; // reports of several threads may overtake each other
            }

            _last = value;
            if (_watch.Elapsed - _shownAt >= (terminal ? TerminalPause : PlainPause))
            {
                _shownAt = _watch.Elapsed;
                Show();
            }
        }
    }

    public void WriteAbove(string line)
    {
        lock (_gate)
        {
            Clear();
            error.WriteLine(ShownText.Of(line));
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            Finish();
        }
    }

    // The last line of a stage stays, with the stage's total time; of one that took no time to speak of there is nothing to tell.
    private void Finish()
    {
        if (_last.Stage is not null && _last.Done > 0)
        {
            string text = Text(finished: true);
            Clear();
            if (_watch.Elapsed >= LeastKept)
            {
                error.WriteLine(text);
            }
        }

        _last = default;
    }

    private void Show()
    {
        string text = Text(finished: false);
        if (!terminal)
        {
            error.WriteLine(text);
            return;
        }

        int room = Screen.ErrorWidth - 1;
        text = text.Length > room ? text[..room] : text;
        error.Write("\r" + text.PadRight(_width));
        _width = text.Length;
    }

    private void Clear()
    {
        if (terminal && _width > 0)
        {
            error.Write("\r" + new string(' ', _width) + "\r");
            _width = 0;
        }
    }

    private string Text(bool finished)
    {
        double seconds = Math.Max(1e-3, _watch.Elapsed.TotalSeconds);
        double rate = (_last.Done - _startedAt) / seconds;
        bool bytes = _last.Unit == "bytes";
        string done = bytes ? Megabytes(_last.Done) : _last.Done.ToString(CultureInfo.InvariantCulture);
        string total = _last.Total <= 0 ? "" : "/" + (bytes ? Megabytes(_last.Total) : _last.Total.ToString(CultureInfo.InvariantCulture));
        string speed = rate <= 0 ? "" : bytes ? Megabytes((long)rate) + " MB/s" : rate.ToString("0", CultureInfo.InvariantCulture) + "/s";
        string time = finished ? "in " + Span(seconds)
            : _last.Total > 0 && rate > 0 ? Left((_last.Total - _last.Done) / rate) : "";
        return ShownText.Of($"{(_last.Part is null ? "" : _last.Part + "  ")}{_last.Stage} {done}{total} {(bytes ? "MB" : _last.Unit)}  {speed}  {time}  "
            + $"{_last.Note}").TrimEnd();
    }

    // Of this stage, and of all that follow, as far as that was measured.
    private string Left(double seconds) =>
        $"{Span(seconds)} left{(_last.SecondsAfter is { } after ? $", at least {Span(seconds + after)} in all" : "")}";

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);

    private static string Span(double seconds) =>
        TimeSpan.FromSeconds(Math.Min(seconds, 1e7)).ToString(
        seconds < 3600 ? @"m\:ss" : seconds < 86400 ? @"h\:mm\:ss" : @"d' days 'h\:mm\:ss", CultureInfo.InvariantCulture);
}
