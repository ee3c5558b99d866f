using System.Collections.Concurrent;
using System.Text;
using FaceDistill.Assets;
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
        var all = Enumerable.Range(0, found.Length).ToArray();
        ForEach(photos, all, "checking photos", AlignedFaces.FewestTold, (i, path) =>
        {
            var content = FileBytes.Patiently(() => Content(path));
            found[i] = kept.Find(i, content) ?? new PhotoFace(content, default, null, null);
        }, (i, reason) => found[i] = Lost(reason), job);
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

    private static PhotoFace Lost(string reason) => new(default, default, null, reason);

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

/// <summary>
/// The cache's aligned faces: one folder for each way of aligning, which only grows. A face's file is called by its photo's content and its own
/// with the number of faces that the photo shows (PHOTO-FACE-N.jpg), so that a copied or renamed photo is aligned once, a photo that was replaced is noticed
/// whatever its date says, and so is a face that
/// was altered or deleted; PHOTO-none.txt says why a photo gave no face.
/// </summary>
internal sealed class AlignedCache : IPhotoFaces
{
    private const string None = "none", Ending = ".jpg", NoneEnding = ".txt";
    private const int Digits = 32;
    private readonly string _folder;
    private readonly Dictionary<ContentHash, string> _files = [];
    private readonly ConcurrentDictionary<ContentHash, string> _junk = new();

    private AlignedCache(string folder) => _folder = folder;

    /// <summary>The folder in which faces are put.</summary>
    public string Folder => _folder;

    /// <summary>Opens the faces that are aligned in one way.</summary>
    /// <param name="manifest">How.</param>
    public static AlignedCache Open(AlignmentManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        string name = InvariantText.Of($"{manifest.Template}{manifest.Size}-{manifest.Hash()[..12]}");
        var cache = new AlignedCache(Path.Combine(CacheFolder.Root, "aligned", name));
        foreach (string root in CacheFolder.Roots)
        {
            cache.Index(Path.Combine(root, "aligned", name));
        }

        return cache;
    }

    /// <inheritdoc/>
    public PhotoFace? Find(int index, ContentHash photo)
    {
        if (!_files.TryGetValue(photo, out string? file))
        {
            return null;
        }

        try
        {
            byte[] content = FileBytes.Read(file);
            string name = Path.GetFileNameWithoutExtension(file)[(Digits + 1)..];
            if (name == None && Encoding.UTF8.GetString(content).Split('\n') is [var reason, var seal] && seal == Seal(photo, reason))
            {
                return new PhotoFace(photo, default, null, reason);
            }

            if (name.Split('-') is [var digits, var shown] && ContentHash.TryParse(digits, out var face) && ContentHash.Of(content) == face
                && InvariantNumber.Count(shown, out int faces))
            {
                return new PhotoFace(photo, face, file, null) { Shown = faces };
            }

            _junk[photo] = file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Deleted since it was listed, or not ours to read: the photo is aligned again.
        }

        return null;
    }

    /// <inheritdoc/>
    public PhotoFace Put(int index, ContentHash photo, PhotoJpegs? faces, string reason)
    {
        string digits = photo.ToString();
        byte[]? jpeg = faces?.Face;
        var face = jpeg is null ? default : ContentHash.Of(jpeg);
        string file = Path.Combine(_folder, digits[..2], jpeg is null ? $"{digits}-{None}{NoneEnding}" : $"{digits}-{face}-{faces!.Shown}{Ending}");
        if (_junk.TryRemove(photo, out string? junk) && junk != file)
        {
            DeleteJunk(junk); // it would be found again
        }

        AtomicFile.WriteReplaceable(file, jpeg ?? Encoding.UTF8.GetBytes($"{reason}\n{Seal(photo, reason)}"));
        return new PhotoFace(photo, face, jpeg is null ? null : file, jpeg is null ? reason : null) { Shown = faces?.Shown ?? 0 };
    }

    private static void DeleteJunk(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not ours to delete: the photo is aligned once more each time.
        }
    }

    private static string Seal(ContentHash photo, string reason) => ContentHash.Of(Encoding.UTF8.GetBytes($"{photo} {reason}")).ToString();

    private void Index(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        // One folder deep: a link in a cache leads nowhere else.
        var faces = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = 1,
            AttributesToSkip = FileAttributes.None,
            IgnoreInaccessible = false,
        };
        // The last of a photo counts: a face before a word that there is none.
        foreach (string file in Directory.EnumerateFiles(folder, "*-*", faces).OrderBy(f => f.EndsWith(Ending, StringComparison.Ordinal))
            .ThenBy(f => f, StringComparer.Ordinal))
        {
            string name = Path.GetFileName(file);
            if (name.Length > Digits + 1 && Path.GetExtension(name) is Ending or NoneEnding && ContentHash.TryParse(name.AsSpan(0, Digits), out var photo))
            {
                _files[photo] = file;
            }
        }
    }
}
