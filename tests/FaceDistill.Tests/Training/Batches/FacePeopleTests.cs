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
        Assert.Equal([1, -1, 0, 1, 2], people);
        Assert.Equal(3, count);
    }
}
