using FaceDistill.Datasets;
using FaceDistill.Formats;
using FaceDistill.Training.Batches;

namespace FaceDistill.Tests.Training.Batches;

public sealed class HeldOutPeopleTests
{
    [Fact]
    public void Sub_folders_that_are_no_people_are_nobody()
    {
        FaceImage[] none =
        [
            .. Folder("split", 4, 900), .. Folder("kinds", 2, 1100), .. Folder("shards", 20, 1000), .. Folder("by-age", 100, 200),
                .. Folder("few", HeldOutPeople.FewestFolders - 1, 5),
            .. Enumerable.Range(0, 1000).Select(i => new FaceImage($"flat/{i}.jpg", "")),
        ];
        Assert.Contains("only 0 have 2 to 50 pictures", Assert.Throws<FaceDistillException>(() => HeldOutPeople.Of(none, 1)).Message, StringComparison.Ordinal);
        Assert.Empty(HeldOutPeople.Usual(none).Faces);
        Assert.Empty(HeldOutPeople.Of(none, 0).Faces);
        FaceImage[] people = [.. Folder("lfw/images", HeldOutPeople.FewestFolders, 3), .. none];
        var all = HeldOutPeople.Of(people, HeldOutPeople.FewestFolders);
        Assert.All(all.Names, name => Assert.StartsWith("images-", name, StringComparison.Ordinal));
        Assert.Equal(Enumerable.Range(0, 3 * HeldOutPeople.FewestFolders), all.Faces);
        Assert.Contains($"only {HeldOutPeople.FewestFolders} have",
            Assert.Throws<FaceDistillException>(() => HeldOutPeople.Of(people, HeldOutPeople.FewestFolders + 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void People_with_one_picture_or_very_many_stay_in_the_training()
    {
        FaceImage[] images = [.. Folder("a", 20, 1), .. Person("a", "Two", 2), .. Person("a", "Fifty", 50), .. Person("a", "FiftyOne", 51)];
        Assert.Equal(["Fifty", "Two"], HeldOutPeople.Of(images, 2).Names.Order());
        Assert.Throws<FaceDistillException>(() => HeldOutPeople.Of(images, 3));
    }

    [Fact]
    public void One_name_in_several_data_folders_is_one_person_wherever_the_pictures_lie()
    {
        FaceImage[] images =
            [.. Folder("a", 20, 1), .. Person("a", "Ann", 1), .. Folder("b/images", 20, 1), .. Person("b/images", "training/Ann", 1),
            .. Person("flat", "Ann", 3)];
        var held = HeldOutPeople.Of(images, 1);
        Assert.Equal(["Ann"], held.Names);
        Assert.Equal(images.Select((image, i) => (image, i)).Where(p => p.image.Path.Contains("/Ann/", StringComparison.Ordinal)).Select(p => p.i), held.Faces);
        Assert.Equal(5, held.Faces.Length);
        Assert.All(held.Identities, name => Assert.Equal("Ann", name));
    }

    [Fact]
    public void A_number_is_a_person_of_its_own_file_alone()
    {
        FaceImage[] Set(string root) => [.. Enumerable.Range(0, 60).Select(i => new FaceImage($"{root}/{i / 3:0000000}/{i}.jpg", $"{root}/{i / 3:0000000}"))];
        FaceImage[] images = [.. Set("a/train.rec"), .. Set("b/train.rec")]; // as two such sets are joined
        var held = HeldOutPeople.Of(images, 40);
        Assert.Equal(40, held.Names.Distinct().Count());
        Assert.All(held.Identities.CountBy(name => name), person => Assert.Equal(3, person.Value));
        Assert.Throws<FaceDistillException>(() => HeldOutPeople.Of(images, 41));

        // Where the sets lie does not choose.
        FaceImage[] moved = [.. images.Select(i => i with { Path = "data/" + i.Path, Identity = "data/" + i.Identity })];
        Assert.Equal(HeldOutPeople.Of(images, 11).Measured, HeldOutPeople.Of(moved, 11).Measured);
    }

    [Fact]
    public void Further_data_take_nobody_out_of_the_usual_choice_and_add_nobody_of_before()
    {
        FaceImage[] before = [.. Folder("a", 800, 3)], further = [.. before, .. Folder("b", 900, 2), .. Folder("shards", 30, 2000)];
        string[] chosen = HeldOutPeople.Usual(before).Names, then = HeldOutPeople.Usual(further).Names;
        Assert.InRange(chosen.Length, 50, 110); // a tenth of 800, give or take three standard deviations
        Assert.Equal(chosen, then.Where(name => name.StartsWith("a-", StringComparison.Ordinal)));
        Assert.Contains(then, name => name.StartsWith("b-", StringComparison.Ordinal));
        Assert.Equal(then, HeldOutPeople.Usual([.. further.Reverse()]).Names);
        Assert.Equal(chosen, HeldOutPeople.Of(before, chosen.Length).Names); // what a run's options keep
    }

    [Fact]
    public void The_usual_choice_is_nobody_of_few_and_three_hundred_of_many()
    {
        Assert.Empty(HeldOutPeople.Usual([.. Folder("a", HeldOutPeople.FewestPeople - 1, 4)]).Names);
        Assert.NotEmpty(HeldOutPeople.Usual([.. Folder("a", HeldOutPeople.FewestPeople, 4)]).Names);
        Assert.Equal(HeldOutPeople.UsualMost, HeldOutPeople.Usual([.. Folder("a", 5000, 2)]).Names.Length);
    }

    [Fact]
    public void Of_each_person_some_pictures_at_most_are_measured_the_same_in_any_company()
    {
        FaceImage[] images = [.. Folder("a", 20, 1), .. Person("a", "Many", 40), .. Person("a", "Three", 3)];
        var held = HeldOutPeople.Of(images, 2);
        Assert.Equal(43, held.Faces.Length);
        Assert.Equal(HeldOutPeople.MostMeasured, held.Identities.Count(name => name == "Many"));
        Assert.Equal(3, held.Identities.Count(name => name == "Three"));
        FaceImage[] joined = [.. Folder("c", 30, 1), .. images.Select(i => i with { Path = "further/" + i.Path })];
        Assert.Equal(held.Measured.Select(i => images[i].Path), HeldOutPeople.Of(joined, 2).Measured.Select(i => joined[i].Path["further/".Length..]));
    }

    private static IEnumerable<FaceImage> Folder(string root, int people, int pictures) =>
        Enumerable.Range(0, people).SelectMany(p => Person(root, $"{root.Split('/')[^1]}-{p}", pictures));

    private static IEnumerable<FaceImage> Person(string root, string name, int pictures) =>
        Enumerable.Range(0, pictures).Select(i => new FaceImage($"{root}/{name}/{i}.jpg", name));
}
