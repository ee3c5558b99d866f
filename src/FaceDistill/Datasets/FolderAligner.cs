using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using OpenCvSharp;

namespace FaceDistill.Datasets;

/// <summary>What aligning a folder came to.</summary>
/// <param name="Faces">The aligned faces.</param>
/// <param name="Aligned">Pictures aligned, now or by an earlier run.</param>
/// <param name="Reused">Of these, how many an earlier run had done.</param>
/// <param name="Skipped">Files left out, with the reason, in ordinal order of their paths.</param>
public sealed record FolderAlignment(AlignedFaces Faces, int Aligned, int Reused, IReadOnlyList<(string Path, string Reason)> Skipped);

/// <summary>
/// Aligns every photo below a folder into another folder, on all cores. Pictures are renamed into place when whole, so that
/// a run that was killed is continued by the next one with the same settings.
/// </summary>
internal sealed class FolderAligner
{
    private readonly string _detector;
    private readonly AlignmentTemplate _template;
    private readonly AlignedFrame _frame;

    /// <summary>Makes an aligner.</summary>
    /// <param name="detectorModel">Path of YuNet's ONNX file.</param>
    /// <param name="template">The template to align to.</param>
    /// <param name="frame">The aligned picture's geometry.</param>
    public FolderAligner(string detectorModel, AlignmentTemplate template, AlignedFrame frame) =>
        (_detector, _template, _frame) = (detectorModel, template, frame);

    /// <summary>Whether to wait where another process fills the folder, as for one of the cache; else that is an error. Default false.</summary>
    public bool Waits { get; init; }

    /// <summary>The name of a folder, in a cache, that belongs to these photos and these settings alone.</summary>
    /// <remarks>Hashes the paths, lengths and times of the photos, not their bytes: it decides only whether to align again.</remarks>
    public string CacheName(FaceDataset raw)
    {
        ArgumentNullException.ThrowIfNull(raw);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        Add(raw.Root);
        Add(NewManifest(raw, false).Hash());
        foreach (var image in raw.Images)
        {
            var file = new FileInfo(raw.FullPath(image));
            Add(InvariantText.Of($"{image.Path}|{file.Length}|{file.LastWriteTimeUtc.Ticks}"));
        }

        string name = new([.. Path.GetFileName(raw.Root).Select(c => char.IsLetterOrDigit(c) ? c : '-')]);
        return $"{name}-{_template.Name}{_frame.Size}-{Convert.ToHexStringLower(hash.GetHashAndReset())[..12]}";
    }

    /// <summary>Aligns a folder; what an earlier run with the same settings finished is kept.</summary>
    /// <param name="raw">The photos.</param>
    /// <param name="output">The folder to fill.</param>
    /// <param name="job">Told of every picture.</param>
    /// <exception cref="FaceDistillException">The output folder lies among the photos or holds something else, or no photo shows a face.</exception>
    public FolderAlignment Run(FaceDataset raw, string output, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(raw);
        if (raw.Images.Count == 0)
        {
            throw new FaceDistillException($"{raw.Root} has no picture ({string.Join(' ', PictureFile.Extensions)})");
        }

        var targets = new AlignedOutputPaths(raw, output);
        using var held = Waits ? FolderLock.Wait(output, job) : FolderLock.Take(output);
        Prepare(raw, output, targets);
        var skipped = new ConcurrentBag<(string Path, string Reason)>(raw.Others);
        int reused = AlignAllCountingReused(raw, targets, skipped, job);
        return Finish(raw, output, reused, [.. skipped.OrderBy(s => s.Path, StringComparer.Ordinal)]);
    }

    private int AlignAllCountingReused(
        FaceDataset raw, AlignedOutputPaths targets, ConcurrentBag<(string Path, string Reason)> skipped, JobContext job)
    {
        int done = 0, reused = 0;
        Cv2.SetNumThreads(1); // the photos are the parallel work
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = job.Cancel };
        try
        {
            Parallel.For(0, raw.Images.Count, options, () => new Lazy<Worker>(() => new Worker(_detector, _template, _frame)), (i, _, worker) =>
            {
                if (targets.IsDone(i))
                {
                    Interlocked.Increment(ref reused);
                }
                else if (worker.Value.Align(raw.FullPath(raw.Images[i]), targets[i]) is { } reason)
                {
                    skipped.Add((raw.Images[i].Path, reason));
                }

                job.Progress?.Report(new WorkProgress("aligning", Interlocked.Increment(ref done), raw.Images.Count, "images"));
                return worker;
            }, worker =>
            {
                if (worker.IsValueCreated)
                {
                    worker.Value.Dispose();
                }
            });
        }
        catch (AggregateException e) when (e.InnerException is FaceDistillException first)
        {
            throw new FaceDistillException(first.Message, e);
        }

        return reused;
    }

    private void Prepare(FaceDataset raw, string output, AlignedOutputPaths targets)
    {
        var wanted = NewManifest(raw, complete: false);
        if (!AlignmentManifest.In(output))
        {
            if (Directory.EnumerateFileSystemEntries(output).Any(p => Path.GetFileName(p) != FolderLock.FileName))
            {
                throw new FaceDistillException($"{output} already holds other files; choose an empty --output");
            }

            wanted.Write(output);
            return;
        }

        var found = JsonFile.Read<AlignmentManifest>(Path.Combine(output, AlignmentManifest.FileName));
        if (found with { Complete = false } != wanted)
        {
            throw new FaceDistillException(
                $"{output} holds faces of {found.Source} aligned otherwise ({found.Template} at {found.Size}); choose another --output or delete it");
        }

        targets.RefuseOthers();
        wanted.Write(output);
    }

    private FolderAlignment Finish(FaceDataset raw, string output, int reused, List<(string Path, string Reason)> skipped)
    {
        int aligned = raw.Images.Count - (skipped.Count - raw.Others.Count);
        if (aligned == 0)
        {
            throw new FaceDistillException($"no photo in {raw.Root} shows a face (first: {skipped[0].Path}: {skipped[0].Reason})");
        }

        AtomicFile.WriteText(
            Path.Combine(output, AlignmentManifest.SkippedFileName), Csv.Text("path,reason", skipped.Select(s => new[] { s.Path, s.Reason })));
        NewManifest(raw, complete: true).Write(output);
        return new FolderAlignment(AlignedFaces.Open(output), aligned, reused, skipped);
    }

    private AlignmentManifest NewManifest(FaceDataset raw, bool complete) =>
        new(1, _template.Name, _frame.Size, _frame.Pad, $"yunet-{FileHash.Sha256(_detector)[..16]}", raw.Root, complete);

    private sealed class Worker(string model, AlignmentTemplate template, AlignedFrame frame) : IDisposable
    {
        private readonly FaceDetector _detector = new(model);

        // The reason why there is no aligned face, or null where there is one.
        public string? Align(string source, string target) => PictureFile.Use(source, (picture, reason) => picture is null ? reason : Align(picture, target));

        private string? Align(Mat picture, string target)
        {
            using var face = new FaceAligner(_detector, template, frame).Align(picture);
            if (face is null)
            {
                return "no face found";
            }

            Cv2.ImEncode(".jpg", face, out byte[] jpeg, PictureFile.JpegQuality95);
            try
            {
                AtomicFile.WriteReplaceable(target, jpeg);
                return null;
            }
            catch (FaceDistillException e) when (e.InnerException is PathTooLongException)
            {
                return "the name of its face would be too long";
            }
        }

        public void Dispose() => _detector.Dispose();
    }
}

/// <summary>Where the face of each photo goes in the folder of aligned faces, and what of an earlier run can stay there.</summary>
internal sealed class AlignedOutputPaths
{
    private readonly FaceDataset _raw;
    private readonly string _output;
    private readonly string[] _names;

    /// <summary>Names the faces of a folder of photos.</summary>
    /// <exception cref="FaceDistillException">The output lies among the photos, where the next run would take it for photos.</exception>
    public AlignedOutputPaths(FaceDataset raw, string output)
    {
        if (raw.Roots.Any(root => RealPath.Within(output, root)))
        {
            throw new FaceDistillException($"{output} lies within {raw.Root}; choose an --output outside the photos' folder");
        }

        (_raw, _output) = (raw, output);
        // Two photos that differ only in their ending must not overwrite each other.
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        _names = [.. raw.Images.Select(image =>
        {
            string name = Path.ChangeExtension(image.Path, ".jpg");
            for (string longer = image.Path + ".jpg"; !seen.Add(name); longer += ".jpg")
            {
                name = longer;
            }

            return name;
        })];
    }

    /// <summary>The full path of a photo's face.</summary>
    public string this[int photo] => Path.Combine(_output, _names[photo]);

    /// <summary>Whether a photo's face is there already; a face older than its photo is deleted, since the photo has changed.</summary>
    /// <exception cref="FaceDistillException">The old face cannot be deleted.</exception>
    public bool IsDone(int photo)
    {
        var face = new FileInfo(this[photo]);
        if (!face.Exists)
        {
            return false;
        }

        if (face.LastWriteTimeUtc >= File.GetLastWriteTimeUtc(_raw.FullPath(_raw.Images[photo])))
        {
            return true;
        }

        try
        {
            face.Delete();
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot delete {face.FullName}, whose photo has changed: {e.Message}", e);
        }
    }

    /// <summary>Checks that an earlier run left no face of a photo that is gone.</summary>
    /// <exception cref="FaceDistillException">There is one; the message names it.</exception>
    public void RefuseOthers()
    {
        var known = _names.ToHashSet(StringComparer.Ordinal);
        var other = FaceDataset.List(_output).Images.FirstOrDefault(face => !known.Contains(face.Path));
        if (other.Path is not null)
        {
            throw new FaceDistillException(
                $"{_output} holds {other.Path}, a face of no photo in {_raw.Root}; delete it, or choose another --output");
        }
    }
}
