using System.Collections.Concurrent;
using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill;

/// <summary>
/// Embeds faces with an exported student. One instance serves any number of threads at once; on the CPU the model computes on the calling
/// thread, while OpenCV, which finds and aligns the face of a photo, has threads of its own (Cv2.SetNumThreads(1) where many calls run at once).
/// It needs ONNX Runtime and the OpenCV runtime of the platform, not libtorch.
/// </summary>
public sealed class FaceEmbedder : IDisposable
{
    private readonly IEmbedder _model;
    private readonly string _path;
    private readonly string? _detectorModel;
    private readonly ConcurrentBag<FaceDetector> _detectors = []; // one serves one thread: taken, and put back
    private volatile bool _disposed;

    private FaceEmbedder(IEmbedder model, string path, string? detectorModel, IReadOnlyList<StudentThreshold> thresholds) =>
        (_model, _path, _detectorModel, Thresholds) = (model, path, detectorModel, model is FlipSummed ? [] : thresholds);

    /// <summary>The providers of ONNX Runtime that the installed package has, of cpu, cuda, directml, openvino and coreml. One may still not open, as where
    /// its driver is missing.</summary>
    public static IReadOnlyList<string> Providers => OnnxProviders.Here.Installed;

    /// <summary>Where the model is computed: one of <see cref="Providers"/>.</summary>
    public string Provider { get; private init; } = OnnxProviders.Cpu;

    /// <summary>The side, in pixels, of the aligned faces that the model takes.</summary>
    public int Size => _model.Contract.Size;

    /// <summary>The name of the <see cref="AlignmentTemplate"/> that aligned faces are to be brought onto.</summary>
    public string Template => _model.Contract.Template;

    /// <summary>The embedding's length.</summary>
    public int Dimension => _model.Dimension;

    /// <summary>The measured thresholds that the file carries; none where it was exported without them, or is used flip-summed, for which they were not
    /// measured.</summary>
    public IReadOnlyList<StudentThreshold> Thresholds { get; }

    /// <summary>Loads an exported student.</summary>
    /// <param name="model">An .onnx file that 'facedistill export' wrote; its metadata say what input it wants. Scaling in the graph or outside of it: both
    /// work.</param>
    /// <param name="detector">YuNet's .onnx file, which <see cref="EmbedPhoto(Mat)"/> finds faces with; null to look for it in $FACEDISTILL_HOME/models and the
    /// cache when it is needed.</param>
    /// <param name="flip">Whether an embedding is the sum of those of the face and of its mirror image, as in 'facedistill evaluate --flip'; twice the
    /// work.</param>
    /// <param name="provider">Where ONNX Runtime computes: cpu, cuda, directml, openvino or coreml, which is to be in the installed package and has to open,
    /// or auto: CUDA where it is installed and opens, else the CPU.</param>
    /// <param name="say">Told, once for a reason, that the CPU takes the place of CUDA, which is installed and does not open; null for nobody.</param>
    /// <exception cref="FaceDistillException">The file is missing, damaged, or not exported by FaceDistill, or the provider that is named is not installed or
    /// does not open; the message names it and the remedy.</exception>
    public static FaceEmbedder Load(
        string model, string? detector = null, bool flip = false, string provider = OnnxProviders.Auto, Action<string>? say = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        string? missing = new[] { model, detector }.FirstOrDefault(file => file is not null && !File.Exists(file));
        if (missing is not null)
        {
            throw new FaceDistillException(
                $"no file {missing}; "
                    + (missing == model ? $"make one with '{Hints.Command} export'" : $"get the detector with '{Hints.Command} teachers pull yunet'"));
        }

        var thresholds = StudentThresholds.Of(ExportedModel.Metadata(model), model);
        OpenCvNative.EnsureLoaded(); // before the model is tried, which takes longer
        var opened = ExportedModel.Open(model, provider, say).Seeing();
        return new FaceEmbedder(flip ? new FlipSummed(opened) : opened, model, detector, thresholds) { Provider = opened.Provider };
    }

    /// <summary>Takes hold of any model, and frees it with itself.</summary>
    /// <param name="model">The model.</param>
    /// <param name="name">What it is called in messages.</param>
    /// <param name="detector">YuNet's file.</param>
    /// <param name="thresholds">Those that were measured of it.</param>
    internal static FaceEmbedder Of(IEmbedder model, string name, string? detector, IReadOnlyList<StudentThreshold> thresholds) =>
        new(model, name, detector, thresholds);

    /// <summary>Embeds an aligned face.</summary>
    /// <param name="alignedFace">BGR 8-bit, <see cref="Size"/> x <see cref="Size"/>, aligned to <see cref="Template"/>.</param>
    /// <returns>float32, <see cref="Dimension"/> values, of unit length only where the file normalises.</returns>
    /// <exception cref="ArgumentException">The picture has another size or type.</exception>
    /// <exception cref="FaceDistillException">The model fails, or gives NaN or infinity.</exception>
    public float[] Embed(Mat alignedFace)
    {
        ArgumentNullException.ThrowIfNull(alignedFace);
        if (alignedFace.Type() != MatType.CV_8UC3 || alignedFace.Width != Size || alignedFace.Height != Size)
        {
            throw new ArgumentException(
                $"{_path} takes an aligned face of {Size} x {Size} pixels, 8-bit BGR, not {alignedFace.Width} x {alignedFace.Height} {alignedFace.Type()}; "
                + "for a photo use EmbedPhoto");
        }

        ObjectDisposedException.ThrowIf(_disposed, this);
        using var whole = alignedFace.IsContinuous() ? null : alignedFace.Clone();
        var input = new float[_model.Contract.Values];
        FaceTensor.Fill(whole ?? alignedFace, _model.Contract, input);
        var embedding = new float[Dimension];
        _model.Embed(input, 1, embedding);
        return embedding;
    }

    /// <summary>Embeds an aligned face.</summary>
    /// <param name="alignedRgb">uint8 [<see cref="Size"/>, <see cref="Size"/>, 3], RGB, aligned to <see cref="Template"/>.</param>
    /// <returns>As <see cref="Embed(Mat)"/>.</returns>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    /// <exception cref="FaceDistillException">The model fails, or gives NaN or infinity.</exception>
    public unsafe float[] Embed(ReadOnlySpan<byte> alignedRgb)
    {
        if (alignedRgb.Length != 3 * Size * Size)
        {
            throw new ArgumentException($"{_path} takes {Size} x {Size} x 3 = {3 * Size * Size} bytes of an aligned RGB face, not {alignedRgb.Length}");
        }

        using var face = new Mat();
        fixed (byte* pixels = alignedRgb)
        {
            using var rgb = Mat.FromPixelData(Size, Size, MatType.CV_8UC3, (IntPtr)pixels);
            Cv2.CvtColor(rgb, face, ColorConversionCodes.RGB2BGR);
        }

        return Embed(face);
    }

    /// <summary>Finds the large face nearest the middle of a photo (<see cref="DetectedFace.MostCentralLarge"/>), turns it upright, aligns it as the student's
    /// training faces were, and embeds it.</summary>
    /// <param name="photo">BGR 8-bit, any size; upright, or turned by 90, 180 or 270 degrees.</param>
    /// <returns>As <see cref="Embed(Mat)"/>.</returns>
    /// <exception cref="ArgumentException">The picture is empty, or of another type.</exception>
    /// <exception cref="FaceDistillException">There is no face, or the detector's model is missing.</exception>
    public float[] EmbedPhoto(Mat photo) => EmbedPhoto(photo, out _);

    /// <summary>As <see cref="EmbedPhoto(Mat)"/>, and tells which face of the photo it is.</summary>
    /// <param name="photo">As there.</param>
    /// <param name="face">Where it lies, how large it is, how many there are.</param>
    /// <returns>As <see cref="Embed(Mat)"/>.</returns>
    /// <exception cref="ArgumentException">As there.</exception>
    /// <exception cref="FaceDistillException">As there.</exception>
    public float[] EmbedPhoto(Mat photo, out FaceInPhoto face) => EmbedPhoto(photo, "the photo", out face);

    /// <summary>Reads a photo's file, turned upright as its EXIF data says, and embeds it as <see cref="EmbedPhoto(Mat)"/> does.</summary>
    /// <exception cref="FaceDistillException">It is no readable picture, there is no face, or the detector's model is missing; the message names the
    /// file.</exception>
    public float[] EmbedPhoto(string path) => EmbedPhoto(path, out _);

    /// <summary>As <see cref="EmbedPhoto(string)"/>, and tells which face of the photo it is.</summary>
    /// <param name="path">The photo's file.</param>
    /// <param name="face">Where it lies, how large it is, how many there are.</param>
    /// <returns>As <see cref="Embed(Mat)"/>.</returns>
    /// <exception cref="FaceDistillException">As there.</exception>
    public float[] EmbedPhoto(string path, out FaceInPhoto face)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var photo = PictureFile.TryRead(path, out string reason) ?? throw new FaceDistillException($"{path} is {reason}; give a photo's file");
        float[] embedding = EmbedPhoto(photo, path, out face);
        face = face with { Complaint = reason };
        return embedding;
    }

    /// <summary>How alike two embeddings are: their cosine, -1 to 1, rounded as where thresholds are measured; NaN where one is all zeros, which no
    /// threshold accepts. Accept when it is at or above <see cref="Threshold"/>.</summary>
    /// <exception cref="ArgumentException">They are of different lengths, or empty.</exception>
    public static float Similarity(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => CosineScore.Of(a, b);

    /// <summary>The least similarity at which two faces count as one person's, at a false accept rate.</summary>
    /// <param name="far">The false accept rate, for example 1e-4.</param>
    /// <exception cref="FaceDistillException">None was measured for that rate; the message says which there are and how to get more.</exception>
    public float Threshold(double far) => _model is not FlipSummed ? StudentThresholds.At(Thresholds, far, _path)
        : throw new FaceDistillException(FlipLine);

    private string FlipLine =>
        $"{_path}: its thresholds are not those of flip-summed embeddings; measure them with '{Hints.Command} evaluate --flip', or load it "
        + "without flip";

    /// <summary>How many pairs of two people are at least as alike: the false accept rate at which a pair of this similarity would just be accepted.</summary>
    /// <param name="similarity">That of <see cref="Similarity"/>.</param>
    /// <returns>The rate between the thresholds that the file carries; beyond them a bound, never a guess. 'facedistill export --evaluate' measures some
    /// fifteen thresholds, from 5e-1 to the smallest rate at which ten impostor pairs are accepted; files of earlier versions carry three.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The similarity is NaN.</exception>
    /// <exception cref="FaceDistillException">Nothing was measured, or on too few pairs; the message says how to get it.</exception>
    public FalseAcceptEstimate FalseAcceptRate(float similarity) =>
        FalseAcceptCurve.At(Thresholds, similarity) ?? throw new FaceDistillException(_model is FlipSummed ? FlipLine
            : $"{_path} carries no threshold that was measured on {FarTargets.LeastAccepted} false accepts or more; export with --evaluate on more people");

    /// <summary>Frees the models. No call may be under way.</summary>
    public void Dispose()
    {
        _disposed = true;
        _model.Dispose();
        while (_detectors.TryTake(out var detector))
        {
            detector.Dispose();
        }
    }

    private float[] EmbedPhoto(Mat photo, string name, out FaceInPhoto face)
    {
        FaceDetector.Check(photo);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var detector = _detectors.TryTake(out var idle) ? idle
            : new FaceDetector(_detectorModel ?? DetectorCard.FindModel(AssetFinder.FromEnvironment()));
        try
        {
            // As the pipeline aligns the faces on which thresholds are measured: larger first, then shrunk by area.
            var frame = AlignedFrame.Default;
            using var aligned = new FaceAligner(detector, AlignmentTemplate.Named(Template), frame).AlignTold(photo, out var found)
                ?? throw new FaceDistillException(
                    $"{name} shows no face that the detector finds; give a photo in which a face is larger or seen from the front");
            face = found!;
            using var view = frame.View(aligned, Size);
            return Embed(view);
        }
        finally
        {
            _detectors.Add(detector);
        }
    }
}
