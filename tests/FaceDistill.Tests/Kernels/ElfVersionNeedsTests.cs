using System.Buffers.Binary;
using System.Text;
using FaceDistill.Kernels;

namespace FaceDistill.Tests.Kernels;

public sealed class ElfVersionNeedsTests
{
    private const string Wanted = "GLIBCXX_3.4.32";

    [Fact]
    public void An_entry_is_made_weak_once()
    {
        byte[] elf = TinyElf("GLIBCXX_3.4.30", Wanted);
        Assert.Equal(ElfVersionChange.MadeWeak, ElfVersionNeeds.MakeWeak(elf, Wanted));
        byte[] once = [.. elf];
        Assert.Equal(ElfVersionChange.AlreadyWeak, ElfVersionNeeds.MakeWeak(elf, Wanted));
        Assert.Equal(once, elf);
    }

    [Fact]
    public void Only_the_flags_of_that_entry_change()
    {
        byte[] before = TinyElf("GLIBCXX_3.4.30", Wanted), after = [.. before];
        ElfVersionNeeds.MakeWeak(after, Wanted);
        int changed = Assert.Single(Enumerable.Range(0, before.Length), i => before[i] != after[i]);
        Assert.Equal(0x2, before[changed] ^ after[changed]);
    }

    [Fact]
    public void A_library_without_the_entry_stays_as_it_is()
    {
        byte[] elf = TinyElf("GLIBCXX_3.4.30", "GLIBC_2.34"), before = [.. elf];
        Assert.Equal(ElfVersionChange.NotAsked, ElfVersionNeeds.MakeWeak(elf, Wanted));
        Assert.Equal(before, elf);
    }

    [Fact]
    public void Every_truncation_is_one_clear_error()
    {
        byte[] whole = TinyElf("GLIBCXX_3.4.30", Wanted);
        for (int length = 0; length < whole.Length; length++)
        {
            byte[] cut = whole[..length];
            Assert.Throws<FaceDistillException>(() => ElfVersionNeeds.MakeWeak(cut, Wanted));
        }
    }

    [Fact]
    public void Damage_anywhere_is_found_or_harmless_but_never_another_error()
    {
        byte[] whole = TinyElf("GLIBCXX_3.4.30", Wanted);
        foreach (byte damage in new byte[] { 0x01, 0x7f, 0x80, 0xff })
        {
            for (int at = 0; at < whole.Length; at++)
            {
                byte[] damaged = [.. whole];
                damaged[at] ^= damage;
                var error = Record.Exception(() => ElfVersionNeeds.MakeWeak(damaged, Wanted));
                Assert.True(error is null or FaceDistillException, $"byte {at} xor {damage}: {error}");
            }
        }
    }

    [Fact]
    public void Impossible_counts_end_at_the_last_entry()
    {
        byte[] elf = TinyElf("GLIBCXX_3.4.30");
        int section = (int)BinaryPrimitives.ReadInt64LittleEndian(elf.AsSpan(0x28)) + 64;
        Put32(elf, section + 0x2c, int.MaxValue); // sh_info: two thousand million needed libraries
        Put16(elf, 64 + 2, ushort.MaxValue);      // vn_cnt
        Assert.Equal(ElfVersionChange.NotAsked, ElfVersionNeeds.MakeWeak(elf, Wanted));
    }

    [Theory]
    [InlineData("")]
    [InlineData("#!/bin/sh\n")]
    [InlineData("MZ this is a Windows library, and long enough for the header of an ELF file to be read")]
    public void Other_files_are_named_for_what_they_are_not(string text) =>
        Assert.Contains("ELF", Assert.Throws<FaceDistillException>(() => ElfVersionNeeds.MakeWeak(Encoding.ASCII.GetBytes(text), Wanted)).Message,
            StringComparison.Ordinal);

    /// <summary>An ELF64 file with one version-need section of one library, its string table, and nothing else.</summary>
    internal static byte[] TinyElf(params string[] versions)
    {
        byte[] strings = Encoding.ASCII.GetBytes("\0libstdc++.so.6\0" + string.Join('\0', versions) + "\0");
        const int Need = 64;
        int aux = Need + 16, text = aux + (16 * versions.Length), sections = text + strings.Length;
        var elf = new byte[sections + (3 * 64)];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(elf);
        BinaryPrimitives.WriteInt64LittleEndian(elf.AsSpan(0x28), sections);
        Put16(elf, 0x3a, 64);
        Put16(elf, 0x3c, 3);
        Put16(elf, Need, 1);
        Put16(elf, Need + 2, versions.Length);
        Put32(elf, Need + 4, 1);
        Put32(elf, Need + 8, 16);
        int name = 16;
        for (int i = 0; i < versions.Length; i++)
        {
            Put32(elf, aux + (16 * i) + 8, name);
            Put32(elf, aux + (16 * i) + 12, i + 1 < versions.Length ? 16 : 0);
            name += versions[i].Length + 1;
        }

        strings.CopyTo(elf, text);
        Section(elf, sections + 64, 0x6ffffffe, Need, link: 2, info: 1);
        Section(elf, sections + 128, 3, text, link: 0, info: 0);
        return elf;
    }

    private static void Section(byte[] elf, int header, uint type, long offset, int link, int info)
    {
        Put32(elf, header + 4, unchecked((int)type));
        BinaryPrimitives.WriteInt64LittleEndian(elf.AsSpan(header + 0x18), offset);
        Put32(elf, header + 0x28, link);
        Put32(elf, header + 0x2c, info);
    }

    private static void Put16(byte[] elf, int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(elf.AsSpan(at), (ushort)value);

    private static void Put32(byte[] elf, int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(elf.AsSpan(at), value);
}
