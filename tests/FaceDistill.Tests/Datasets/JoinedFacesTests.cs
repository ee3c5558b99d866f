using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Synthetic;

namespace FaceDistill.Tests.Datasets;

public sealed class JoinedFacesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Two_sets_are_one_list_with_their_identities()
    {
        var (a, b) = (Write("a/x", 3, seed: 1), Write("b", 2, seed: 2));
        var both = AlignedFaces.Join([a, b]);
        Assert.Equal(a.Dataset.Images.Count + b.Dataset.Images.Count, both.Dataset.Images.Count);
        Assert.Equal(a.Dataset.Images.Concat(b.Dataset.Images).Select(i => i.Identity), both.Dataset.Images.Select(i => i.Identity));
        Assert.All(both.Dataset.Images, i => Assert.True(File.Exists(both.Dataset.FullPath(i)), i.Path));
        Assert.Same(a, AlignedFaces.Join([a]));
    }

    [Theory]
    [InlineData("0000017")]
    [InlineData("2020/5")]
    public void A_number_is_a_person_of_its_own_folder_alone(string number)
    {
        string[] folders = [_folder["train"], _folder["test"]];
        Array.ForEach(folders, folder => Pictures.Noise(Path.Combine(folder, number, "1.png"), 40, 40));
        var both = AlignedFaces.Join([.. folders.Select(folder => AlignedFaces.OpenAsserted(folder, "dlib"))]);
        Assert.Equal([$"train/{number}", $"test/{number}"], both.Dataset.Images.Select(i => i.Identity));
    }

    [Fact]
    public void A_name_with_a_backslash_stays_a_name()
    {
        string[] folders = [_folder["a"], _folder["b"]];
        string name = OperatingSystem.IsWindows() ? "plain" : @"back\slash";
        Array.ForEach(folders, folder => Pictures.Noise(Path.Combine(folder, name, "1.png"), 40, 40));
        var both = AlignedFaces.Join([.. folders.Select(folder => AlignedFaces.OpenAsserted(folder, "dlib"))]);
        Assert.Equal([$"a/{name}/1.png", $"b/{name}/1.png"], both.Dataset.Images.Select(i => i.Path));
        Assert.Equal([name, name], both.Dataset.Images.Select(i => i.Identity));
        Assert.All(both.Dataset.Images, i => Assert.True(File.Exists(both.Dataset.FullPath(i)), i.Path));
    }

    [Fact]
    public void Sets_that_do_not_fit_are_refused()
    {
        var a = Write("a", 2, seed: 1);
        var other = SyntheticDataset.Write(_folder["b"], new DrawnPeople(2, 2, 2), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0.25));
        Assert.Contains("aligned differently", Assert.Throws<FaceDistillException>(() => AlignedFaces.Join([a, other])).Message, StringComparison.Ordinal);
        Assert.Contains("comes twice", Assert.Throws<FaceDistillException>(() => AlignedFaces.Join([a, a])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_folder_under_two_names_is_refused()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // links need a right there
        }

        Write("real/a", 2, seed: 1);
        Directory.CreateSymbolicLink(_folder["one"], _folder["real"]);
        Directory.CreateSymbolicLink(_folder["two"], _folder["real/a"]);
        Assert.Contains("comes twice", Assert.Throws<FaceDistillException>(
            () => AlignedFaces.Join([AlignedFaces.Open(_folder["one/a"]), AlignedFaces.Open(_folder["two"])])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_face_under_two_people_of_two_sets_is_warned_of_once()
    {
        Write("a", 2, seed: 1);
        Write("b", 2, seed: 2);
        string[] faces = [.. new[] { "a", "b" }.Select(set => Directory.GetFiles(_folder[set], "*.png", SearchOption.AllDirectories)[0])];
        Directory.CreateDirectory(_folder["b/somebody"]);
        File.Copy(faces[0], _folder["b/somebody/1.png"]);
        var said = new List<string>();
        new FaceSource(AssetFinder.FromEnvironment()).Open([DataFolder.Of(_folder["a"]), DataFolder.Of(_folder["b"])], "dlib", null, new JobContext(said.Add));
        Assert.Contains("byte for byte under several people", Assert.Single(said, line => line.StartsWith("warning", StringComparison.Ordinal)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Listed_people_are_taken_out_of_a_set()
    {
        var faces = Write("a", 3, seed: 1);
        string name = faces.Dataset.Images[^1].Identity;
        File.WriteAllText(_folder["people.txt"], $"2\n{name}\t2\nNobody_Else\t1\n");
        var part = faces.Of(LfwPeople.Read(_folder["people.txt"]));
        Assert.Equal(2, part.Dataset.Images.Count);
        Assert.All(part.Dataset.Images, i => Assert.Equal(name, i.Identity));
        File.WriteAllText(_folder["none.txt"], "1\nNobody_Else\t1\n");
        Assert.Contains("none.txt", Assert.Throws<FaceDistillException>(() => faces.Of(LfwPeople.Read(_folder["none.txt"]))).Message, StringComparison.Ordinal);
    }

    [LfwFact]
    public void No_person_of_lfw_train_is_in_the_test_list()
    {
        var finder = new AssetFinder([], [Path.GetFullPath("../..", LfwFactAttribute.Folder!)], _folder["cache"]);
        var data = DataFolder.Resolve("lfw-train", finder);
        var train = LfwPeople.Read(data.People!).People.Select(p => p.Name).ToHashSet();
        var test = LfwPeople.Read(Path.Combine(LfwFactAttribute.Folder!, "peopleDevTest.txt")).People.Select(p => p.Name);
        Assert.Equal(4038, train.Count);
        Assert.Empty(test.Intersect(train));
    }

    private AlignedFaces Write(string name, int people, ulong seed) =>
        SyntheticDataset.Write(_folder[name], new DrawnPeople(people, 2, seed), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0.1));
}
