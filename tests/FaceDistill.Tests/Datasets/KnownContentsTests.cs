using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Files;

namespace FaceDistill.Tests.Datasets;

/// <summary>Which files are read again, and which are known by what the system says of them.</summary>
public sealed class KnownContentsTests : IDisposable
{
    private static readonly TimeProvider Later = new Clock(TimeSpan.FromMinutes(1)); // when files that were just written are settled
    private readonly TempFolder _folder = new();
    private readonly List<string> _read = [];

    public KnownContentsTests() => Write("a.jpg", "apple");

    public void Dispose()
    {
        File.Delete(Record);
        _folder.Dispose();
    }

    private string Record => Assert.Single(Directory.GetFiles(Path.Combine(CacheFolder.Root, "contents"),
        $"{ContentHash.Of(System.Text.Encoding.UTF8.GetBytes(_folder.Path))}.bin").DefaultIfEmpty("none"));

    [Fact]
    public void A_file_that_stayed_as_it_was_is_read_once()
    {
        Write("b.jpg", "berry");
        Assert.Equal(["a.jpg", "b.jpg"], Reads(Later));
        Assert.Empty(Reads(Later));
        Write("c.jpg", "cherry");
        Assert.Equal(["c.jpg"], Reads(Later));
        Assert.Empty(Reads(Later));
        Assert.Equal(["a.jpg", "b.jpg", "c.jpg"], Reads(Later, check: "full"));
    }

    [Theory]
    [InlineData("angle", true)] // of the same size and date
    [InlineData("apple", false)]
    [InlineData("apples", true)]
    public void A_file_that_was_written_renamed_or_replaced_is_read_again(string text, bool sameDate)
    {
        Reads(Later);
        var date = File.GetLastWriteTimeUtc(_folder["a.jpg"]);
        Write("a.jpg", text);
        if (sameDate)
        {
            File.SetLastWriteTimeUtc(_folder["a.jpg"], date);
        }

        Assert.Equal(["a.jpg"], Reads(Later));
        File.Move(_folder["a.jpg"], _folder["z.jpg"]);
        Assert.Equal(["z.jpg"], Reads(Later));
        Write("new", "sugar");
        File.SetLastWriteTimeUtc(_folder["new"], date);
        File.Move(_folder["new"], _folder["z.jpg"], overwrite: true);
        Assert.Equal(["z.jpg"], Reads(Later));
        Assert.Empty(Reads(Later));
    }

    [Fact]
    public void A_file_that_was_written_just_now_is_racily_clean_and_read_again()
    {
        Assert.Equal(["a.jpg"], Reads(TimeProvider.System));
        Assert.Equal(["a.jpg"], Reads(TimeProvider.System));
        File.SetLastWriteTimeUtc(_folder["a.jpg"], DateTime.UtcNow.AddDays(-1)); // says nothing: what changed just now is that
        Assert.Equal(["a.jpg"], Reads(TimeProvider.System));
        Assert.Equal(["a.jpg"], Reads(TimeProvider.System));
        File.SetLastWriteTimeUtc(_folder["a.jpg"], DateTime.UtcNow.AddDays(1)); // of a clock that is ahead
        Assert.Equal(["a.jpg"], Reads(Later));
        Assert.Equal(["a.jpg"], Reads(Later));
    }

    [Fact]
    public void A_file_that_is_written_while_it_is_read_is_not_kept()
    {
        var known = KnownContents.Open(_folder.Path, Later);
        known.Of(_folder["a.jpg"], place =>
        {
            var content = ContentHash.OfFile(place);
            Write("a.jpg", "angle");
            return content;
        });
        known.Keep(JobContext.None);
        Assert.Equal(["a.jpg"], Reads(Later));
    }

    [Fact]
    public void A_record_that_is_damaged_says_nothing_and_parts_of_a_file_are_told_apart()
    {
        Reads(Later);
        byte[] bytes = File.ReadAllBytes(Record);
        bytes[20] ^= 1;
        File.WriteAllBytes(Record, bytes);
        Assert.Equal(["a.jpg"], Reads(Later));
        Assert.Empty(Reads(Later));
        File.WriteAllBytes(Record, bytes[..30]);
        Assert.Equal(["a.jpg"], Reads(Later));

        var known = KnownContents.Open(_folder.Path, Later);
        FilePlace[] parts = [new(_folder["a.jpg"], 0, 2), new(_folder["a.jpg"], 2, 2)];
        Assert.NotEqual(known.Of(parts[0], ContentHash.OfFile), known.Of(parts[1], ContentHash.OfFile));
    }

    [Fact]
    public void Two_at_a_time_both_keep_what_they_read()
    {
        Write("b.jpg", "berry");
        KnownContents first = KnownContents.Open(_folder.Path, Later), second = KnownContents.Open(_folder.Path, Later);
        first.Of(_folder["a.jpg"], ContentHash.OfFile);
        second.Of(_folder["b.jpg"], ContentHash.OfFile);
        first.Keep(JobContext.None);
        second.Keep(JobContext.None);
        Assert.Empty(Reads(Later));
    }

    [Fact]
    public void Another_word_than_full_is_refused() => Assert.Equal("FACEDISTILL_CHECK is 'full', which has every file read, or not set; not 'yes'",
        Assert.Throws<FaceDistillException>(() => KnownContents.Open(_folder.Path, Later, "yes")).Message);

    [Fact]
    public void Photos_that_come_are_read_and_those_that_were_there_are_not()
    {
        var kept = new Kept();
        PhotoAligner Aligner() => new("none", AlignmentTemplate.Dlib, AlignedFrame.Default)
        {
            Clock = Later,
            Content = place =>
            {
                lock (_read)
                {
                    _read.Add(Path.GetFileName(place.File));
                }

                return ContentHash.OfFile(place);
            },
        };
        var said = new List<string>();
        for (int i = 0; i < AlignedFaces.FewestTold; i++)
        {
            Write($"{i}.jpg", $"{i}");
        }

        Assert.All(Find(), f => Assert.True(f.IsToAlign));
        Assert.Equal(AlignedFaces.FewestTold + 1, _read.Count);
        Assert.All(Find(), f => Assert.True(f.HasFace));
        Assert.Equal(AlignedFaces.FewestTold + 1, _read.Count);
        Assert.Contains("2049 files have the size, the dates and the number", Assert.Single(said), StringComparison.Ordinal);
        _read.Clear();
        Write("new/1.jpg", "1");
        Write("new/2.jpg", "new");
        Assert.Equal("new/2.jpg", Assert.Single(FaceDataset.List(_folder.Path).Images.Zip(Find()), f => f.Second.IsToAlign).First.Path);
        Assert.Equal(["1.jpg", "2.jpg"], _read.Order());

        PhotoFace[] Find()
        {
            var photos = FaceDataset.List(_folder.Path);
            var found = Aligner().Find(photos, kept, new JobContext(said.Add));
            Array.ForEach(found, f => kept.Put(0, f.Photo, null, ""));
            return found;
        }
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllText(_folder[name], text);
    }

    // The names of the files that are read.
    private List<string> Reads(TimeProvider clock, string? check = null)
    {
        _read.Clear();
        var known = KnownContents.Open(_folder.Path, clock, check);
        foreach (string file in Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal))
        {
            var content = known.Of(file, place =>
            {
                _read.Add(Path.GetFileName(place.File));
                return ContentHash.OfFile(place);
            });
            Assert.Equal(ContentHash.OfFile(file), content);
        }

        known.Keep(JobContext.None);
        return _read;
    }

    private sealed class Clock(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow + ahead;
    }

    private sealed class Kept : IPhotoFaces
    {
        private readonly HashSet<ContentHash> _photos = [];

        public PhotoFace? Find(int index, ContentHash photo, Func<FilePlace, ContentHash> content)
        {
            lock (_photos)
            {
                return _photos.Contains(photo) ? new PhotoFace(photo, photo, null) : null;
            }
        }

        public PhotoFace Put(int index, ContentHash photo, PhotoJpegs? faces, string reason)
        {
            _photos.Add(photo);
            return default;
        }
    }
}
