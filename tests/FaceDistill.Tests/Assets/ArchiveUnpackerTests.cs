using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using FaceDistill.Assets;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Assets;

public sealed class ArchiveUnpackerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Target => _folder["out"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.tgz")]
    [InlineData("a.tar.gz")]
    [InlineData("a.tar")]
    [InlineData("a.zip")]
    public void A_good_archive_is_unpacked(string name)
    {
        string archive = Make(name, ("lfw/", ""), ("lfw/A_B/A_B_0001.jpg", "one"), ("./lfw/C/C_0001.jpg", "two"), ("empty.txt", ""));
        Unpack(archive);
        Assert.Equal("one", File.ReadAllText(Path.Combine(Target, "lfw", "A_B", "A_B_0001.jpg")));
        Assert.Equal("two", File.ReadAllText(Path.Combine(Target, "lfw", "C", "C_0001.jpg")));
        Assert.Equal("", File.ReadAllText(Path.Combine(Target, "empty.txt")));
        Assert.Equal(3, Directory.GetFiles(Target, "*", SearchOption.AllDirectories).Length);
        Assert.Equal([Target], Directory.GetDirectories(_folder.Path));
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("a/../../evil")]
    [InlineData("a/../b")]
    [InlineData("/tmp/facedistill-evil")]
    [InlineData("..\\evil")]
    [InlineData("\\evil")]
    [InlineData("C:\\evil")]
    [InlineData("c:evil")]
    [InlineData("a/b:stream")]
    public void A_name_that_leaves_the_folder_is_refused(string name)
    {
        foreach (string kind in new[] { "hostile.tgz", "hostile.zip" })
        {
            Refused(Make(kind, ("good.txt", "x"), (name, "evil")), "leaves the folder");
        }

        Assert.Equal(["hostile.tgz", "hostile.zip"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.CharacterDevice)]
    [InlineData(TarEntryType.Fifo)]
    public void A_link_or_a_device_is_refused(TarEntryType type)
    {
        string archive = _folder["link.tgz"];
        using (var writer = new TarWriter(new GZipStream(File.Create(archive), CompressionLevel.Fastest)))
        {
            var entry = new PaxTarEntry(type, "link");
            if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
            {
                entry.LinkName = "/etc";
            }

            writer.WriteEntry(entry);
        }

        Refused(archive, $"is a {type}");
    }

    [Fact]
    public void A_link_in_a_zip_is_refused()
    {
        string archive = _folder["link.zip"];
        using (var zip = ZipFile.Open(archive, ZipArchiveMode.Create))
        {
            var entry = zip.CreateEntry("link");
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
            using var content = entry.Open();
            content.Write("/etc"u8);
        }

        Refused(archive, "is a link or a device");
    }

    [Theory]
    [InlineData("bomb.tgz")]
    [InlineData("bomb.zip")]
    public void A_bomb_is_refused(string name)
    {
        string archive = Make(name, ("bomb", new string('x', 2_000_000)));
        Assert.True(new FileInfo(archive).Length < 20_000);
        Refused(archive, "more than 1000000 bytes", new UnpackLimits(100, 1_000_000));
    }

    [Theory]
    [InlineData("many.tgz")]
    [InlineData("many.zip")]
    public void Too_many_entries_are_refused(string name) =>
        Refused(Make(name, [.. Enumerable.Range(0, 20).Select(i => ($"f{i}", "x"))]), "more than 10 entries", new UnpackLimits(10, 1_000_000));

    [Fact]
    public void An_endless_header_is_bounded()
    {
        string archive = _folder["header.tgz"];
        using (var writer = new TarWriter(new GZipStream(File.Create(archive), CompressionLevel.Fastest)))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "a", new Dictionary<string, string> { ["note"] = new('x', 3_000_000) }));
        }

        Refused(archive, "more than", new UnpackLimits(10, 1_000_000));
    }

    [Theory]
    [InlineData("twice.tgz")]
    [InlineData("twice.zip")]
    public void A_file_that_is_there_twice_is_refused(string name) =>
        Refused(Make(name, ("a.txt", "one"), ("a.txt", "two")), "twice");

    [Theory]
    [InlineData("broken.tgz")]
    [InlineData("broken.tar")]
    [InlineData("broken.zip")]
    public void A_damaged_archive_is_one_line_and_leaves_nothing(string name)
    {
        byte[] good = File.ReadAllBytes(Make(name, ("a.txt", string.Concat(Enumerable.Range(0, 20_000)))));
        File.WriteAllBytes(_folder[name], good[..(good.Length / 2)]);
        Refused(_folder[name], "not a readable archive");
        File.WriteAllText(_folder[name], "this is no archive, whatever its name says. " + new string('x', 2000));
        Refused(_folder[name], "not a readable archive");
    }

    [Theory]
    [InlineData(16)] // the check sum in the central directory
    [InlineData(24)] // the size
    public void A_zip_entry_of_another_check_sum_or_size_is_refused(int field)
    {
        byte[] zip = File.ReadAllBytes(Make("a.zip", ("a.txt", "one and two and three")));
        int directory = zip.AsSpan().IndexOf("PK\u0001\u0002"u8);
        zip[directory + field] ^= 1;
        File.WriteAllBytes(_folder["a.zip"], zip);
        Refused(_folder["a.zip"], "entry 'a.txt' is damaged");
    }

    [Fact]
    public void A_zip_entry_whose_content_was_changed_is_refused()
    {
        using (var made = ZipFile.Open(_folder["a.zip"], ZipArchiveMode.Create))
        {
            using var stream = made.CreateEntry("a.txt", CompressionLevel.NoCompression).Open();
            stream.Write("one and two"u8);
        }

        byte[] zip = File.ReadAllBytes(_folder["a.zip"]);
        zip[zip.AsSpan().IndexOf("one and two"u8)] ^= 1;
        File.WriteAllBytes(_folder["a.zip"], zip);
        Refused(_folder["a.zip"], "entry 'a.txt' is damaged");
    }

    [Theory]
    [InlineData("123456789", 0xCBF43926u)] // the check value of CRC-32
    [InlineData("", 0u)]
    public void The_check_sum_is_crc_32(string text, uint expected)
    {
        using var stream = new Crc32Stream(new MemoryStream(Encoding.ASCII.GetBytes(text)));
        stream.CopyTo(Stream.Null);
        Assert.Equal((expected, text.Length), (stream.Crc, stream.Length));
    }

    [Theory]
    [InlineData("a.tgz")]
    [InlineData("a.zip")]
    public void A_file_where_a_folder_is_to_be_and_a_name_too_long_name_the_archive_and_the_entry(string name)
    {
        Refused(Make(name, ("p", "one"), ("p/a.png", "two")), "entry 'p/a.png' lies in another entry that is a file");
        File.Delete(_folder[name]);
        Refused(Make(name, ("p", "one"), ("p/", "")), "entry 'p/' is a folder where another entry is a file");
        File.Delete(_folder[name]);
        Refused(Make(name, (new string('n', 5000), "one")), "cannot be written: its name is too long");
        File.Delete(_folder[name]);
        Refused(Make(name, (string.Concat(Enumerable.Repeat("d/", 3000)) + "a", "one")), "cannot be written: its name is too long");
    }

    [Theory]
    [InlineData('L', 1_900_000_000)] // GNU's long name
    [InlineData('L', 2_147_483_648)]
    [InlineData('x', 1_900_000_000)] // a pax header
    public void A_header_of_gigabytes_is_refused_before_it_is_read(char kind, long size)
    {
        var header = new byte[512];
        Encoding.ASCII.GetBytes("././@LongLink").CopyTo(header, 0);
        Encoding.ASCII.GetBytes(Convert.ToString(size, 8).PadLeft(11, '0')).CopyTo(header, 124);
        header[156] = (byte)kind;
        Encoding.ASCII.GetBytes(kind == 'L' ? "ustar  " : "ustar\00000").CopyTo(header, 257);
        Encoding.ASCII.GetBytes("        ").CopyTo(header, 148);
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        using (var archive = new GZipStream(File.Create(_folder["a.tgz"]), CompressionLevel.Fastest))
        {
            archive.Write(header);
            archive.Write(new byte[4096]);
        }

        Refused(_folder["a.tgz"], size > int.MaxValue ? "is not a readable archive" : $"holds a header of {size} bytes");
    }

    [Fact]
    public void An_existing_folder_is_not_touched()
    {
        Directory.CreateDirectory(Target);
        string archive = Make("a.tgz", ("a.txt", "one"));
        var e = Assert.Throws<FaceDistillException>(() => Unpack(archive));
        Assert.Contains("exists already", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Target));
    }

    [Fact]
    public void Cancelling_leaves_nothing()
    {
        string archive = Make("a.tgz", ("a.txt", "one"));
        Assert.Throws<OperationCanceledException>(() => ArchiveUnpacker.Unpack(archive, Target, null, new JobContext(Cancel: new CancellationToken(true))));
        Assert.Empty(Directory.GetDirectories(_folder.Path));
    }

    private void Unpack(string archive, UnpackLimits? limits = null) => ArchiveUnpacker.Unpack(archive, Target, limits, JobContext.None);

    private void Refused(string archive, string part, UnpackLimits? limits = null)
    {
        var e = Assert.Throws<FaceDistillException>(() => Unpack(archive, limits));
        Assert.Contains(part, e.Message, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(archive), e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(".part", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Empty(Directory.GetDirectories(_folder.Path));
    }

    private string Make(string name, params (string Name, string Content)[] entries)
    {
        string path = _folder[name];
        if (name.EndsWith(".zip", StringComparison.Ordinal))
        {
            using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
            foreach (var (entry, content) in entries)
            {
                using var stream = zip.CreateEntry(entry).Open();
                stream.Write(Encoding.UTF8.GetBytes(content));
            }

            return path;
        }

        Archives.WriteTar(path, [.. entries.Select(e => (e.Name, Encoding.UTF8.GetBytes(e.Content)))]);
        return path;
    }
}
