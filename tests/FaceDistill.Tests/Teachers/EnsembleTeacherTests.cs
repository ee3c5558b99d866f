using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Jobs;
using FaceDistill.Stores;
using FaceDistill.Synthetic;
using FaceDistill.Teachers;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Tests.Teachers;

/// <summary>Several teachers as one: of one template, and of two, whose crops come from one wide face.</summary>
public sealed class EnsembleTeacherTests : IDisposable
{
    private const int D = TinyTeacher.Dimension;
    private readonly TempFolder _folder = new();
    private readonly AssetFinder _finder;

    public EnsembleTeacherTests() => _finder = new AssetFinder([], [], _folder["cache"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Of_one_template_the_unit_embeddings_stand_side_by_side_and_the_whole_has_length_one()
    {
        string one = TinyTeacher.Write(_folder["one"]), two = Other("two", "\"std\": [255, 255, 255]", "\"std\": [255, 255, 25]");
        using var ensemble = TeacherCard.Open(Card(one, two), _finder);
        using var first = TeacherCard.Open(one, _finder);
        using var second = TeacherCard.Open(two, _finder);
        Assert.Equal(("both", "dlib", 2 * D), (ensemble.Name, ensemble.Contract.Template, ensemble.Dimension));
        var faces = SyntheticDataset.Write(_folder["faces"], new DrawnPeople(3, 2, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        float[] all = Embed(ensemble, faces), a = Embed(first, faces), b = Embed(second, faces);
        for (int face = 0; face < 6; face++)
        {
            float[] expected = [.. Unit(a[(face * D)..((face + 1) * D)]), .. Unit(b[(face * D)..((face + 1) * D)])];
            Assert.All(Enumerable.Range(0, 2 * D), i => Assert.Equal(expected[i] / MathF.Sqrt(2), all[(face * 2 * D) + i], 1e-5f));
        }

        Assert.NotEqual(first.Hash, ensemble.Hash);
        using var turned = TeacherCard.Open(Card(two, one), _finder);
        Assert.NotEqual(turned.Hash, ensemble.Hash);
    }

    [Fact]
    public void Of_two_templates_each_gets_nearly_what_it_would_see_of_faces_aligned_to_its_own()
    {
        string dlib = TinyTeacher.Write(_folder["one"]), arcface = Other("two", "\"template\": \"dlib\"", "\"template\": \"arcface\"");
        using var ensemble = TeacherCard.Open(Card(dlib, arcface), _finder);
        Assert.Equal("wide", ensemble.Contract.Template);
        float[] all = Embed(ensemble, Aligned(AlignmentTemplate.Wide));
        using var one = TeacherCard.Open(dlib, _finder);
        using var two = TeacherCard.Open(arcface, _finder); // the same network
        float[] ofDlib = Embed(one, Aligned(AlignmentTemplate.Dlib)), ofArcFace = Embed(two, Aligned(AlignmentTemplate.ArcFace));
        for (int face = 0; face < 4; face++)
        {
            foreach (var (at, own, other) in new[] { (0, ofDlib, ofArcFace), (D, ofArcFace, ofDlib) })
            {
                float[] seen = all[((face * 2 * D) + at)..((face * 2 * D) + at + D)];
                float right = CosineScore.Of(seen, own.AsSpan(face * D, D)), wrong = CosineScore.Of(seen, other.AsSpan(face * D, D));
                Assert.True(right > 0.99f && 1 - wrong > 2 * (1 - right), $"{right} to faces of its own template, {wrong} to those of the other");
            }
        }
    }

    [Fact]
    public void The_wide_square_holds_those_of_all_templates()
    {
        var frame = AlignedFrame.Of(100, 0);
        foreach (var template in AlignmentTemplate.All.Where(t => t != AlignmentTemplate.Wide))
        {
            var into = SimilarityTransform.Fit(template.PointsIn(frame), AlignmentTemplate.Wide.PointsIn(frame));
            Assert.All(new Point2f[] { new(0, 0), new(100, 0), new(0, 100), new(100, 100) }, corner =>
            {
                var p = into.Apply(corner);
                Assert.InRange(p.X, 0, 100);
                Assert.InRange(p.Y, 0, 100);
            });
        }
    }

    [Theory]
    [InlineData("[\"ONE\"]", "an ensemble names 2 to 8 teachers, not 1")]
    [InlineData("[\"ONE\", \"ONE\"]", "a teacher stands in the ensemble twice")]
    [InlineData("[\"ONE\", \"nobody\"]", "no card 'nobody' among teachers")]
    [InlineData("[\"ONE\", \"both.json\"]", "both.json is an ensemble itself; name its members")]
    [InlineData("[\"ONE\", \"dlib-resnet\"], \"model\": \"x\"", "unknown key 'model'; known: name, description, licence, source, ensemble")]
    public void A_card_that_does_not_hold_is_one_clear_line(string ensemble, string says)
    {
        string one = TinyTeacher.Write(_folder["one"]);
        string card = Card();
        File.WriteAllText(card, File.ReadAllText(card).Replace("[]", ensemble.Replace("ONE", one, StringComparison.Ordinal), StringComparison.Ordinal));
        string message = Assert.Throws<FaceDistillException>(() => TeacherCard.Open(card, _finder).Dispose()).Message;
        Assert.Contains(says, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Pull_and_verify_are_its_members_and_what_takes_one_file_says_so()
    {
        string card = Card(TinyTeacher.Write(_folder["one"]), Other("two", "\"std\": [255", "\"std\": [25"));
        var pull = new ModelPull(_finder);
        Assert.Equal([_folder["one/tiny.onnx"], _folder["two/tiny.onnx"]], pull.Verify(card));
        Assert.Equal(2, pull.Status(card).Count);
        Assert.Equal("several", ModelPull.About(card).Description);
        Assert.Contains("is an ensemble of teachers", Assert.Throws<FaceDistillException>(() => TeacherCard.Load(card)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_terms_are_its_own_and_those_of_its_members_each_once()
    {
        string card = Card(TinyTeacher.Write(_folder["one"]), Other("two", "\"licence\": \"MIT\"", "\"licence\": \"non-commercial research only\""));
        Assert.Equal("MIT; non-commercial research only", ModelPull.About(card).Licence);
        Assert.Equal("the test; made by the test", EnsembleCard.Load(card).Source);
    }

    private AlignedFaces Aligned(AlignmentTemplate template) =>
        SyntheticDataset.Write(_folder[template.Name], new DrawnPeople(2, 2, 5), template, AlignedFrame.Of(160, 0));

    private static float[] Embed(IEmbedder model, AlignedFaces faces) => new FaceEmbeddings(model, faces).Of(FaceView.Original, JobContext.None).Values;

    private static IEnumerable<float> Unit(float[] v) => v.Select(x => x / MathF.Sqrt(v.Sum(y => y * y)));

    private string Other(string folder, string what, string by)
    {
        string card = TinyTeacher.Write(_folder[folder]), text = File.ReadAllText(card);
        Assert.Contains(what, text, StringComparison.Ordinal);
        File.WriteAllText(card, text.Replace(what, by, StringComparison.Ordinal));
        return card;
    }

    // Members by their paths from the card's folder.
    private string Card(params string[] members)
    {
        string list = string.Join(", ", members.Select(m => $"\"{Path.GetRelativePath(_folder.Path, m).Replace('\\', '/')}\""));
        File.WriteAllText(_folder["both.json"], $$"""
            { "name": "both", "description": "several", "licence": "MIT", "source": "the test", "ensemble": [{{list}}] }
            """);
        return _folder["both.json"];
    }
}
