using FaceDistill.Faces;

namespace FaceDistill.Tests.Faces;

/// <summary>A missing OpenCV runtime is one line that says what to install.</summary>
public sealed class OpenCvNativeTests
{
    // As .NET 10 says it on Debian 12.
    private const string Tried = "Unable to load shared library 'OpenCvSharpExtern' or one of its dependencies. In order to help diagnose loading problems, "
        + "consider using a tool like strace. If you're using glibc, consider setting the LD_DEBUG environment variable: \n";

    private const string Gtk = Tried + "libgtk-3.so.0: cannot open shared object file: No such file or directory\n"
        + "/app/OpenCvSharpExtern.so: cannot open shared object file: No such file or directory\n";

    private const string None = Tried + "/app/OpenCvSharpExtern.so: cannot open shared object file: No such file or directory\n"
        + "libOpenCvSharpExtern: cannot open shared object file: No such file or directory\n";

    [Theory]
    [InlineData(Gtk, "OpenCV's runtime needs libgtk-3.so.0, which is not on this system: install GTK 3 (Debian and Ubuntu: apt-get install libgtk-3-0)")]
    [InlineData(Tried + "libtesseract.so.5: cannot open shared object file: No such file or directory\n", "OpenCV's runtime needs libtesseract.so.5, which")]
    [InlineData(None, "this needs OpenCV's runtime, which this program came without: add the package OpenCvSharp4.")]
    [InlineData("An attempt was made to load a program with an incorrect format. (0x8007000B)", "OpenCV's runtime is of another platform than Debian: add")]
    public void What_is_missing_is_named(string loader, string expected) =>
        Assert.StartsWith(expected, OpenCvNative.Line(loader, "Debian"), StringComparison.Ordinal);

    [Fact]
    public void A_library_that_is_not_there_is_refused_in_one_line()
    {
        string message = Assert.Throws<FaceDistillException>(() => OpenCvNative.Load("NoSuchLibraryExtern")).Message;
        Assert.DoesNotContain('\n', message);
        Assert.Contains("OpenCV's runtime", message, StringComparison.Ordinal);
        OpenCvNative.EnsureLoaded();
    }
}
