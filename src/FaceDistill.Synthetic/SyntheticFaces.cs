using System.Runtime.ExceptionServices;
using FaceDistill.Faces;
using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Synthetic;

/// <summary>
/// Draws faces of people who do not exist: an identity fixes shape, colours, hair and marks; an index fixes pose,
/// expression, light, blur, noise and background. The same arguments give the same pixels on one platform.
/// </summary>
/// <remarks>
/// The drawings only stand in for photographs where a quick start or a test needs faces without a download: what is
/// measured on them says nothing of real faces.
/// </remarks>
public static class SyntheticFaces
{
    /// <summary>The smallest side in pixels.</summary>
    public const int MinSide = 16;

    /// <summary>The largest side in pixels.</summary>
    public const int MaxSide = 1024;

    // Drawn this much larger and averaged down, so that edges are smooth.
    private const int Supersampling = 2;

    /// <summary>Renders one face, aligned by the least-squares similarity of its five points to the template.</summary>
    /// <param name="identity">Which person; from 0.</param>
    /// <param name="index">Which picture of the person; from 0.</param>
    /// <param name="fivePoints">
    /// The template in pixels of the result: left eye, right eye, nose tip, left and right mouth corner, left as seen in the image.
    /// </param>
    /// <param name="side">Width and height of the result in pixels, 16 to 1024.</param>
    /// <param name="seed">Another seed is another set of people.</param>
    /// <returns>A picture of side x side pixels, BGR, 8 bits; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">Not five finite points, the eyes not from left to right, or a number out of range.</exception>
    public static Mat Render(int identity, int index, ReadOnlySpan<Point2f> fivePoints, int side, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(identity);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        Check(fivePoints, side);
        OpenCvNative.EnsureLoaded();
        var person = new SyntheticIdentity(seed, identity);
        var view = new SyntheticView(seed, identity, index);
        Point2f[] template = [.. fivePoints];
        for (int i = 0; i < template.Length; i++)
        {
            template[i] *= Supersampling;
        }

        var projection = new SyntheticProjection(person, view, SyntheticFeaturePainter.Landmarks(person, view), template);
        using var drawing = new Mat(side * Supersampling, side * Supersampling, MatType.CV_8UC3);
        Paint(new SyntheticCanvas(drawing, projection), person, view);
        Blur(drawing, view.Blur * side * Supersampling / 112);
        var picture = new Mat();
        Cv2.Resize(drawing, picture, new Size(side, side), interpolation: InterpolationFlags.Area);
        new SyntheticLight(person, view, projection).Apply(picture, Supersampling);
        return picture;
    }

    /// <summary>
    /// Writes <c>folder/id_00012/0003.png</c> for every identity and index, on all cores; the files do not depend on how many.
    /// </summary>
    /// <param name="folder">Made if missing; files of the same names are replaced.</param>
    /// <param name="people">Who is drawn.</param>
    /// <param name="fivePoints">The template, as in <see cref="Render"/>.</param>
    /// <param name="side">Width and height in pixels.</param>
    /// <param name="workers">Pictures rendered at once; 0 for one a core.</param>
    /// <param name="job">Whom it tells, and who stops it.</param>
    /// <exception cref="ArgumentException">As for <see cref="Render"/>, or a count below its least.</exception>
    /// <exception cref="FaceDistillException">A file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static void Write(string folder, DrawnPeople people, Point2f[] fivePoints, int side, JobContext? job = null, int workers = 0)
    {
        job ??= JobContext.None;
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        ArgumentNullException.ThrowIfNull(people);
        people.Check();
        ArgumentOutOfRangeException.ThrowIfNegative(workers);
        Check(fivePoints, side);
        long total = people.Images;
        long done = 0;
        var counting = new Lock();
        var options = new ParallelOptions
        {
            CancellationToken = job.Cancel,
            MaxDegreeOfParallelism = workers == 0 ? Environment.ProcessorCount : workers,
        };
        void WriteOne(long number)
        {
            int identity = (int)(number / people.ImagesPerIdentity);
            int index = (int)(number % people.ImagesPerIdentity);
            using Mat picture = Render(identity, index, fivePoints, side, people.Seed);
            byte[] png = picture.ImEncode(".png");
            AtomicFile.WriteBeside(PathOf(folder, identity, index), temporary => File.WriteAllBytes(temporary, png));
            lock (counting)
            {
                job.Progress?.Report(new("drawing", ++done, total, "images"));
            }
        }

        OnOneThreadEach(() => Parallel.For(0, total, options, WriteOne));
    }

    /// <summary>Where <see cref="Write"/> puts a picture.</summary>
    public static string PathOf(string folder, int identity, int index) =>
        Path.Combine(folder, InvariantText.Of($"id_{identity:D5}"), InvariantText.Of($"{index:D4}.png"));

    private static void Paint(SyntheticCanvas canvas, SyntheticIdentity person, SyntheticView view)
    {
        var head = new SyntheticHeadPainter(canvas, person, view);
        var features = new SyntheticFeaturePainter(canvas, person, view);
        var hair = new SyntheticHairPainter(canvas, person);
        var beard = new SyntheticBeardPainter(canvas, person);
        SyntheticHeadPainter.Background(canvas.Picture, view.Seed);
        hair.Behind();
        head.NeckAndClothes();
        head.EarsAndFace();
        head.Folds();
        head.Marks();
        beard.Beard();
        features.Mouth();
        features.Nose();
        for (int side = -1; side <= 1; side += 2)
        {
            features.Eye(side);
            features.Brow(side);
        }

        hair.Front();
        beard.Glasses();
    }

    private static void Blur(Mat drawing, float deviation)
    {
        if (deviation > 0.3f)
        {
            Cv2.GaussianBlur(drawing, drawing, new Size(0, 0), deviation);
        }
    }

    private static void OnOneThreadEach(Action work)
    {
        using var oneEach = OneOpenCvThread.Hold();
        try
        {
            work();
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<FaceDistillException>().FirstOrDefault() is { } known)
        {
            ExceptionDispatchInfo.Throw(known);
        }
    }

    internal static void Check(ReadOnlySpan<Point2f> fivePoints, int side)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(side, MinSide);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(side, MaxSide);
        if (fivePoints.Length != 5)
        {
            throw new ArgumentException($"a template has five points, not {fivePoints.Length}", nameof(fivePoints));
        }

        foreach (Point2f point in fivePoints)
        {
            if (!float.IsFinite(point.X) || !float.IsFinite(point.Y))
            {
                throw new ArgumentException("a template's points are finite numbers", nameof(fivePoints));
            }
        }

        if (fivePoints[1].X <= fivePoints[0].X)
        {
            throw new ArgumentException("the left eye of a template stands left of the right eye", nameof(fivePoints));
        }
    }
}

/// <summary>Which people are drawn.</summary>
/// <param name="Identities">How many, at least 1.</param>
/// <param name="ImagesPerIdentity">How many pictures of each, at least 1.</param>
/// <param name="Seed">Another seed is another set of people.</param>
public sealed record DrawnPeople(int Identities, int ImagesPerIdentity, ulong Seed)
{
    internal long Images => (long)Identities * ImagesPerIdentity;

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Identities, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(ImagesPerIdentity, 1);
    }
}
