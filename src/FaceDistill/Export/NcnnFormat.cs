using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Export;

/// <summary>float32 of Tencent's ncnn, three files: see <see cref="StudentNcnn"/> and <see cref="NcnnNetwork"/>.</summary>
internal sealed class NcnnFormat : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "ncnn";

    /// <inheritdoc/>
    public override string Ending => NcnnNetwork.Ending;

    internal override string RunBy => "; ncnn runs it with the .bin beside it";

    /// <inheritdoc/>
    public override double MinCosine => 0.9999;

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Companions(string path)
    {
        var (bin, json) = NcnnNetwork.Companions(path);
        return [bin, json];
    }

    /// <inheritdoc/>
    internal override (string Input, string Output) Tensors(GraphPrePostprocessing ends, int size, int dimension)
    {
        ArgumentNullException.ThrowIfNull(ends);
        string input = ends.Preprocess ? $"blob {GraphPrePostprocessing.ImageInput}, as ncnn::Mat::from_pixels gives it of RGB pixels," : "blob input";
        return ($"{input} float32 [3, {size}, {size}], one face at a time", $"blob embedding float32 [{dimension}]");
    }

    /// <inheritdoc/>
    internal override PreparedExport Prepare(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var network = StudentNcnn.Build(FoldedStudent.Of(context.Checkpoint), context.Processing);
        return new PreparedExport((path, thresholds) =>
        {
            if (thresholds.Count > 0)
            {
                network.Metadata[StudentThreshold.MetadataKey] = StudentThreshold.Text(thresholds);
            }

            network.Write(path);
        });
    }
}

/// <summary>
/// A student's ncnn files, read back and computed by ONNX Runtime as their layers' documentation says: what an export is verified with, and what evaluates
/// it. ncnn itself is asked in the tests.
/// </summary>
internal sealed class NcnnEmbedder : IEmbedder
{
    private readonly OnnxEmbedder _model;

    /// <summary>Loads files that FaceDistill exported.</summary>
    /// <param name="path">X.ncnn.param; X.ncnn.bin and X.ncnn.json lie beside it.</param>
    /// <exception cref="FaceDistillException">A file is missing or damaged, or does not say what it wants to see.</exception>
    public NcnnEmbedder(string path)
    {
        var network = NcnnNetwork.Read(path);
        Hash = network.Checksum;
        string name = $"{network.Metadata.GetValueOrDefault(ExportedModel.StudentKey)} ({Path.GetFileName(path)})", folder = "", translated = path;
        try
        {
            folder = Leftovers.TemporaryFolder("ncnn");
            translated = Path.Combine(folder, "student.onnx");
            OnnxWriter.Write(StudentNcnn.ToOnnx(network), translated);
            _model = new OnnxEmbedder(name, translated, ExportedModel.InputSpec(network.Metadata, path), null, OnnxProviders.Cpu);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or InvalidOperationException or DivideByZeroException)
        {
            throw new FaceDistillException($"{path} is no network of a student", e);
        }
        catch (FaceDistillException e) when (e.Message.Contains(translated, StringComparison.Ordinal))
        {
            throw new FaceDistillException(e.Message.Replace(translated, path, StringComparison.Ordinal), e);
        }
        finally
        {
            if (folder.Length > 0)
            {
                Leftovers.Delete(folder);
            }
        }
    }

    /// <inheritdoc/>
    public string Name => _model.Name;

    /// <inheritdoc/>
    public string Hash { get; }

    /// <inheritdoc/>
    public ModelInputSpec Contract => _model.Contract;

    /// <inheritdoc/>
    public int Dimension => _model.Dimension;

    /// <inheritdoc/>
    public void Embed(float[] faces, int count, Span<float> embeddings) => _model.Embed(faces, count, embeddings);

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();
}
