using System.Runtime.InteropServices;

namespace FaceDistill.Files;

/// <summary>The environment as native libraries read it: .NET keeps a copy of its own on Unix, as the C library does on Windows.</summary>
internal static partial class NativeEnvironment
{
    /// <summary>Sets a variable for native libraries, .NET and child processes.</summary>
    public static void Set(string name, string value)
    {
        _ = OperatingSystem.IsWindows() ? PutVariable(name, value) : SetVariable(name, value, overwrite: 1);
        Environment.SetEnvironmentVariable(name, value);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport("ucrtbase.dll", EntryPoint = "_putenv_s", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int PutVariable(string name, string value);
}

/// <summary>
/// What libjpeg and libpng print while they decode a picture, which names no file: collected and told to whoever decodes it, where a program asks for that.
/// </summary>
/// <remarks>
/// The C library's stderr, which these libraries print to, gets a buffer while a picture is decoded, and the buffer is emptied before the C library writes it.
/// Nothing else is touched: .NET's Console.Error and what the runtime says of a crash go to the file descriptor. GNU C library only.
/// </remarks>
internal static unsafe partial class NativeComplaints
{
    private const int FullyBuffered = 0, Unbuffered = 2, FromHere = 1; // stdio.h: _IOFBF, _IONBF, SEEK_CUR
    private const int Size = 1 << 16; // one picture's complaints; more of them come out as they did
    private static readonly ReaderWriterLockSlim s_decoding = new();
    private static readonly Lock s_gate = new();
    private static nint s_stream;
    private static byte* s_buffer;
    private static int s_open;

    /// <summary>Whether complaints are collected; where not, native libraries print as they like.</summary>
    public static bool Collected => s_stream != 0;

    /// <summary>Collects from now on. It changes what the whole process prints: for a program, not for a library.</summary>
    public static void Collect()
    {
        const string OpenCvLog = "OPENCV_LOG_LEVEL";
        if (Environment.GetEnvironmentVariable(OpenCvLog) is null)
        {
            NativeEnvironment.Set(OpenCvLog, "SILENT"); // read when OpenCV is loaded
        }

        if (!Collected && OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out nint library)
            && NativeLibrary.TryGetExport(library, "stderr", out nint variable) && NativeLibrary.TryGetExport(library, "__fpurge", out _))
        {
            s_buffer = (byte*)NativeMemory.Alloc(Size);
            s_stream = *(nint*)variable;
        }
    }

    /// <summary>Does work in which a native library may complain.</summary>
    /// <param name="work">May run twice: the second time alone, to know whose the complaint is.</param>
    /// <returns>What it gives, and what was complained of, in one line; null for nothing.</returns>
    public static (T Result, string? Complaint) Of<T>(Func<T> work)
        where T : IDisposable
    {
        if (!Collected)
        {
            return (work(), null);
        }

        T result;
        s_decoding.EnterReadLock();
        try
        {
            Open();
            result = work();
            if (Pending(s_stream) == 0)
            {
                return (result, null);
            }
        }
        finally
        {
            Close();
            s_decoding.ExitReadLock();
        }

        result.Dispose();
        return Alone(work);
    }

    private static (T Result, string? Complaint) Alone<T>(Func<T> work)
    {
        s_decoding.EnterWriteLock();
        try
        {
            Open();
            var result = work();
            int length = (int)Math.Min(Pending(s_stream), Size);
            string text = System.Text.Encoding.UTF8.GetString(s_buffer, length);
            return (result, length == 0 ? null
                : string.Join("; ", text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct()));
        }
        finally
        {
            Close();
            s_decoding.ExitWriteLock();
        }
    }

    private static void Open()
    {
        lock (s_gate)
        {
            if (s_open++ == 0)
            {
                _ = SetBuffer(s_stream, s_buffer, FullyBuffered, Size);
                _ = Seek(s_stream, 0, FromHere); // ends what was being written: only the next write takes the whole buffer into use
            }
        }
    }

    private static void Close()
    {
        lock (s_gate)
        {
            if (--s_open == 0)
            {
                LockStream(s_stream);
                Purge(s_stream);
                UnlockStream(s_stream);
                _ = SetBuffer(s_stream, null, Unbuffered, 0);
            }
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "setvbuf")]
    private static partial int SetBuffer(nint stream, byte* buffer, int mode, nint size);

    [LibraryImport("libc.so.6", EntryPoint = "fseek")]
    private static partial int Seek(nint stream, nint offset, int from);

    [LibraryImport("libc.so.6", EntryPoint = "__fpending")]
    private static partial nint Pending(nint stream);

    [LibraryImport("libc.so.6", EntryPoint = "__fpurge")]
    private static partial void Purge(nint stream);

    [LibraryImport("libc.so.6", EntryPoint = "flockfile")]
    private static partial void LockStream(nint stream);

    [LibraryImport("libc.so.6", EntryPoint = "funlockfile")]
    private static partial void UnlockStream(nint stream);
}
