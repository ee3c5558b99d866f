using System.Buffers.Binary;
using System.Text;

namespace FaceDistill.Kernels;

/// <summary>
/// Reads and changes the version-need table of a 64-bit little-endian ELF library: the list of symbol versions
/// that it asks of the libraries it depends on. Layout: the System V gABI and the Linux Standard Base,
/// "Symbol Versioning" (Elfxx_Verneed, Elfxx_Vernaux).
/// </summary>
internal static class ElfVersionNeeds
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
        if (elf.Length < 64 || !elf[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
        {
            throw new FaceDistillException("not a 64-bit little-endian ELF library");
        }

        // Elf64_Ehdr: e_shoff at 0x28, e_shentsize at 0x3a, e_shnum at 0x3c.
        long sections = U64(elf, 0x28);
        long size = U16(elf, 0x3a);
        int count = U16(elf, 0x3c);
        At(elf, sections, size * count); // the headers lie at the end: a file cut anywhere shows here

        var change = ElfVersionChange.NotAsked;
        for (int i = 0; i < count; i++)
        {
            long header = sections + (i * size);
            if (U32(elf, header + 4) == SectionTypeVersionNeed)
            {
                // sh_link: the section of the names; sh_offset at 0x18; sh_info: the number of libraries.
                long strings = U64(elf, sections + (U32(elf, header + 0x28) * size) + 0x18);
                var here = WalkNeeds(elf, U64(elf, header + 0x18), U32(elf, header + 0x2c), strings, version);
                change = here > change ? here : change;
            }
        }

        return change;
    }

    // Offsets are unsigned and added as long, so that a walk only goes forward and ends, also in a damaged file.
    private static ElfVersionChange WalkNeeds(Span<byte> elf, long need, long needs, long strings, string version)
    {
        var change = ElfVersionChange.NotAsked;
        uint next = 1;
        for (long i = 0; i < needs && next > 0; i++)
        {
            // Elf64_Verneed: vn_cnt at 2, vn_aux at 8, vn_next at 12.
            var here = WalkVersions(elf, need + U32(elf, need + 8), U16(elf, need + 2), strings, version);
            change = here > change ? here : change;
            next = U32(elf, need + 12);
            need += next;
        }

        return change;
    }

    private static ElfVersionChange WalkVersions(Span<byte> elf, long aux, int versions, long strings, string version)
    {
        var change = ElfVersionChange.NotAsked;
        uint next = 1;
        for (int i = 0; i < versions && next > 0; i++)
        {
            // Elf64_Vernaux: vna_flags at 4, vna_name at 8, vna_next at 12.
            if (IsName(elf, strings + U32(elf, aux + 8), version))
            {
                ushort old = U16(elf, aux + 4);
                var here = (old & WeakFlag) == 0 ? ElfVersionChange.MadeWeak : ElfVersionChange.AlreadyWeak;
                BinaryPrimitives.WriteUInt16LittleEndian(At(elf, aux + 4, 2), (ushort)(old | WeakFlag));
                change = here > change ? here : change;
            }

            next = U32(elf, aux + 12);
            aux += next;
        }

        return change;
    }

    private static bool IsName(Span<byte> elf, long offset, string version)
    {
        At(elf, offset, 1);
        var rest = elf[(int)offset..];
        int end = rest.IndexOf((byte)0);
        return end == version.Length && Encoding.ASCII.GetString(rest[..end]) == version;
    }

    private static ushort U16(Span<byte> elf, long offset) => BinaryPrimitives.ReadUInt16LittleEndian(At(elf, offset, 2));

    private static uint U32(Span<byte> elf, long offset) => BinaryPrimitives.ReadUInt32LittleEndian(At(elf, offset, 4));

    private static long U64(Span<byte> elf, long offset) => BinaryPrimitives.ReadInt64LittleEndian(At(elf, offset, 8));

    private static Span<byte> At(Span<byte> elf, long offset, long length)
    {
        if (offset < 0 || offset > elf.Length - length)
        {
            throw new FaceDistillException("not a whole ELF library: a table points past the end of the file");
        }

        return elf.Slice((int)offset, (int)length);
    }
}

/// <summary>What <see cref="ElfVersionNeeds.MakeWeak"/> found.</summary>
internal enum ElfVersionChange
{
    /// <summary>The library does not ask for the version.</summary>
    NotAsked,

    /// <summary>It asks for the version weakly already.</summary>
    AlreadyWeak,

    /// <summary>It asked for the version strictly, and now asks weakly.</summary>
    MadeWeak,
}
