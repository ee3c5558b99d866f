namespace FaceDistill.Reports.Pages;

/// <summary>A plot as a file of its own.</summary>
internal static class SvgFile
{
    // The page's style decides an inline plot's colours; a file of its own brings them along. The colours are those of report.css in light.
    private const string Style =
        "text{font-family:sans-serif;fill:#5a5d64}.name{fill:#1c1d20;paint-order:stroke;stroke:#fff;stroke-width:3px}"
        + ".ink-stroke{stroke:#5a5d64}.ink-fill{fill:#5a5d64}.grid-stroke{stroke:#dddbd5}.grid-fill{fill:#dddbd5}"
        + ".s0-stroke{stroke:#0a5ea8}.s1-stroke{stroke:#b8420f}.s2-stroke{stroke:#0b7556}"
        + ".s3-stroke{stroke:#7b3f9a}.s4-stroke{stroke:#86600a}.s5-stroke{stroke:#4c545f}"
        + ".d1{stroke-dasharray:7 3}.d2{stroke-dasharray:2 2.5}.d3{stroke-dasharray:9 3 2 3}"
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
