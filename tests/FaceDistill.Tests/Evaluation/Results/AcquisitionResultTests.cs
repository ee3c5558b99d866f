using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;

namespace FaceDistill.Tests.Evaluation.Results;

/// <summary>Photos without a face (dlib #444, facenet #183): 6 of 18 of six people, as in the public reports.</summary>
public sealed class AcquisitionResultTests
{
    [Fact]
    public void Photos_without_a_face_are_counted_and_their_pairs_rejected_and_photos_of_several_people_counted()
    {
        string[] paths = [.. Enumerable.Range(0, 12).Select(i => $"p{i / 2}/{i % 2}.jpg")];
        var set = Sets.Random("model", 1, 8, paths);
        set = new(set.Name, set.Dimension, set.Values, set.Paths, set.Identities)
        {
            Skipped = [("notes.txt", AlignmentManifest.NotAPicture), .. Enumerable.Range(0, 6).Select(p => ($"p{p}/2.png", "no face found"))],
            SeveralFaces = new HashSet<string>(StringComparer.Ordinal) { "p0/0.jpg", "p5/1.jpg" },
        };
        var measured = Evaluator.Run(Evaluator.AllPairs, set, null, new EvaluationOptions { Fars = [0.1], Resamples = 0 });
        var lost = AcquisitionResult.Of(set, FaceDataset.IdentityOf, measured, rates: true)!;
        Assert.Equal((18, 6, 18L), (lost.Photos, lost.NotAcquired, lost.GenuinePairs));
        Assert.Equal(measured.TarAtFar!["1e-1"]!.Value * 6 / 18, lost.TarAtFar["1e-1"]!.Value, 12);
        Assert.Contains("no face was found in 6 of the 18 photos",
            Assert.Single(AcquisitionResult.Words([measured with { Acquisition = lost }])), StringComparison.Ordinal);
        var ofList = AcquisitionResult.Of(set, FaceDataset.IdentityOf, measured, rates: false)!;
        Assert.Empty(ofList.TarAtFar);
        Assert.Null(ofList.GenuinePairs); // the protocol has pairs of its own
        Assert.Equal(2, AcquisitionResult.Several(set));
        Assert.Equal(1, AcquisitionResult.Several(set.Of([0, 1, 2])));
        Assert.Null(AcquisitionResult.Several(Sets.Random("model", 1, 8, paths)));
    }
}
