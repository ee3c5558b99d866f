using System.Runtime.InteropServices;
using FaceDistill.Kernels;
using TorchSharp;

namespace FaceDistill.Tests.Kernels;

public sealed class TorchNativeTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Torch_computes()
    {
        TorchNative.EnsureLoaded();
        TorchNative.EnsureLoaded();
        using var ones = torch.ones(2, 3);
        using var sum = ones.sum();
        Assert.Equal(6, sum.item<float>());
    }

    [Fact]
    public void A_library_that_asks_for_nothing_new_is_loaded_as_it_is()
    {
        string library = Write("plain.so", ElfVersionNeedsTests.TinyElf("GLIBCXX_3.4.30"));
        Assert.Equal(library, TorchNative.PatchedCopy(library, _folder["cache"]));
        Assert.False(Directory.Exists(_folder["cache"]));
    }

    [Fact]
    public void A_library_that_was_patched_before_is_loaded_as_it_is()
    {
        byte[] elf = ElfVersionNeedsTests.TinyElf("GLIBCXX_3.4.32");
        ElfVersionNeeds.MakeWeak(elf, "GLIBCXX_3.4.32");
        string library = Write("patched.so", elf);
        Assert.Equal(library, TorchNative.PatchedCopy(library, _folder["cache"]));
    }

    [Fact]
    public void The_copy_is_patched_and_the_original_is_not()
    {
        byte[] elf = ElfVersionNeedsTests.TinyElf("GLIBCXX_3.4.32");
        string library = Write("new.so", elf);
        string copy = TorchNative.PatchedCopy(library, _folder["cache"]);
        Assert.StartsWith(_folder["cache"], copy, StringComparison.Ordinal);
        Assert.Equal(elf, File.ReadAllBytes(library));
        Assert.Equal(ElfVersionChange.AlreadyWeak, ElfVersionNeeds.MakeWeak(File.ReadAllBytes(copy), "GLIBCXX_3.4.32"));

        File.WriteAllText(copy, "damaged");
        Assert.Equal(copy, TorchNative.PatchedCopy(library, _folder["cache"]));
        Assert.Equal(elf.Length, new FileInfo(copy).Length);
    }

    [Fact]
    public void The_copy_is_made_once()
    {
        string library = Write("new.so", ElfVersionNeedsTests.TinyElf("GLIBCXX_3.4.32"));
        string copy = TorchNative.PatchedCopy(library, _folder["cache"]);
        var old = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(copy, old);
        Assert.Equal(copy, TorchNative.PatchedCopy(library, _folder["cache"]));
        Assert.Equal(old, File.GetLastWriteTimeUtc(copy));
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(library)));
        Assert.Equal(Path.Combine(_folder["cache"], "native", hash[..16], "new.so"), copy);
    }

    [Fact]
    public void A_cache_that_cannot_be_written_is_named()
    {
        string library = Write("new.so", ElfVersionNeedsTests.TinyElf("GLIBCXX_3.4.32"));
        string file = Write("cache", []);
        Assert.Contains(file, Assert.Throws<FaceDistillException>(() => TorchNative.PatchedCopy(library, file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_library_is_named() =>
        Assert.Contains("gone.so", Assert.Throws<FaceDistillException>(() => TorchNative.PatchedCopy(_folder["gone.so"], _folder["cache"])).Message,
            StringComparison.Ordinal);

    [LinuxFact]
    public void TorchSharps_own_library_differs_in_one_bit_and_is_an_error_when_cut()
    {
        string rid = "linux-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        string library = Path.Combine(AppContext.BaseDirectory, "runtimes", rid, "native", "libLibTorchSharp.so");
        byte[] before = File.ReadAllBytes(library), after = [.. before];
        Assert.Equal(ElfVersionChange.NotAsked, ElfVersionNeeds.MakeWeak(after, "GLIBCXX_9.9.9"));
        Assert.Equal(ElfVersionChange.MadeWeak, ElfVersionNeeds.MakeWeak(after, "GLIBCXX_3.4.32"));
        int at = before.AsSpan().CommonPrefixLength(after);
        Assert.Equal(0x2, before[at] ^ after[at]);
        Assert.True(before.AsSpan(at + 1).SequenceEqual(after.AsSpan(at + 1)));
        foreach (int length in new[] { 1000, before.Length / 2, before.Length - 1 })
        {
            Assert.Throws<FaceDistillException>(() => ElfVersionNeeds.MakeWeak(before.AsSpan(0, length), "GLIBCXX_3.4.32"));
        }
    }

    [Fact]
    public void A_truncated_library_is_named_with_the_remedy()
    {
        string library = Write("cut.so", ElfVersionNeedsTests.TinyElf("GLIBCXX_3.4.32")[..100]);
        string message = Assert.Throws<FaceDistillException>(() => TorchNative.PatchedCopy(library, _folder["cache"])).Message;
        Assert.Contains(library, message, StringComparison.Ordinal);
        Assert.Contains("restore", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Devices_are_found_by_name()
    {
        Assert.Equal(DeviceType.CPU, TorchDevice.Resolve("cpu").type);
        Assert.Equal(torch.cuda_is_available() ? DeviceType.CUDA : DeviceType.CPU, TorchDevice.Resolve("auto").type);
        Assert.Contains("auto, cpu, cuda", Assert.Throws<FaceDistillException>(() => TorchDevice.Resolve("tpu")).Message, StringComparison.Ordinal);
        if (!torch.cuda_is_available())
        {
            Assert.Contains("-p:Torch=cuda", Assert.Throws<FaceDistillException>(() => TorchDevice.Resolve("cuda")).Message, StringComparison.Ordinal);
        }
    }

    private string Write(string name, byte[] content)
    {
        File.WriteAllBytes(_folder[name], content);
        return _folder[name];
    }

    /// <summary>A test on a Linux library; elsewhere it is skipped and says so.</summary>
    private sealed class LinuxFactAttribute : FactAttribute
    {
        public LinuxFactAttribute()
        {
            if (!OperatingSystem.IsLinux())
            {
                Skip = "not run: libLibTorchSharp.so is on Linux only";
            }
        }
    }
}
