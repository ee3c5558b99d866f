using FaceDistill.Datasets;
using OpenCvSharp;

namespace FaceDistill.Reports;

/// <summary>Small copies of aligned faces, to stand inside a report.</summary>
internal sealed class ReportFaces : IDisposable
{
    /// <summary>The side of a picture, pixels.</summary>
    public const int Side = 80;

    private const int JpegQuality = 80;
    private readonly AlignedFaces _faces;
    private readonly Dictionary<string, int> _rows;
    private readonly Dictionary<string, string> _made = new(StringComparer.Ordinal);

    /// <param name="faces">The aligned faces.</param>
    public ReportFaces(AlignedFaces faces)
    {
        _faces = faces;
        _rows = faces.Dataset.Images.Select((image, row) => (image.Path, row)).ToDictionary(e => e.Path, e => e.row, StringComparer.Ordinal);
    }

    /// <summary>A face as a JPEG in a data: address; null where there is no face of that path.</summary>
    /// <exception cref="FaceDistillException">The picture is damaged.</exception>
    public string? DataUri(string path)
    {
        if (_made.TryGetValue(path, out string? made) || !_rows.TryGetValue(path, out int row))
        {
            return made;
        }

        using var picture = _faces.ReadView(row, Side);
        return _made[path] = "data:image/jpeg;base64,"
            + Convert.ToBase64String(picture.ImEncode(".jpg", new ImageEncodingParam(ImwriteFlags.JpegQuality, JpegQuality)));
    }

    /// <summary>Forgets the pictures.</summary>
    public void Dispose() => _made.Clear();
}
