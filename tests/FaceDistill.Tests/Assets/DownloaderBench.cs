using System.Security.Cryptography;
using FaceDistill.Assets;
using FaceDistill.Formats;
using FaceDistill.Kernels;

namespace FaceDistill.Tests.Assets;

/// <summary>A file to download, a folder to put it into and an impatient downloader.</summary>
public abstract class DownloaderBench : IDisposable
{
    internal static readonly DownloadRules Quick =
        new(4, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20));

    protected static readonly byte[] Body = RandomBytes(300_000, 1);
    protected static readonly string Hash = Convert.ToHexStringLower(SHA256.HashData(Body));

    private readonly TempFolder _folder = new();

    internal Downloader Subject { get; } = new(Quick);

    protected string Folder => _folder.Path;

    protected string Target => _folder["model.onnx"];

    public void Dispose()
    {
        Subject.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected async Task Fails(LoopbackServer server, params string[] parts) => await Fails(server, 1 << 20, parts);

    protected async Task Fails(LoopbackServer server, long maxBytes, params string[] parts)
    {
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => Subject.DownloadAsync(server.Url(), Target, Hash, maxBytes, JobContext.None));
        Assert.All(parts, p => Assert.Contains(p, e.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', e.Message);
        Assert.False(File.Exists(Target));
    }

    protected void OnlyTheTarget() => Assert.Equal([Target], Directory.GetFiles(_folder.Path));

    protected static byte[] RandomBytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected sealed class Reports(Action<WorkProgress>? also = null) : IProgress<WorkProgress>
    {
        public List<WorkProgress> All { get; } = [];

        public void Report(WorkProgress value)
        {
            All.Add(value);
            also?.Invoke(value);
        }
    }
}
