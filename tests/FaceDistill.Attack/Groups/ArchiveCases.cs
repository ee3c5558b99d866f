using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace FaceDistill.Attack.Groups;

/// <summary>Archives of data sets that lead elsewhere, are too large, or are none.</summary>
internal static class ArchiveCases
{
    private static readonly (string Name, Action<Stream> Write)[] Tars =
    [
        ("tar ../ member", s => Entries(s, ("top/../../../x.png", '0', 4))),
        ("tar absolute member", s => Entries(s, ("/tmp/facedistill-attack-x.png", '0', 4))),
        ("tar symlink", s => Entries(s, ("top/l", '2', 0, "/etc/passwd"))),
        ("tar symlink then write through", s => Entries(s, ("top/l", '2', 0, ".."), ("top/l/x.png", '0', 4, ""))),
        ("tar hardlink", s => Entries(s, ("top/h", '1', 0, "/etc/passwd"))),
        ("tar char device", s => Entries(s, ("top/d", '3', 0))),
        ("tar fifo", s => Entries(s, ("top/f", '6', 0))),
        ("tar duplicate member", s => Entries(s, ("top/a/x.png", '0', 4), ("top/a/x.png", '0', 4))),
        ("tar file then folder same name", s => Entries(s, ("top/a", '0', 4), ("top/a/x.png", '0', 4))),
        ("tar name with NUL/backslash", s => Entries(s, ("top/a\\b/x\\y.png", '0', 4))),
        ("tar name 5000 long", s => Long(s, "top/" + new string('n', 5000) + ".png")),
        ("tar deep 2000 folders", s => Long(s, "top/" + string.Concat(Enumerable.Repeat("d/", 2000)) + "x.png")),
        ("tar without the folder", s => Entries(s, ("other/a/x.png", '0', 4))),
        ("tar empty", s => s.Write(new byte[1024])),
        ("not an archive", s => s.Write("this is no archive, but a text of some length"u8)),
        ("tgz claims 100 GiB member (3 GB of zeros)", s =>
        {
            s.Write(Header("top/a/x.png", '0', 100L << 30));
            Zeros(s, 3L << 30);
        }),
        ("tgz 60,000 empty files", s =>
        {
            for (int i = 0; i < 60_000; i++)
            {
                s.Write(Header($"top/a/{i}.png", '0', 0));
            }

            s.Write(new byte[1024]);
        }),
        ("tgz GNU long name of 2 GiB", s =>
        {
            s.Write(Header("././@LongLink", 'L', 2L << 30));
            Zeros(s, 2L << 30);
        }),
        ("tgz pax header of 1.9 GB", s =>
        {
            s.Write(Header("pax", 'x', 1_900_000_000));
            s.Write("1900000000 comment="u8);
            Zeros(s, 1_900_000_000);
        }),
    ];

    private static readonly (string Name, Action<ZipArchive> Write)[] Zips =
    [
        ("zip ../", z => Zip(z, "top/../../../x.png")),
        ("zip absolute", z => Zip(z, "/tmp/facedistill-attack-x.png")),
        ("zip symlink", z => Zip(z, "top/l").ExternalAttributes = unchecked((int)0xA1FF0000)),
    ];

    private static readonly (string Name, string Key, string Value)[] Cards =
    [
        ("images=../x", "images", "../x"), ("images=/tmp", "images", "/tmp"), ("archiveFolder=..", "archiveFolder", ".."), ("of=../x", "of", "../x"),
        ("people=../../etc/passwd", "people", "../../etc/passwd"),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("control", t =>
        {
            t.Write("a.tgz", Packed(Sound));
            t.Done(Pull(t, "a.tgz"));
            t.Works("datasets", "verify", t["d.json"]);
            t.Expect(Files.Under(Set(t)).Length == 2, "not the two files of the archive");
        }, Short: true),
        .. Tars.Select((a, i) => new Case(a.Name, t =>
        {
            using (var file = File.Create(t["a.tgz"]))
            using (var zip = new GZipStream(file, CompressionLevel.Fastest))
            {
                a.Write(zip);
            }

            if (a.Name.EndsWith("empty files", StringComparison.Ordinal) || a.Name.EndsWith("backslash", StringComparison.Ordinal))
            {
                t.DoneOrRefused(Pull(t, "a.tgz"), "a.tgz"); // many and none too large; odd and nothing outside
            }
            else
            {
                Refused(t, "a.tgz");
            }
        }, Short: i is 0 or 2)),
        new("empty file", t =>
        {
            t.Write("a.tgz", []);
            Refused(t, "a.tgz");
        }),
        new("tgz truncated", t =>
        {
            t.Write("a.tgz", Packed(Sound)[..^20]);
            Refused(t, "a.tgz");
        }),
        .. Zips.Select(a => new Case(a.Name, t =>
        {
            t.Write("a.zip", Zipped(a.Write));
            Refused(t, "a.zip");
        })),
        new("zip truncated", t =>
        {
            t.Write("a.zip", Zipped(SoundZip)[..^30]);
            Refused(t, "a.zip");
        }),
        new("zip edited crc", t =>
        {
            byte[] zip = Zipped(SoundZip);
            zip[14] ^= 0xff; // the first entry's, where it stands before the data
            zip[zip.AsSpan().IndexOf("PK\u0001\u0002"u8) + 16] ^= 0xff; // and in the directory
            t.Write("a.zip", zip);
            Refused(t, "a.zip");
        }),
        new("zip edited data", t =>
        {
            byte[] zip = Zipped(SoundZip);
            zip[zip.AsSpan().IndexOf("12345678"u8)] ^= 0x01;
            t.Write("a.zip", zip);
            Refused(t, "a.zip");
        }),
        .. Cards.Select(c => new Case($"data set card {c.Name}", t =>
        {
            t.Write("a.tgz", Packed(Sound));
            t.Refused(Pull(t, "a.tgz", j => j[c.Key] = c.Value), "d.json");
            t.NothingAt(Set(t));
        })),
    ];

    private static string Set(Trial t) => Path.Combine(t.Cache, "facedistill", "datasets", "d");

    private static Outcome Pull(Trial t, string archive, Action<JsonObject>? change = null)
    {
        var card = new JsonObject
        {
            ["name"] = "d", ["description"] = "d", ["licence"] = "l", ["source"] = "s", ["layout"] = "identityFolders", ["images"] = "", ["synthetic"] = false,
            ["archive"] = new JsonObject { ["file"] = archive, ["source"] = new JsonObject { ["path"] = archive } }, ["archiveFolder"] = "top",
        };
        change?.Invoke(card);
        t.Write("d.json", card.ToJsonString());
        return t.Run(new Launch("datasets", "pull", t["d.json"]) { Limit = TimeSpan.FromMinutes(2) });
    }

    private static void Refused(Trial t, string archive)
    {
        t.Refused(Pull(t, archive), archive);
        t.NothingAt(Path.Combine(t.Cache, "facedistill", "datasets"));
        t.Expect(!File.Exists("/tmp/facedistill-attack-x.png"), "it wrote outside its folder");
    }

    /// <summary>A sound archive.</summary>
    public static void Sound(Stream s) => Entries(s, ("top/a/1.png", '0', 4), ("top/b/1.png", '0', 4));

    private static void SoundZip(ZipArchive zip) => Zip(zip, "top/a/1.png");

    private static byte[] Packed(Action<Stream> write)
    {
        using var memory = new MemoryStream();
        using (var zip = new GZipStream(memory, CompressionLevel.Fastest))
        {
            write(zip);
        }

        return memory.ToArray();
    }

    private static byte[] Zipped(Action<ZipArchive> write)
    {
        using var memory = new MemoryStream();
        using (var zip = new ZipArchive(memory, ZipArchiveMode.Create))
        {
            write(zip);
        }

        return memory.ToArray();
    }

    private static ZipArchiveEntry Zip(ZipArchive zip, string name)
    {
        var entry = zip.CreateEntry(name, CompressionLevel.NoCompression);
        entry.ExternalAttributes = unchecked((int)0x81A40000);
        using var stream = entry.Open();
        stream.Write("12345678"u8);
        return entry;
    }

    private static void Entries(Stream stream, params (string Name, char Type, int Size)[] entries) =>
        Entries(stream, [.. entries.Select(e => (e.Name, e.Type, e.Size, ""))]);

    private static void Entries(Stream stream, params (string Name, char Type, int Size, string Link)[] entries)
    {
        foreach (var (name, type, size, link) in entries)
        {
            stream.Write(Header(name, type, size, link));
            stream.Write(new byte[(size + 511) / 512 * 512]);
        }

        stream.Write(new byte[1024]);
    }

    // GNU's way to a name of any length.
    private static void Long(Stream stream, string name)
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes(name), 0];
        stream.Write(Header("././@LongLink", 'L', bytes.Length));
        stream.Write(bytes);
        stream.Write(new byte[(512 - (bytes.Length % 512)) % 512]);
        Entries(stream, (name[..90], '0', 4));
    }

    private static void Zeros(Stream stream, long count)
    {
        byte[] block = new byte[1 << 20];
        for (; count > 0; count -= block.Length)
        {
            stream.Write(block);
        }
    }

    // The ustar header of POSIX.1-1988.
    private static byte[] Header(string name, char type, long size, string link = "")
    {
        byte[] header = new byte[512];
        void Put(int at, string text) => Encoding.UTF8.GetBytes(text).CopyTo(header, at);
        Put(0, name);
        Put(100, "0000644\0");
        Put(108, "0000000\0");
        Put(116, "0000000\0");
        if (size >> 33 == 0)
        {
            Put(124, Convert.ToString(size, 8).PadLeft(11, '0') + "\0");
        }
        else
        {
            header[124] = 0x80;
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(128), size);
        }

        Put(136, "14000000000\0");
        Put(148, "        ");
        header[156] = (byte)type;
        Put(157, link);
        Put(257, "ustar\0" + "00");
        Put(148, Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ");
        return header;
    }
}
