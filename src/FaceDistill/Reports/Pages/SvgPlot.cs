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
    private const int Width = 460, Height = 320;
    private const string Ink = "#010101", Grid = "#010102", Mark = "#010103"; // roles; series are #0102nn, areas #0103nn, lines without dashes #0104nn
    private readonly Plot _plot = new();

    /// <param name="x">What the horizontal axis is.</param>
    /// <param name="y">What the vertical axis is.</param>
    public SvgPlot(string x, string y)
    {
        _plot.FigureBackground.Color = Colors.Transparent;
        _plot.DataBackground.Color = Colors.Transparent;
        _plot.Axes.Color(Color.FromHex(Ink));
        _plot.Axes.Right.IsVisible = false;
        _plot.Axes.Top.IsVisible = false;
        _plot.Grid.MajorLineColor = Color.FromHex(Grid);
        _plot.XLabel(ShownText.Of(x), 13);
        _plot.YLabel(ShownText.Of(y), 13);
        foreach (var axis in new IAxis[] { _plot.Axes.Bottom, _plot.Axes.Left })
        {
            axis.Label.Bold = false;
            axis.TickLabelStyle.FontSize = 12;
            axis.MajorTickStyle.Length = 4; // keeps the labels away from the axis
            axis.MajorTickStyle.Width = 0;
            axis.MinorTickStyle.Length = 0;
            axis.FrameLineStyle.Width = axis == _plot.Axes.Left ? 0 : 1;
        }

        _plot.Layout.Fixed(new PixelPadding(62, 12, 52, 10));
    }

    /// <summary>Where the axes begin and end.</summary>
    public void Limits(double left, double right, double bottom, double top) => _plot.Axes.SetLimits(left, right, bottom, top);

    /// <summary>The ticks of the horizontal axis.</summary>
    public void TicksX(IEnumerable<(double At, string Label)> ticks) => _plot.Axes.Bottom.TickGenerator = Ticks(ticks);

    /// <summary>The ticks of the vertical axis.</summary>
    public void TicksY(IEnumerable<(double At, string Label)> ticks) => _plot.Axes.Left.TickGenerator = Ticks(ticks);

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
        }

        var dot = _plot.Add.Marker(x, y, MarkerShape.FilledCircle, 8, Color.FromHex(Series(series)));
        dot.MarkerStyle.LineWidth = 0;
    }

    /// <summary>Words to the right of a dot, or to its left.</summary>
    public void Label(double x, double y, string words, bool left = false)
    {
        var text = _plot.Add.Text(ShownText.Of(words), x, y);
        text.LabelFontColor = Color.FromHex(Ink);
        text.LabelFontSize = 12;
        text.LabelAlignment = left ? Alignment.MiddleRight : Alignment.MiddleLeft;
        text.OffsetX = left ? -8 : 8;
    }

    /// <summary>A vertical line that marks a place.</summary>
    public void MarkX(double x) => _plot.Add.VerticalLine(x, 1, Color.FromHex(Mark));

    /// <summary>A horizontal line in a series' colour.</summary>
    public void LineY(int series, double y) => _plot.Add.HorizontalLine(y, 2, Color.FromHex(Series(series)));

    /// <summary>The SVG.</summary>
    /// <param name="id">Unlike that of any other on the page.</param>
    /// <param name="label">What the plot says, for those who do not see it.</param>
    public HtmlText Render(string id, string label)
    {
        var svg = XDocument.Parse(_plot.GetSvgXml(Width, Height)).Root!;
        foreach (var element in svg.DescendantsAndSelf())
        {
            element.Name = element.Name.LocalName; // inline SVG needs no namespace
            Restyle(element, id);
        }

        svg.RemoveAttributes();
        svg.Add(new XAttribute("viewBox", InvariantText.Of($"0 0 {Width} {Height}")), new XAttribute("class", "plot"),
            new XAttribute("role", "img"), new XAttribute("aria-label", ShownText.Of(label)));
        return new HtmlText(svg.ToString(SaveOptions.DisableFormatting));
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

/// <summary>A plot as a file of its own.</summary>
internal static class SvgFile
{
    // The page's style decides an inline plot's colours; a file of its own brings them along. The colours are those of report.css in light.
    private const string Style =
        "text{font-family:sans-serif;fill:#5a5d64}.ink-stroke{stroke:#5a5d64}.ink-fill{fill:#5a5d64}.grid-stroke{stroke:#dddbd5}.grid-fill{fill:#dddbd5}"
        + ".s0-stroke{stroke:#0a5ea8}.s1-stroke{stroke:#b8420f}.s2-stroke{stroke:#0b7556}"
        + ".s3-stroke{stroke:#7b3f9a}.s4-stroke{stroke:#86600a}.s5-stroke{stroke:#4c545f}"
        + ".s0-fill{fill:#0a5ea8}.s1-fill{fill:#b8420f}.s2-fill{fill:#0b7556}.s3-fill{fill:#7b3f9a}.s4-fill{fill:#86600a}.s5-fill{fill:#4c545f}";

    /// <summary>The text of the file.</summary>
    /// <param name="plot">What <see cref="SvgPlot.Render"/> gives.</param>
    public static string Of(HtmlText plot)
    {
        string svg = plot.Html;
        int inside = svg.IndexOf('>', StringComparison.Ordinal);
        return $"<svg xmlns=\"http://www.w3.org/2000/svg\"{svg["<svg".Length..inside]}><style>{Style}</style><rect width=\"100%\" height=\"100%\" "
            + $"fill=\"#ffffff\"/>{svg[(inside + 1)..]}\n";
    }
}
