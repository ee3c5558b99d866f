using FaceDistill.Reports.Pages;

namespace FaceDistill.Tests.Reports.Pages;

/// <summary>Names of dots in a plot, for sets of dots that want to hide each other.</summary>
public sealed class PlotLabelsTests
{
    private static readonly PlotBox Area = new(60, 30, 458, 268);

    /// <summary>Sets of students that crowd: name of the set, and where its dots lie, 0 to 1 to the right and up.</summary>
    public static TheoryData<string> Sets { get; } = [.. Crowds.Keys];

    internal static Dictionary<string, (double X, double Y)[]> Crowds => new(StringComparer.Ordinal)
    {
        ["one spot"] = [.. Enumerable.Repeat((0.5, 0.5), 12)],
        ["one spot in the corner"] = [.. Enumerable.Repeat((1.0, 1.0), 12)],
        ["one column"] = [.. Enumerable.Range(0, 14).Select(i => (0.5, 0.4 + (0.01 * i)))],
        ["one row"] = [.. Enumerable.Range(0, 14).Select(i => (i / 13.0, 0.0))],
        ["a slope"] = [.. Enumerable.Range(0, 16).Select(i => (i / 15.0, i / 15.0))],
        ["chance"] = [.. Chance(1, 24, 1)],
        ["a crowd"] = [.. Chance(2, 24, 0.1)],
        ["two spots"] = [.. Enumerable.Range(0, 16).Select(i => (i % 2 == 0 ? 0.0 : 1.0, 0.9))],
        ["one"] = [(1, 1)],
    };

    private static IEnumerable<(double X, double Y)> Chance(int seed, int count, double spread)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, count).Select(_ => (0.5 + (spread * (random.NextDouble() - 0.5)), 0.5 + (spread * (random.NextDouble() - 0.5))));
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void No_name_overprints_another_or_leaves_the_plot_and_none_is_lost(string set)
    {
        (double X, double Y, string Words)[] names =
        [
            .. Crowds[set].Select((d, i) => (Area.Left + (d.X * (Area.Right - Area.Left)), Area.Bottom - (d.Y * (Area.Bottom - Area.Top)), $"0.{i:00}@128")),
        ];
        var dots = names.Select(n => (n.X, n.Y)).ToList();
        var placed = PlotLabels.Place(names, Area, dots, [.. dots.Select(d => new PlotBox(d.X - 1, d.Y - 30, d.X + 1, d.Y + 30))]);
        Assert.Equal(names.Select(n => n.Words), placed.Select(p => p.Words));
        Assert.All(placed, p => Assert.True(p.Box is var b && b.Left >= Area.Left && b.Right <= Area.Right && b.Top >= Area.Top && b.Bottom <= Area.Bottom));
        Assert.All(placed, p => Assert.DoesNotContain(placed, o => o != p && o.Box.Overlaps(p.Box)));
        Assert.All(placed.Zip(names), p => Assert.True(p.First.Leader is not null
            || (p.First.Box.Left <= p.Second.X + 9 && p.First.Box.Right >= p.Second.X - 9), "a name stands away from its dot without a line to it"));
    }

    [Theory]
    [InlineData(0, 0, 10, 10, true)]
    [InlineData(5, -5, 5, 15, true)]
    [InlineData(5, 5, 6, 6, true)]
    [InlineData(-5, 12, 15, 12, false)]
    [InlineData(-5, 4, 0, 15, false)]
    [InlineData(10, 0, 10, 10, false)]
    [InlineData(-5, -5, -1, -1, false)]
    public void A_line_meets_a_box_where_it_passes_through_it(double x1, double y1, double x2, double y2, bool meets) =>
        Assert.Equal(meets, new PlotBox(0, 0, 10, 10).Meets((x1, y1), (x2, y2)));

    [Fact]
    public void A_dot_with_room_has_its_name_beside_it_and_a_name_wider_than_the_plot_loses_its_middle()
    {
        var free = Assert.Single(PlotLabels.Place([(200, 100, "0.5@96")], Area, [(200, 100)], []));
        Assert.Equal(("start", null, 208.0), (free.Anchor, free.Leader, free.Box.Left));
        var right = Assert.Single(PlotLabels.Place([(450, 100, "0.5@96")], Area, [(450, 100)], []));
        Assert.Equal(("end", null), (right.Anchor, right.Leader));
        string wide = Assert.Single(PlotLabels.Place([(200, 100, new string('m', 99) + "!")], Area, [(200, 100)], [])).Words;
        Assert.Matches("^m+\u2026m+!$", wide);
    }
}
