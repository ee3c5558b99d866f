using System.Runtime.InteropServices;
using FaceDistill.Faces;
using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Datasets;

/// <summary>Aligns IJB's faces by the five points that its files give, without a detector, into the cache.</summary>
/// <remarks>An aligned face is known by its picture's content together with the points: either changed, and it is made anew.</remarks>
internal static class IjbAligner
{
    private const string Aligner = "five-points";

    /// <summary>The aligned faces, in the files' order; identities are not known here.</summary>
    /// <param name="files">The faces.</param>
    /// <param name="template">The template's name.</param>
    /// <param name="job">Told of every face.</param>
    /// <exception cref="FaceDistillException">A picture is missing or damaged; the message names it and the line that asks for it.</exception>
    public static AlignedFaces Open(IjbFiles files, string template, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(files);
        var frame = AlignedFrame.Default;
        var manifest = new AlignmentManifest(1, template, frame.Size, frame.Pad, Aligner, files.Folder, Complete: true);
        var cache = AlignedCache.Open(manifest);
        using var held = FolderLock.Wait(cache.Folder, job, out bool waited);
        cache = waited ? AlignedCache.Open(manifest) : cache;
        var target = AlignmentTemplate.Named(template).PointsIn(frame);
        var images = new FaceImage[files.Faces.Count];
        int done = 0;
        using var oneEach = OneOpenCvThread.Hold();
        var options = new ParallelOptions { CancellationToken = job.Cancel, MaxDegreeOfParallelism = Environment.ProcessorCount };
        try
        {
            Parallel.For(0, images.Length, options, i =>
            {
                images[i] = One(files, i, cache, face => FaceAligner.Warp(face, files.Faces[i].Points, target, frame.Side));
                int now = Interlocked.Increment(ref done);
                if (images.Length >= AlignedFaces.FewestTold && (now % 256 == 0 || now == images.Length))
                {
                    job.Progress?.Report(new WorkProgress("aligning by five points", now, images.Length, "images"));
                }
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<FaceDistillException>().FirstOrDefault() is { } first)
        {
            throw new FaceDistillException(first.Message, e);
        }

        return new AlignedFaces(new FaceDataset(files.Folder, images, []), manifest);
    }

    private static FaceImage One(IjbFiles files, int index, AlignedCache cache, Func<Mat, Mat> warp)
    {
        var face = files.Faces[index];
        string name = $"{IjbFiles.Pictures}/{face.Name}", path = Path.Combine(files.Folder, IjbFiles.Pictures, face.Name);
        FaceDistillException Wrong(string reason) =>
            new($"{path}: {reason}; {files.Set}_name_5pts_score.txt names it as face {index + 1}, and every template needs all its faces");
        ContentHash photo;
        try
        {
            photo = FileBytes.Patiently(() => ContentHash.OfFile(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Wrong(e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message);
        }

        Span<byte> content = stackalloc byte[16 + (face.Points.Length * 8)];
        photo.WriteTo(content);
        MemoryMarshal.AsBytes<Point2f>(face.Points).CopyTo(content[16..]);
        var key = ContentHash.Of(content);
        var kept = cache.Find(index, key, ContentHash.OfFile) ?? cache.Put(index, key, PictureFile.Use(path, (picture, reason) =>
        {
            using var aligned = picture is null ? throw Wrong(reason) : warp(picture);
            Cv2.ImEncode(".jpg", aligned, out byte[] jpeg, PictureFile.JpegQuality95);
            return new PhotoJpegs(jpeg, 0, []);
        }), "");
        return new FaceImage(name, "") { Hash = kept.Face, Photo = photo, Place = cache.FileOf(kept with { Photo = key }) };
    }
}
