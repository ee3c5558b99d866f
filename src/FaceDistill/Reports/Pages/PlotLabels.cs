using FaceDistill.Files;

namespace FaceDistill.Reports.Pages;

/// <summary>A rectangle of a plot, in its units, y downwards.</summary>
internal readonly record struct PlotBox(double Left, double Top, double Right, double Bottom)
{
    /// <summary>Whether two share more than an edge.</summary>
    public bool Overlaps(PlotBox other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;

    /// <summary>Whether a line between two points passes through it.</summary>
    public bool Meets((double X, double Y) from, (double X, double Y) to)
    {
        double enters = 0, leaves = 1; // parts of the way
        foreach (var (start, way, least, most) in new[] { (from.X, to.X - from.X, Left, Right), (from.Y, to.Y - from.Y, Top, Bottom) })
        {
            if (way == 0)
            {
                (enters, leaves) = start > least && start < most ? (enters, leaves) : (1, 0);
                continue;
            }

            double one = (least - start) / way, other = (most - start) / way;
            (enters, leaves) = (Math.Max(enters, Math.Min(one, other)), Math.Min(leaves, Math.Max(one, other)));
        }

        return enters < leaves;
    }
}

/// <summary>A name as it stands in a plot.</summary>
/// <param name="Words">What is written.</param>
/// <param name="Box">The room kept for it.</param>
/// <param name="Anchor">start, middle or end: which side of the box the text keeps to.</param>
/// <param name="Leader">The line from its dot, where it stands away from it; null where it stands beside it.</param>
internal sealed record PlacedLabel(string Words, PlotBox Box, string Anchor, (double X1, double Y1, double X2, double Y2)? Leader);

/// <summary>
/// Puts the names of dots where none overprints another: beside its dot where there is room, else further away with a line to it. Of all places the one that
/// hides least is taken, one name after the other, and once more when all have one.
/// </summary>
internal static class PlotLabels
{
    /// <summary>The largest size of text in a plot, on a phone; in the plot's units.</summary>
    public const double FontSize = 15;

    /// <summary>The height of a name, with what keeps it from the next.</summary>
    public const double LineHeight = 18;

    private const double Gap = 8, DotRadius = 5, Far = 14;
    private const double HidesDot = 40, CrossesName = 25, HidesLine = 6, Step = 12;

    /// <summary>The room that words take in the widest of the usual fonts, in the plot's units.</summary>
    public static double WidthOf(string words) => FontSize * words.Sum(c => c switch
    {
        '.' or ',' or ':' or ';' or '\'' or '|' or ' ' or 'i' or 'l' or 'j' => 0.34,
        '-' or 'f' or 't' or 'r' or '(' or ')' => 0.43,
        'm' or 'w' or 'M' or 'W' or '@' or '%' => 1.02,
        >= 'A' and <= 'Z' => 0.78,
        > '\u007f' => 1.05,
        _ => 0.64,
    });

    /// <summary>Places names.</summary>
    /// <param name="names">Each with its dot.</param>
    /// <param name="area">Where names may stand.</param>
    /// <param name="dots">All dots.</param>
    /// <param name="lines">What had better not be written over: bars and lines.</param>
    /// <returns>One for each name that found room, in their order.</returns>
    public static IReadOnlyList<PlacedLabel> Place(
        IReadOnlyList<(double X, double Y, string Words)> names, PlotBox area, IReadOnlyList<(double X, double Y)> dots, IReadOnlyList<PlotBox> lines)
    {
        var hidden = dots.Select(d => new PlotBox(d.X - DotRadius, d.Y - DotRadius, d.X + DotRadius, d.Y + DotRadius)).ToList();
        var placed = new PlacedLabel?[names.Count];
        for (int sweep = 0; sweep < 3; sweep++)
        {
            for (int i = 0; i < names.Count; i++)
            {
                var others = placed.Where((p, j) => p is not null && j != i).Select(p => p!).ToList();
                placed[i] = Candidates(names[i], area).Where(c => !others.Exists(o => o.Box.Overlaps(c.Label.Box)))
                    .Select(c => (c.Label, Cost: c.Cost + Hides(c.Label, hidden, lines, others))).OrderBy(c => c.Cost).FirstOrDefault().Label;
            }
        }

        return [.. placed.OfType<PlacedLabel>()];
    }

    private static double Hides(PlacedLabel label, List<PlotBox> dots, IReadOnlyList<PlotBox> lines, List<PlacedLabel> others)
    {
        double cost = (HidesDot * dots.Count(label.Box.Overlaps)) + (HidesLine * lines.Count(label.Box.Overlaps))
            + (CrossesName * others.Count(o => o.Leader is var (x1, y1, x2, y2) && label.Box.Meets((x1, y1), (x2, y2))));
        return label.Leader is not var (fromX, fromY, toX, toY) ? cost
            : cost + (CrossesName * others.Count(o => o.Box.Meets((fromX, fromY), (toX, toY))))
                + (HidesLine * dots.Count(d => d.Meets((fromX, fromY), (toX, toY))));
    }

    // Beside the dot, then anywhere.
    private static IEnumerable<(PlacedLabel Label, double Cost)> Candidates((double X, double Y, string Words) name, PlotBox area)
    {
        var (x, y) = (name.X, name.Y);
        string words = Shortened(ShownText.Of(name.Words), area.Right - area.Left);
        double width = WidthOf(words), half = LineHeight / 2, slant = Gap - 2;
        (double Left, double Top, string Anchor)[] near =
        [
            (x + Gap, y - half, "start"), (x - Gap - width, y - half, "end"), (x - (width / 2), y - Gap - LineHeight, "middle"),
            (x - (width / 2), y + Gap, "middle"), (x + slant, y - slant - LineHeight, "start"), (x + slant, y + slant, "start"),
            (x - slant - width, y - slant - LineHeight, "end"), (x - slant - width, y + slant, "end"),
        ];
        bool Inside(double left, double top) => left >= area.Left && left + width <= area.Right && top >= area.Top && top + LineHeight <= area.Bottom;
        for (int i = 0; i < near.Length; i++)
        {
            var (left, top, anchor) = near[i];
            if (Inside(left, top))
            {
                yield return (new PlacedLabel(words, new PlotBox(left, top, left + width, top + LineHeight), anchor, null), i * 0.5);
            }
        }

        for (double top = area.Top; top + LineHeight <= area.Bottom; top += half)
        {
            for (double left = area.Left; left + width <= area.Right; left += Step)
            {
                var box = new PlotBox(left, top, left + width, top + LineHeight);
                bool right = left + (width / 2) >= x;
                var (toX, toY) = (right ? left : left + width, top + half);
                double distance = Math.Sqrt(Math.Pow(toX - x, 2) + Math.Pow(toY - y, 2));
                if (distance >= Far)
                {
                    double part = DotRadius / distance;
                    yield return (new PlacedLabel(words, box, right ? "start" : "end", (x + (part * (toX - x)), y + (part * (toY - y)), toX, toY)),
                        5 + (distance / 8));
                }
            }
        }
    }

    /// <summary>Words of which the middle is left out where they are wider than the room.</summary>
    internal static string Shortened(string words, double room)
    {
        string shorter = words;
        for (int keep = words.Length - 1; WidthOf(shorter) > room && keep > 1; keep--)
        {
            shorter = words[..((keep + 1) / 2)] + "\u2026" + words[^(keep / 2)..];
        }

        return shorter;
    }
}
