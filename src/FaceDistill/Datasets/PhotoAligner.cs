using System.Collections.Concurrent;
using FaceDistill.Faces;
using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Datasets;

/// <summary>Finds and aligns the face of each photo, on all cores; what a photo's content gave before is taken from where it is kept.</summary>
/// <param name="detector">Path of YuNet's ONNX file.</param>
/// <param name="template">The template to align to.</param>
/// <param name="frame">The aligned picture's geometry.</param>
internal sealed class PhotoAligner(string detector, AlignmentTemplate template, AlignedFrame frame)
{
    /// <summary>How a photo's content is read; a disk's or a network's moment of weakness is waited for. A test may fail instead.</summary>
    public Func<FilePlace, ContentHash> Content { get; init; } = ContentHash.OfFile;

    /// <summary>The clock by which files that were changed just now are told; null for the system's.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>Whether every face of a photo is wanted, not only the one that it is of.</summary>
    public bool AllFaces { get; init; }

    /// <summary>How the faces are aligned.</summary>
    /// <param name="source">The photos' folder.</param>
    /// <param name="complete">Whether all are.</param>
    public AlignmentManifest Manifest(string source, bool complete) =>
        new(1, template.Name, frame.Size, frame.Pad, $"yunet-{FileHash.Sha256(detector)[..16]}", source, complete) { AllFaces = AllFaces };

    /// <summary>Looks for each photo's face where faces are kept.</summary>
    /// <returns>For each photo its content, and what became of it where that is known.</returns>
    /// <exception cref="FaceDistillException">Photos could not be read three times over.</exception>
    public PhotoFace[] Find(FaceDataset photos, IPhotoFaces kept, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(photos);
        var found = new PhotoFace[photos.Images.Count];
        var known = KnownContents.Open(photos.Root, Clock);
        var all = Enumerable.Range(0, found.Length).ToArray();
        ForEach(photos, all, "checking photos", AlignedFaces.FewestTold, (i, path) =>
        {
            ContentHash Of(FilePlace place) => known.Of(place, p => FileBytes.Patiently(() => Content(p)));
            var content = Of(path);
            found[i] = kept.Find(i, content, Of) ?? new PhotoFace(content, default, null);
        }, (i, reason) => found[i] = Lost(reason), job);
        known.Keep(job);
        return found;
    }

    /// <summary>Aligns what <see cref="Find"/> did not find.</summary>
    /// <param name="photos">The photos.</param>
    /// <param name="found">What became of each; is filled.</param>
    /// <param name="kept">Where faces are kept.</param>
    /// <param name="job">Told of every photo.</param>
    /// <exception cref="FaceDistillException">Photos could not be read three times over, or a face cannot be kept.</exception>
    public PhotoFace[] Align(FaceDataset photos, PhotoFace[] found, IPhotoFaces kept, JobContext job)
    {
        int[] missing = [.. Enumerable.Range(0, found.Length).Where(i => found[i].IsToAlign)];
        using var oneEach = OneOpenCvThread.Hold();
        using var workers = new ThreadLocal<Worker>(() => new Worker(detector, template, frame, AllFaces), trackAllValues: true);
        try
        {
            ForEach(photos, missing, "aligning", 0, (i, path) =>
            {
                var (faces, reason) = workers.Value!.Align(path);
                if (FileBytes.Patiently(() => Content(path)) != found[i].Photo)
                {
                    throw new IOException("it was changed while it was read");
                }

                found[i] = kept.Put(i, found[i].Photo, faces, reason);
                if (faces is not null && reason.Length > 0)
                {
                    job.Say?.Invoke($"warning: {path} is damaged, though a face is found in it: {reason}");
                }
            }, (i, reason) => found[i] = Lost(reason), job);
        }
        finally
        {
            foreach (var worker in workers.Values)
            {
                worker.Dispose();
            }
        }

        return found;
    }

    private static PhotoFace Lost(string reason) => new(default, default, reason);

    // What is gone or closed to us is left out and named; what fails to be read would be a face lost, so it ends the work when the others are done.
    private static void ForEach(
        FaceDataset photos, int[] indices, string what, int fewestTold, Action<int, FilePlace> body, Action<int, string> lost, JobContext job)
    {
        int done = 0;
        var failed = new ConcurrentBag<(int Index, string Message)>();
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = job.Cancel };
        try
        {
            Parallel.For(0, indices.Length, options, at =>
            {
                int i = indices[at];
                try
                {
                    body(i, photos.Place(photos.Images[i]));
                }
                catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
                {
                    lost(i, "there is no such file (any more)");
                }
                catch (UnauthorizedAccessException)
                {
                    lost(i, "no permission to read it");
                }
                catch (IOException e)
                {
                    failed.Add((i, e.Message));
                }

                if (indices.Length >= fewestTold)
                {
                    job.Progress?.Report(new WorkProgress(what, Interlocked.Increment(ref done), indices.Length, "images"));
                }
            });
        }
        catch (AggregateException e) when (e.InnerException is FaceDistillException first)
        {
            throw new FaceDistillException(first.Message, e);
        }

        if (!failed.IsEmpty)
        {
            var (index, message) = failed.MinBy(f => f.Index);
            throw new FaceDistillException($"{photos.Place(photos.Images[index])} could not be read three times over ({message})"
                + (failed.Count > 1 ? $", nor could {failed.Count - 1} others" : "")
                    + "; the faces of the rest are kept: see to the disk and run the same again");
        }
    }

    private sealed class Worker(string model, AlignmentTemplate template, AlignedFrame frame, bool all) : IDisposable
    {
        private readonly FaceDetector _detector = new(model);

        // The face with what the decoder complained of, or null with the reason.
        public (PhotoJpegs? Faces, string Reason) Align(FilePlace photo) =>
            PictureFile.Use(photo, (picture, reason) => picture is not null ? Align(picture, reason)
            : reason.StartsWith(PictureFile.NotRead, StringComparison.Ordinal) ? throw new IOException(reason) : (null, reason));

        private (PhotoJpegs? Faces, string Reason) Align(Mat picture, string complaint)
        {
            var aligner = new FaceAligner(_detector, template, frame);
            int shown = 0;
            IReadOnlyList<Mat> faces = all ? aligner.AlignAll(picture) : aligner.Align(picture, out shown) is { } face ? [face] : [];
            byte[][] jpegs = [.. faces.Select(Jpeg)];
            return jpegs.Length == 0 ? (null, "no face found") : (new PhotoJpegs(jpegs[0], Math.Max(shown, jpegs.Length), jpegs[1..]), complaint);
        }

        private static byte[] Jpeg(Mat face)
        {
            using (face)
            {
                Cv2.ImEncode(".jpg", face, out byte[] jpeg, PictureFile.JpegQuality95);
                return jpeg;
            }
        }

        public void Dispose() => _detector.Dispose();
    }
}
