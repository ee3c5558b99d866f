using FaceDistill.Datasets;
using FaceDistill.Training.Batches;

namespace FaceDistill.Tests.Training.Batches;

public sealed class FacePeopleTests
{
    [Fact]
    public void Folders_are_people_and_faces_without_an_identity_are_nobodys()
    {
        FaceImage[] images =
            [new("set1/Zoe/1.png", "Zoe"), new("set2/2.png", ""), new("set1/Ann/3.png", "Ann"), new("set1/Zoe/4.png", "Zoe"), new("set2/Zoe/5.png", "Zoe")];
        var (people, count) = FacePeople.Of(images);
        Assert.Equal([0, -1, 1, 0, 2], people);
        Assert.Equal(3, count);
    }

    [Fact]
    public void Folders_that_were_moved_are_the_same_people()
    {
        FaceImage[] images = [new("b/Zoe/1.png", "Zoe"), new("b/Ann/2.png", "Ann"), new("a/Bob/3.png", "Bob")];
        foreach (string moved in new[] { "_/", "x/" })
        {
            FaceImage[] there = [.. images.Select(i => i with { Path = i.Path.Replace("b/", moved, StringComparison.Ordinal) })];
            Assert.Equal(FacePeople.Of(images).People, FacePeople.Of(there).People);
        }
    }
}
