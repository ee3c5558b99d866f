using FaceDistill.Native;
using TorchSharp;

namespace FaceDistill.Tests.Native;

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
}
