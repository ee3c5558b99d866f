using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Stores;

public sealed class EmbeddingSetTests
{
    [Fact]
    public void Crops_of_the_same_photos_are_the_same_photos_and_other_faces()
    {
        var (a, b, other) = (Set(photo: 1, face: 10), Set(photo: 1, face: 20), Set(photo: 2, face: 30));
        Assert.NotEqual(a.FacesId, b.FacesId);
        Assert.Equal(a.PhotosId, b.PhotosId);
        Assert.NotEqual(a.PhotosId, other.PhotosId);
        Assert.Equal(Set(photo: 0, face: 10).FacesId, Set(photo: 0, face: 10).PhotosId); // of a folder that somebody else aligned
    }

    private static EmbeddingSet Set(ulong photo, ulong face) => new("model", 2, [1f, 0f], ["a/1.jpg"], ["a"])
    {
        Faces = [new ContentHash(face)],
        Photos = [new ContentHash(photo)],
    };
}
