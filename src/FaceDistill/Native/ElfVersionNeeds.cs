using System.Buffers.Binary;
using System.Text;

namespace FaceDistill.Native;

/// <summary>
/// Reads and changes the version-need table of a 64-bit little-endian ELF library: the list of symbol versions
/// that it asks of the libraries it depends on. Layout: the System V gABI and the Linux Standard Base,
/// "Symbol Versioning" (Elfxx_Verneed, Elfxx_Vernaux).
/// </summary>
public static class ElfVersionNeeds
{
    private const uint SectionTypeVersionNeed = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort WeakFlag = 0x2;                    // VER_FLG_WEAK

    /// <summary>
    /// Sets VER_FLG_WEAK on every entry that asks for <paramref name="version"/>, so that the dynamic loader
    /// warns instead of refusing when the version is missing.
    /// </summary>
    /// <param name="elf">The whole file; changed in place.</param>
    /// <param name="version">A version name, for example GLIBCXX_3.4.32.</param>
    /// <returns>What the table held.</returns>
    /// <exception cref="FaceDistillException">The bytes are not a whole 64-bit little-endian ELF file.</exception>
    public static ElfVersionChange MakeWeak(Span<byte> elf, string version)
    {
        try
        {
            return MakeWeakUnchecked(elf, version);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new FaceDistillException("not a whole ELF library: a table points past the end of the file", e);
        }
    }

    private static ElfVersionChange MakeWeakUnchecked(Span<byte> elf, string version)
    {
        if (elf.Length < 64 || !elf[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
        {
            throw new FaceDistillException("not a 64-bit little-endian ELF library");
        }

        // Elf64_Ehdr: e_shoff at 0x28, e_shentsize at 0x3a, e_shnum at 0x3c.
        long sections = BinaryPrimitives.ReadInt64LittleEndian(elf[0x28..]);
        int size = U16(elf, 0x3a);
        int count = U16(elf, 0x3c);
        if (sections < 0 || sections + ((long)size * count) > elf.Length)
        {
            throw new FaceDistillException("not a whole ELF library: it ends before its section headers do");
        }

        var change = ElfVersionChange.NotAsked;
        for (int i = 0; i < count; i++)
        {
            int header = checked((int)Math.Min(sections + ((long)i * size), int.MaxValue));
            if (U32(elf, header + 4) == SectionTypeVersionNeed)
            {
                int strings = SectionOffset(elf, sections, size, (int)U32(elf, header + 0x28));
                var here = WalkNeeds(elf, SectionOffset(elf, header), (int)U32(elf, header + 0x2c), strings, version);
                change = here > change ? here : change;
            }
        }

        return change;
    }

    private static ElfVersionChange WalkNeeds(Span<byte> elf, int need, int needs, int strings, string version)
    {
        var change = ElfVersionChange.NotAsked;
        for (int i = 0; i < needs; i++)
        {
            int aux = need + (int)U32(elf, need + 8); // vn_aux
            for (int j = U16(elf, need + 2); j > 0; j--) // vn_cnt
            {
                if (NameAt(elf, strings + (int)U32(elf, aux + 8)) == version) // vna_name
                {
                    var flags = elf.Slice(aux + 4, 2); // vna_flags
                    ushort old = BinaryPrimitives.ReadUInt16LittleEndian(flags);
                    BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(old | WeakFlag));
                    change = (old & WeakFlag) == 0 ? ElfVersionChange.MadeWeak
                        : change == ElfVersionChange.MadeWeak ? change : ElfVersionChange.AlreadyWeak;
                }

                aux += (int)U32(elf, aux + 12); // vna_next
            }

            need += (int)U32(elf, need + 12); // vn_next
        }

        return change;
    }

    private static int SectionOffset(Span<byte> elf, long sections, int size, int index) =>
        SectionOffset(elf, checked((int)Math.Min(sections + ((long)index * size), int.MaxValue)));

    private static int SectionOffset(Span<byte> elf, int header) =>
        (int)Math.Min(BinaryPrimitives.ReadInt64LittleEndian(elf.Slice(header + 0x18, 8)), int.MaxValue);

    private static string NameAt(Span<byte> elf, int offset)
    {
        var rest = elf[offset..];
        int end = rest.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? rest : rest[..end]);
    }

    private static ushort U16(Span<byte> elf, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(elf.Slice(offset, 2));

    private static uint U32(Span<byte> elf, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(elf.Slice(offset, 4));
}

/// <summary>What <see cref="ElfVersionNeeds.MakeWeak"/> found.</summary>
public enum ElfVersionChange
{
    /// <summary>The library does not ask for the version.</summary>
    NotAsked,

    /// <summary>It asks for the version weakly already.</summary>
    AlreadyWeak,

    /// <summary>It asked for the version strictly, and now asks weakly.</summary>
    MadeWeak,
}
