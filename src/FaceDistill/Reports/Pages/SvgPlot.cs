using System.Globalization;
using System.Xml.Linq;
using FaceDistill.Files;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace FaceDistill.Reports.Pages;

/// <summary>
/// A plot as an SVG that belongs into an HTML page: ScottPlot draws it in colours that stand for roles, and these become CSS
/// classes, so that the page's style decides colours, dashes and font, in light, dark and print alike.
/// </summary>
internal sealed class SvgPlot : IDisposable
{
    private const int Width = 460, LeastHeight = 320, Right = 18, Top = 34, Bottom = 52, KeyLine = 26;
    private const string Ink = "#010101", Grid = "#010102", Mark = "#010103"; // roles; series are #0102nn, areas #0103nn, lines without dashes #0104nn
    private readonly Plot _plot = new();
    private readonly string _y;
    private readonly List<(double X, double Y, string Words)> _names = [];
    private readonly List<(int Series, string Words)> _keys = [];
    private readonly List<(double X, double Y)> _dots = [];
    private readonly List<(double Left, double Right, double Low, double High)> _lines = [];
    private IReadOnlyList<(double At, string Label)> _ticksX = [], _ticksY = [];
    private (double Left, double Right, double Bottom, double Top) _limits = (0, 1, 0, 1);

    /// <param name="x">What the horizontal axis is.</param>
    /// <param name="y">What the vertical axis is; stands above it.</param>
    public SvgPlot(string x, string y)
    {
        _y = ShownText.Of(y);
        _plot.FigureBackground.Color = Colors.Transparent;
        _plot.DataBackground.Color = Colors.Transparent;
        _plot.Axes.Color(Color.FromHex(Ink));
        _plot.Axes.Right.IsVisible = false;
        _plot.Axes.Top.IsVisible = false;
        _plot.Grid.MajorLineColor = Color.FromHex(Grid);
        _plot.XLabel(ShownText.Of(x), 13);
        foreach (var axis in new IAxis[] { _plot.Axes.Bottom, _plot.Axes.Left })
        {
            axis.Label.Bold = false;
            axis.TickLabelStyle.FontSize = 12;
            axis.MajorTickStyle.Length = axis == _plot.Axes.Left ? 4 : 9; // keeps the labels away from the axis, and from each other in the corner
            axis.MajorTickStyle.Width = 0;
            axis.MinorTickStyle.Length = 0;
            axis.FrameLineStyle.Width = axis == _plot.Axes.Left ? 0 : 1;
        }
    }

    /// <summary>Where the axes begin and end.</summary>
    public void Limits(double left, double right, double bottom, double top)
    {
        _limits = (left, right, bottom, top);
        _plot.Axes.SetLimits(left, right, bottom, top);
    }

    /// <summary>The ticks of the horizontal axis; of those that would overprint each other the first is kept.</summary>
    public void TicksX(IEnumerable<(double At, string Label)> ticks) => _ticksX = [.. ticks];

    /// <summary>The ticks of the vertical axis; of those that would overprint each other the first is kept.</summary>
    public void TicksY(IEnumerable<(double At, string Label)> ticks) => _ticksY = [.. ticks];

    /// <summary>Four to nine round numbers between two.</summary>
    public static IEnumerable<double> Nice(double low, double high)
    {
        double span = Math.Max(high - low, 1e-9), unit = Math.Pow(10, Math.Floor(Math.Log10(span)));
        double step = span / unit >= 4 ? unit : span / unit >= 2 ? unit / 2 : unit / 5;
        for (double i = Math.Ceiling(low / step); i * step <= high; i++)
        {
            yield return i * step;
        }
    }

    /// <summary>A curve in a series' colour.</summary>
    public void Curve(int series, IEnumerable<(double X, double Y)> points) => Line(Series(series), points);

    /// <summary>An area from zero up to a curve, with its outline.</summary>
    public void Area(int series, IReadOnlyList<(double X, double Y)> points)
    {
        var area = _plot.Add.Polygon(Coordinates([(points[0].X, 0), .. points, (points[^1].X, 0)]));
        area.FillColor = Color.FromHex(InvariantText.Of($"#0103{series:x2}"));
        area.LineWidth = 0;
        Line(Plain(series), points);
    }

    /// <summary>A dot, and the interval around it where there is one.</summary>
    public void Dot(int series, double x, double y, (double Low, double High)? interval)
    {
        if (interval is var (low, high))
        {
            Line(Plain(series), [(x, low), (x, high)]);
            _lines.Add((x, x, low, high));
        }

        var dot = _plot.Add.Marker(x, y, MarkerShape.FilledCircle, 8, Color.FromHex(Series(series)));
        dot.MarkerStyle.LineWidth = 0;
        _dots.Add((x, y));
    }

    /// <summary>The name of a dot; it is put beside it, or where there is room.</summary>
    public void Label(double x, double y, string words) => _names.Add((x, y, words));

    /// <summary>What a series is; stands above the plot, so that a plot that is a file of its own says it too.</summary>
    public void Key(int series, string words) => _keys.Add((series, ShownText.Of(words)));

    /// <summary>A vertical line that marks a place.</summary>
    public void MarkX(double x) => _plot.Add.VerticalLine(x, 1, Color.FromHex(Mark));

    /// <summary>A horizontal line in a series' colour.</summary>
    public void LineY(int series, double y)
    {
        _plot.Add.HorizontalLine(y, 2, Color.FromHex(Series(series)));
        _lines.Add((_limits.Left, _limits.Right, y, y));
    }

    /// <summary>The SVG.</summary>
    /// <param name="id">Unlike that of any other on the page.</param>
    /// <param name="label">What the plot says, for those who do not see it.</param>
    public HtmlText Render(string id, string label)
    {
        double left = 14 + _ticksY.Select(t => PlotLabels.WidthOf(t.Label)).DefaultIfEmpty(0).Max();
        double room = Width - left - Right; // a plot of many names is higher, so that each finds a place
        var keys = PlacedKeys();
        int above = Top + (keys.Count == 0 ? 0 : (int)((keys[^1].Row + 1) * PlotLabels.LineHeight));
        double names = _names.Sum(n => Math.Min(room, PlotLabels.WidthOf(n.Words) + 12)) * PlotLabels.LineHeight * 2.2 / room;
        int height = Math.Max(LeastHeight, above + Bottom + (int)Math.Ceiling(names));
        double X(double x) => left + ((x - _limits.Left) / (_limits.Right - _limits.Left) * room);
        double Y(double y) => above + ((_limits.Top - y) / (_limits.Top - _limits.Bottom) * (height - above - Bottom));
        _plot.Layout.Fixed(new PixelPadding((float)left, Right, Bottom, above));
        _plot.Axes.Bottom.TickGenerator = Ticks(Apart(_ticksX, X, t => PlotLabels.WidthOf(t) + 5));
        _plot.Axes.Left.TickGenerator = Ticks(Apart(_ticksY, Y, _ => PlotLabels.LineHeight));
        var svg = XDocument.Parse(_plot.GetSvgXml(Width, height)).Root!;
        foreach (var element in svg.DescendantsAndSelf())
        {
            element.Name = element.Name.LocalName; // inline SVG needs no namespace
            Restyle(element, id);
        }

        svg.RemoveAttributes();
        svg.Add(new XAttribute("viewBox", InvariantText.Of($"0 0 {Width} {height}")), new XAttribute("class", "plot"),
            new XAttribute("role", "img"), new XAttribute("aria-label", ShownText.Of(label)));
        svg.Add(Text(4, 16, "start", PlotLabels.Shortened(_y, Width - 8), 13));
        foreach (var (series, words, x, row) in keys)
        {
            double y = 16 + ((row + 1) * PlotLabels.LineHeight);
            svg.Add(Path(SeriesClass(series, "stroke"), "2.5", InvariantText.Of($"M{x:0.##} {y - 4:0.##}h{KeyLine}")));
            svg.Add(Text(x + KeyLine + 6, y, "start", words, 12));
        }

        var area = new PlotBox(left + 2, above - 4, Width - 2, height - Bottom - 1);
        var lines = _lines.Select(l => new PlotBox(X(l.Left) - 1, Y(l.High) - 1, X(l.Right) + 1, Y(l.Low) + 1));
        foreach (var name in PlotLabels.Place(
            [.. _names.Select(n => (X(n.X), Y(n.Y), n.Words))], area, [.. _dots.Select(d => (X(d.X), Y(d.Y)))], [.. lines]))
        {
            if (name.Leader is var (x1, y1, x2, y2))
            {
                svg.Add(Path("ink-stroke leader", "0.75", InvariantText.Of($"M{x1:0.##} {y1:0.##}L{x2:0.##} {y2:0.##}")));
            }

            double at = name.Anchor == "start" ? name.Box.Left : name.Anchor == "end" ? name.Box.Right : (name.Box.Left + name.Box.Right) / 2;
            var text = Text(at, name.Box.Top + (0.7 * PlotLabels.LineHeight), name.Anchor, name.Words, 12);
            text.Add(new XAttribute("class", "name"));
            svg.Add(text);
        }

        return new HtmlText(svg.ToString(SaveOptions.DisableFormatting));
    }

    // Side by side as far as they have room, then in another line.
    private List<(int Series, string Words, double X, int Row)> PlacedKeys()
    {
        var placed = new List<(int Series, string Words, double X, int Row)>();
        var (x, row) = (4.0, 0);
        foreach (var (series, words) in _keys)
        {
            string shown = PlotLabels.Shortened(words, Width - KeyLine - 14);
            double width = KeyLine + 20 + PlotLabels.WidthOf(shown);
            (x, row) = x > 4 && x + width - 14 > Width ? (4.0, row + 1) : (x, row);
            placed.Add((series, shown, x, row));
            x += width;
        }

        return placed;
    }

    private static XElement Path(string kind, string width, string way) => new(
        "path", new XAttribute("class", kind), new XAttribute("fill", "none"), new XAttribute("stroke-width", width), new XAttribute("d", way));

    private static XElement Text(double x, double y, string anchor, string words, int size) => new("text",
        new XAttribute("x", InvariantText.Of($"{x:0.##}")), new XAttribute("y", InvariantText.Of($"{y:0.##}")), new XAttribute("text-anchor", anchor),
        new XAttribute("font-size", size), words);

    // Ticks whose labels keep their distance.
    private static List<(double At, string Label)> Apart(
        IReadOnlyList<(double At, string Label)> ticks, Func<double, double> place, Func<string, double> size)
    {
        var kept = new List<(double At, string Label)>();
        foreach (var tick in ticks)
        {
            if (kept.TrueForAll(k => Math.Abs(place(k.At) - place(tick.At)) >= (size(k.Label) + size(tick.Label)) / 2))
            {
                kept.Add(tick);
            }
        }

        return kept;
    }

    /// <summary>Lets go of what ScottPlot holds.</summary>
    public void Dispose() => _plot.Dispose();

    private static void Restyle(XElement element, string id)
    {
        var classes = new List<string>();
        foreach (string paint in new[] { "fill", "stroke" })
        {
            string? colour = element.Attribute(paint)?.Value;
            if (colour is not null && Class(colour, paint) is { } name)
            {
                classes.Add(name);
                element.Attribute(paint)!.Remove();
            }
        }

        if (element.Name == "text")
        {
            PlaceText(element);
            classes.Clear();
        }

        if (classes.Count > 0)
        {
            element.SetAttributeValue("class", string.Join(' ', classes));
        }

        if (element.Attribute("id") is { } own)
        {
            own.Value = $"{id}-{own.Value}";
        }

        if (element.Attribute("clip-path") is { } clip)
        {
            clip.Value = clip.Value.Replace("url(#", $"url(#{id}-", StringComparison.Ordinal);
        }
    }

    private static string? Class(string colour, string paint) => colour switch
    {
        Ink => $"ink-{paint}",
        Grid => $"grid-{paint}",
        Mark => $"mark-{paint}",
        _ when colour.StartsWith("#0102", StringComparison.Ordinal) =>
            SeriesClass(int.Parse(colour[5..], NumberStyles.HexNumber, CultureInfo.InvariantCulture), paint),
        _ when colour.StartsWith("#0103", StringComparison.Ordinal) =>
            $"area s{int.Parse(colour[5..], NumberStyles.HexNumber, CultureInfo.InvariantCulture) % 6}-fill",
        _ when colour.StartsWith("#0104", StringComparison.Ordinal) =>
            SeriesClass(int.Parse(colour[5..], NumberStyles.HexNumber, CultureInfo.InvariantCulture), "line"),
        _ => null,
    };

    /// <summary>The class of a series: six colours, and dashes that set those of one colour apart.</summary>
    /// <param name="series">Its number.</param>
    /// <param name="paint">fill, stroke, or line for a stroke without dashes.</param>
    internal static string SeriesClass(int series, string paint) => InvariantText.Of(
        $"s{series % 6}-{(paint == "line" ? "stroke" : paint)}{(paint == "stroke" ? $" d{(series + (series / 6)) % 4}" : "")}");

    /// <summary>Skia places each letter for the font that it found; another machine's font is placed by its own widths.</summary>
    private static void PlaceText(XElement text)
    {
        double[] x = Numbers(text.Attribute("x")!.Value), y = Numbers(text.Attribute("y")!.Value);
        double step = x.Length > 1 ? (x[^1] - x[0]) / (x.Length - 1) : 7;
        double before = -x[0] / (x[^1] + step - x[0]); // the share of the text that stands before its anchor
        string anchor = before < 0.25 ? "start" : before > 0.75 ? "end" : "middle";
        string words = text.Value.Trim();
        text.ReplaceAttributes(text.Attribute("transform"), text.Attribute("font-size"), new XAttribute("text-anchor", anchor),
            new XAttribute("y", InvariantText.Of($"{y[0]:0.##}")));
        text.ReplaceNodes(words);
    }

    private static double[] Numbers(string list) =>
        [.. list.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).Select(n => double.Parse(n, CultureInfo.InvariantCulture))];

    private void Line(string colour, IEnumerable<(double X, double Y)> points)
    {
        var line = _plot.Add.ScatterLine(Coordinates(points), Color.FromHex(colour));
        line.LineWidth = 2;
    }

    private static string Plain(int series) => InvariantText.Of($"#0104{series:x2}");

    private static string Series(int series) => InvariantText.Of($"#0102{series:x2}");

    private static Coordinates[] Coordinates(IEnumerable<(double X, double Y)> points) => [.. points.Select(p => new Coordinates(p.X, p.Y))];

    private static NumericManual Ticks(IEnumerable<(double At, string Label)> ticks)
    {
        var (at, labels) = (ticks.Select(t => t.At).ToArray(), ticks.Select(t => t.Label).ToArray());
        return new NumericManual(at, labels);
    }
}
