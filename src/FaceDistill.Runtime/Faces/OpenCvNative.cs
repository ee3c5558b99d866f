using System.Runtime.InteropServices;
using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>Makes OpenCV's native library load, or says in one line what is missing. Called before the first use of OpenCV, wherever that may be.</summary>
internal static class OpenCvNative
{
    private const string Library = "OpenCvSharpExtern";
    private static volatile bool s_loaded;

    /// <summary>Loads the library once a process; later calls return at once.</summary>
    /// <exception cref="FaceDistillException">It cannot be loaded; the message names the package, or the system's library, that is missing.</exception>
    public static void EnsureLoaded()
    {
        if (!s_loaded)
        {
            Load(Library);
            s_loaded = true;
        }
    }

    /// <summary>Loads a library as OpenCvSharp does, before OpenCvSharp's own attempt ends in an exception of .NET's.</summary>
    /// <exception cref="FaceDistillException">It cannot be loaded.</exception>
    internal static void Load(string library)
    {
        try
        {
            NativeLibrary.Load(library, typeof(Cv2).Assembly, null);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new FaceDistillException(Line(e.Message, RuntimeInformation.OSDescription), e);
        }
    }

    /// <summary>The one line: what the loader says names a library that OpenCV's own needs, or finds OpenCV's own nowhere.</summary>
    /// <param name="loader">What .NET says of the attempts.</param>
    /// <param name="system">The operating system, in words.</param>
    internal static string Line(string loader, string system)
    {
        // dlopen: "libgtk-3.so.0: cannot open shared object file: No such file or directory", one line for each place that was tried.
        string? needed = loader.Split('\n').Select(line => line.Split(": cannot open shared object file")).Where(parts => parts.Length > 1)
            .Select(parts => parts[0].Trim()).FirstOrDefault(name => !name.Contains(Library, StringComparison.Ordinal));
        return needed is not null && needed.Contains("gtk", StringComparison.Ordinal)
            ? $"OpenCV's runtime needs {needed}, which is not on this system: install GTK 3 (Debian and Ubuntu: apt-get install libgtk-3-0)"
            : needed is not null ? $"OpenCV's runtime needs {needed}, which is not on this system: install the package that holds it"
            : loader.Contains("format", StringComparison.OrdinalIgnoreCase) && !loader.Contains("cannot open", StringComparison.Ordinal)
                ? $"OpenCV's runtime is of another platform than {system}: {Package}"
            : $"this needs OpenCV's runtime, which this program came without: {Package}";
    }

    private static string Package => "add the package "
        + (OperatingSystem.IsWindows() ? "OpenCvSharp4.runtime.win" : OperatingSystem.IsMacOS() ? "OpenCvSharp4.runtime.osx.arm64"
            : "OpenCvSharp4.official.runtime.linux-x64") + " to it";
}
