using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using FaceDistill.Datasets;

namespace FaceDistill.Training.Batches;

/// <summary>People none of whose pictures trains: by their faces the best epoch is chosen.</summary>
/// <remarks>
/// <para>
/// A person's name is that of the folder that the pictures lie in. The same name in two data folders is the same person, so that nobody is held out
/// of one and trained on in another; people who share a name but are two should have their folders renamed. A number is no name: below a folder or a file it
/// is a person of that alone (<see cref="FaceDataset.PersonOf"/>).
/// </para>
/// <para>
/// Not every sub-folder is a person: 'training', 'real' or a shard of thousands is none. The sub-folders of a data folder count as people where there
/// are at least <see cref="FewestFolders"/> of them and they hold <see cref="MostPictures"/> pictures on average or fewer. Held out are people with 2
/// to <see cref="MostPictures"/> pictures, over all data folders: those with more are worth more in training.
/// </para>
/// <para>
/// Who is held out is decided by a hash of the name alone, not by the run's seed: runs with other seeds or other data can be compared, further data leave
/// the choice among those who were there as it is, and a student that starts with another run's weights has not met
/// these people there, if that run held out as many of the same data; where it has met some, a warning says so.
/// </para>
/// </remarks>
internal sealed class HeldOutPeople
{
    /// <summary>
    /// The fewest sub-folders with pictures that make a data folder one of people: training, test and validation, real and generated, or ten decades of
    /// age are fewer.
    /// </summary>
    public const int FewestFolders = 12;

    /// <summary>
    /// The most pictures of a person who is held out, and of a folder of people on average: LFW has 2.3 on average, CelebA 20, CASIA-WebFace 47;
    /// pictures sorted by age or in shards have hundreds.
    /// </summary>
    public const int MostPictures = 50;

    /// <summary>The most pictures of a person that are measured: one person's pairs grow with their square, and would count for many others.</summary>
    public const int MostMeasured = 20;

    /// <summary>The fewest people who could be held out for some to be unless asked for.</summary>
    public const int FewestPeople = 100;

    /// <summary>The part of these who are held out unless told otherwise, and the most.</summary>
    public const double UsualPart = 0.1;

    /// <summary>The most people who are held out unless told otherwise: 45,000 pairs of people decide well enough.</summary>
    public const int UsualMost = 300;

    private HeldOutPeople(IReadOnlyList<FaceImage> images, string[] names)
    {
        var chosen = names.ToHashSet(StringComparer.Ordinal);
        Names = names;
        Faces = [.. Enumerable.Range(0, images.Count).Where(i => images[i].Identity.Length > 0 && chosen.Contains(NameOf(images[i])))];
        Measured = [.. Faces.GroupBy(i => NameOf(images[i]), StringComparer.Ordinal)
            .SelectMany(person => person.OrderBy(i => Hash($"{Last(person.Key)}/{Path.GetFileName(images[i].Path)}"))
                .ThenBy(i => i).Take(MostMeasured)).Order()];
        Identities = [.. Measured.Select(i => NameOf(images[i]))];
    }

    /// <summary>Who is held out.</summary>
    public string[] Names { get; }

    /// <summary>The places of all their faces in the list, ascending: none of them trains.</summary>
    public int[] Faces { get; }

    /// <summary>The places of those that are measured, at most <see cref="MostMeasured"/> a person, ascending.</summary>
    public int[] Measured { get; }

    /// <summary>Who each of <see cref="Measured"/> shows.</summary>
    public string[] Identities { get; }

    /// <summary>Chooses people.</summary>
    /// <param name="images">The faces of all data folders.</param>
    /// <param name="count">How many people, 0 or more.</param>
    /// <exception cref="FaceDistillException">There are fewer.</exception>
    public static HeldOutPeople Of(IReadOnlyList<FaceImage> images, int count)
    {
        string[] candidates = count == 0 ? [] : Candidates(images);
        return candidates.Length >= count ? new HeldOutPeople(images, candidates[..count]) : throw new FaceDistillException(
            $"{count} people are to be held out, but only {candidates.Length} have 2 to {MostPictures} pictures in folders of people (at least {FewestFolders} "
            + $"sub-folders that hold at most {MostPictures} on average); lower --validation-people");
    }

    /// <summary>
    /// The people who are held out unless told otherwise: those whose hash is in the lowest tenth of all hashes, so that further data take nobody out
    /// of the choice; at most <see cref="UsualMost"/>, and nobody where fewer than <see cref="FewestPeople"/> could be.
    /// </summary>
    /// <param name="images">The faces of all data folders.</param>
    public static HeldOutPeople Usual(IReadOnlyList<FaceImage> images)
    {
        string[] candidates = Candidates(images);
        return new HeldOutPeople(images, candidates.Length < FewestPeople ? []
            : [.. candidates.TakeWhile(name => Hash(Last(name)) <= UsualPart * ulong.MaxValue).Take(UsualMost)]);
    }

    /// <summary>Everybody who could be held out, in the order in which they would be.</summary>
    private static string[] Candidates(IReadOnlyList<FaceImage> images)
    {
        var folders = new Dictionary<string, Dictionary<string, int>>(StringComparer.Ordinal); // the pictures of each identity in each data folder
        foreach (var image in images.Where(i => i.Identity.Length > 0))
        {
            string folder = DataFolderOf(image);
            var sizes = folders.TryGetValue(folder, out var known) ? known : folders[folder] = new Dictionary<string, int>(StringComparer.Ordinal);
            CollectionsMarshal.GetValueRefOrAddDefault(sizes, image.Identity, out _)++;
        }

        var people = folders.Values.Where(IsOfPeople).SelectMany(sizes => sizes.Keys).Select(NameOf).ToHashSet(StringComparer.Ordinal);
        return [.. folders.Values.SelectMany(sizes => sizes).GroupBy(person => NameOf(person.Key), person => person.Value, StringComparer.Ordinal)
            .Where(person => people.Contains(person.Key) && person.Sum() is >= 2 and <= MostPictures)
            .Select(person => person.Key).OrderBy(name => Hash(Last(name))).ThenBy(name => name, StringComparer.Ordinal)];
    }

    private static bool IsOfPeople(Dictionary<string, int> sizes) => sizes.Count >= FewestFolders && sizes.Values.Average() <= MostPictures;

    private static string NameOf(FaceImage image) => NameOf(image.Identity);

    private static string NameOf(string identity) => FaceDataset.PersonOf(identity);

    // Where a set lies decides nothing.
    private static string Last(string name) => name[(name.LastIndexOf('/') + 1)..];

    // Joined data keep the identity as it was within the folder: what stands before it in the path is the folder.
    private static string DataFolderOf(FaceImage image)
    {
        string folder = image.Path[..Math.Max(0, image.Path.LastIndexOf('/'))];
        return folder.EndsWith(image.Identity, StringComparison.Ordinal) ? folder[..^image.Identity.Length] : folder;
    }

    private static ulong Hash(string name) => BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes("held-out people|" + name)));
}
