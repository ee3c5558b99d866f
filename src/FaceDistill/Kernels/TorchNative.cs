using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Security.Cryptography;
using FaceDistill.Assets;
using FaceDistill.Files;
using TorchSharp;

namespace FaceDistill.Kernels;

/// <summary>
/// Makes TorchSharp's native library load, also on systems whose libstdc++ is older than GCC 13's.
/// </summary>
/// <remarks>
/// A program that uses TorchSharp itself calls <see cref="EnsureLoaded"/> before its first use of it; once is enough, from any thread. Whoever touches torch
/// earlier gets TorchSharp's own exception on Debian 12 and Ubuntu 22.04. FaceDistill's jobs and models call it themselves.
/// <para>
/// libLibTorchSharp.so 0.107 asks for GLIBCXX_3.4.32, for the single symbol <see cref="NewSymbol"/>, with no relocation
/// to it. Debian 12 and Ubuntu 22.04 stop at 3.4.30. There, a copy in FaceDistill's cache asks for the version weakly,
/// and is the one that gets loaded; the package cache is never changed.
/// </para>
/// </remarks>
public static class TorchNative
{
    private const string NewVersion = "GLIBCXX_3.4.32";
    private const string NewSymbol = "_ZSt21ios_base_library_initv";
    private static readonly Lock Gate = new();
    private static bool s_ready;
    private static IntPtr s_patched;

    /// <summary>Loads libtorch and TorchSharp's library once a process; later calls return at once.</summary>
    /// <exception cref="FaceDistillException">The libraries cannot be loaded; the message names what is missing.</exception>
    public static void EnsureLoaded()
    {
        lock (Gate)
        {
            if (s_ready)
            {
                return;
            }

            if (OperatingSystem.IsLinux() && !HasLibtorch())
            {
                throw new FaceDistillException(
                    "this needs libtorch, which this program came without: add the package libtorch-cpu-linux-x64 to it, or use a build or tool package "
                        + "made without -p:Torch=none");
            }

            if (OperatingSystem.IsLinux() && !SystemHasSymbol())
            {
                LoadPatchedCopy();
            }

            try
            {
                torch.InitializeDeviceType(DeviceType.CPU);
            }
            catch (Exception e) when (e is NotSupportedException or TypeInitializationException or DllNotFoundException or BadImageFormatException)
            {
                throw new FaceDistillException(
                    $"TorchSharp's native library does not load on {RuntimeInformation.OSDescription}: {FirstLine(e)}", e);
            }

            s_ready = true;
        }
    }

    private static string FirstLine(Exception e) => (e.InnerException ?? e).Message.Split('\n')[0];

    /// <summary>Whether this system's libstdc++ already provides what TorchSharp asks for, so that no remedy is needed.</summary>
    internal static bool SystemHasSymbol() =>
        NativeLibrary.TryLoad("libstdc++.so.6", out var handle) && NativeLibrary.TryGetExport(handle, NewSymbol, out _);

    /// <summary>
    /// Writes a copy of <paramref name="library"/> that asks for GLIBCXX_3.4.32 weakly into <paramref name="cacheFolder"/>,
    /// in a folder named by its hash; or returns the library's own path when it asks for nothing new.
    /// </summary>
    /// <returns>The path of the library to load.</returns>
    /// <exception cref="FaceDistillException">The file is missing or no whole ELF library, or the folder cannot be written.</exception>
    internal static string PatchedCopy(string library, string cacheFolder)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(library);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {library} ({e.Message}); restore the TorchSharp package again", e);
        }

        string hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        ElfVersionChange change;
        try
        {
            change = ElfVersionNeeds.MakeWeak(bytes, NewVersion);
        }
        catch (FaceDistillException e)
        {
            throw new FaceDistillException($"{library} is damaged ({e.Message}); restore the TorchSharp package again", e);
        }

        if (change != ElfVersionChange.MadeWeak)
        {
            return library;
        }

        string copy = Path.Combine(cacheFolder, "native", hash[..16], Path.GetFileName(library));
        if (!File.Exists(copy) || !File.ReadAllBytes(copy).AsSpan().SequenceEqual(bytes))
        {
            AtomicFile.Write(copy, bytes);
        }

        return copy;
    }

    private static void LoadPatchedCopy()
    {
        string folder = Folder();
        string copy = PatchedCopy(Path.Combine(folder, "libLibTorchSharp.so"), CacheFolder.Root);
        try
        {
            // In the order of their dependencies, so that the copy finds them by name although it lies elsewhere.
            foreach (string name in new[] { "libc10.so", "libtorch_cpu.so", "libtorch.so" })
            {
                NativeLibrary.Load(Path.Combine(folder, name));
            }

            s_patched = NativeLibrary.Load(copy);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new FaceDistillException($"libtorch does not load from {folder}: {FirstLine(e)}", e);
        }

        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) =>
            name.Contains("LibTorchSharp", StringComparison.Ordinal) ? s_patched : IntPtr.Zero;
    }

    /// <summary>Whether libtorch's library lies beside TorchSharp's; embedding and benchmarks do without it.</summary>
    internal static bool HasLibtorch() => File.Exists(Path.Combine(Folder(), "libtorch.so"));

    internal static string Folder()
    {
        string application = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location) is { Length: > 0 } d ? d : AppContext.BaseDirectory;
        string rid = "linux-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        foreach (string folder in new[] { Path.Combine(application, "runtimes", rid, "native"), application })
        {
            if (File.Exists(Path.Combine(folder, "libLibTorchSharp.so")))
            {
                return folder;
            }
        }

        throw new FaceDistillException($"libLibTorchSharp.so is missing beside {application}; build again for {rid}");
    }
}
