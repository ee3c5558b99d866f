namespace FaceDistill.Tests.Reports;

/// <summary>Looks at a page as it is laid out in a browser, and names whatever is cut, overprinted, out of sight or too small to read.</summary>
internal static class PageLayout
{
    /// <summary>A phone, a phone held across, a desk.</summary>
    public static readonly int[] Widths = [390, 500, 1280];

    private const string Look = """
        (() => {
          const faults = [], wide = innerWidth;
          const say = (e, what) => faults.push(`${what}: ${e.tagName} '${e.textContent.trim().slice(0, 60)}'`);
          if (document.documentElement.scrollWidth > wide) faults.push(`the page is ${document.documentElement.scrollWidth} wide`);
          for (const e of document.body.querySelectorAll('*')) {
            const r = e.getBoundingClientRect(), box = e.parentElement.closest('.scroll');
            if (!r.width || e.closest('.skip') || e.parentElement.closest('svg') || ['SCRIPT', 'STYLE', 'TEMPLATE'].includes(e.tagName)) continue;
            if (!box && (r.right > wide + .5 || r.left < -.5)) say(e, 'off the screen');
            if (box && r.right - box.getBoundingClientRect().left + box.scrollLeft > box.scrollWidth + 1.5) say(e, 'out of its scroller');
            if (getComputedStyle(e).overflowX !== 'visible' && !e.matches('.scroll') && e.scrollWidth > e.clientWidth + 1) say(e, 'cut');
          }
          for (const e of document.querySelectorAll('th, td, dt, dd, code, h1, h2, figcaption, caption, li')) {
            const range = document.createRange();
            range.selectNodeContents(e);
            const r = range.getBoundingClientRect(), b = e.getBoundingClientRect();
            if (r.width && (r.right > b.right + 1 || r.left < b.left - 1)) say(e, 'text out of its box');
          }
          for (const svg of document.querySelectorAll('svg.plot')) {
            const frame = svg.getBoundingClientRect(), scale = frame.width / svg.viewBox.baseVal.width;
            const texts = [...svg.querySelectorAll('text')].map(t => [t, t.getBoundingClientRect()]);
            texts.forEach(([t, r], i) => {
              if (r.left < frame.left - .5 || r.right > frame.right + .5 || r.top < frame.top - .5 || r.bottom > frame.bottom + .5) say(t, 'out of its plot');
              if (t.closest('[clip-path]')) say(t, 'may be clipped');
              if (parseFloat(getComputedStyle(t).fontSize) * scale < 9.5) say(t, 'too small');
              for (const [o, q] of texts.slice(i + 1)) {
                if (Math.min(r.right, q.right) - Math.max(r.left, q.left) > .5 && Math.min(r.bottom, q.bottom) - Math.max(r.top, q.top) > .5)
                  say(t, `overprints '${o.textContent}'`);
              }
            });
          }
          for (const table of document.querySelectorAll('table:has(.deciding)')) {
            for (const row of table.rows) {
              const cells = [...row.cells].map(c => c.getBoundingClientRect()).sort((a, b) => a.left - b.left);
              if (cells.slice(1).some((c, i) => Math.abs(c.left - cells[i].right) > 1)) say(row, 'a gap between cells');
            }

            for (const cell of table.querySelectorAll('.deciding')) {
              if (cell.getBoundingClientRect().right > wide) say(cell, 'the figure that decides is out of sight');
            }
          }
          return faults;
        })()
        """;

    /// <summary>What is wrong with the page that is open, at a width.</summary>
    public static async Task<IReadOnlyList<string>> Faults(Chromium page, int width)
    {
        await page.Send("Emulation.setDeviceMetricsOverride", new { width, height = 900, deviceScaleFactor = 1, mobile = false });
        return [.. (await page.Evaluate(Look))!.AsArray().Select(fault => $"{width}: {fault}")];
    }

    /// <summary>Where pages are to be kept for somebody who wants to look at them; null for nowhere.</summary>
    public static string? Kept => Environment.GetEnvironmentVariable("FACEDISTILL_TEST_PAGES");
}
