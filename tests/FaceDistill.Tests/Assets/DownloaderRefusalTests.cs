using System.Net;
using System.Net.Sockets;
using FaceDistill.Assets;

namespace FaceDistill.Tests.Assets;

public sealed class DownloaderRefusalTests : DownloaderBench
{
    [Fact]
    public async Task A_length_too_great_is_a_cut_line_and_at_last_an_error()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Answer("200 OK", "Content-Length: 400000\n", Body));
        await Fails(server, "cut at 300000 of 400000 bytes", "4 times");
        Assert.Equal(4, server.Requests.Count);
    }

    [Fact]
    public async Task A_length_too_small_is_found_out_by_the_hash()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Answer("200 OK", "Content-Length: 200000\n", Body));
        await Fails(server, "SHA-256", Hash, "nothing was kept");
        Assert.False(File.Exists(Target + ".part"));
    }

    [Fact]
    public async Task A_rest_longer_than_announced_is_refused()
    {
        using var server = new LoopbackServer(head => LoopbackServer.From(head) is { } from
            ? LoopbackServer.Answer(
                "206 Partial Content", $"Content-Range: bytes {from}-{Body.Length - 1}/{Body.Length}\nContent-Length: {Body.Length}\n", Body)
            : LoopbackServer.Whole(Body)[..100_000]);
        await Fails(server, "more than the 300000 bytes that it announced");
        Assert.False(File.Exists(Target + ".part"));
    }

    [Fact]
    public async Task A_wrong_file_leaves_nothing()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Whole(RandomBytes(1000, 3)));
        await Fails(server, server.Url(), "SHA-256", Hash, "To fetch by hand");
        Assert.Empty(Directory.GetFiles(Folder));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("404 Not Found", 1)]
    [InlineData("302 Found", 1)]
    [InlineData("500 Internal Server Error", 4)]
    public async Task An_http_error_is_one_line(string status, int requests)
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Answer(status, "Content-Length: 0\n", []));
        await Fails(server, $"the server answers {status[..3]}", "To fetch by hand", Target);
        Assert.Equal(requests, server.Requests.Count);
    }

    [Fact]
    public async Task More_than_the_bound_is_refused_announced_or_not()
    {
        using var honest = new LoopbackServer(_ => LoopbackServer.Whole(Body));
        await Fails(honest, 1000, "300000 bytes, more than the 1000");
        using var silent = new LoopbackServer(_ => LoopbackServer.Answer("200 OK", "", Body));
        await Fails(silent, 1000, "more than the 1000 bytes that the card allows");
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [Fact]
    public async Task A_refused_connection_names_the_host_and_does_not_ask_again()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var e = await Assert.ThrowsAsync<FaceDistillException>(() =>
            Subject.DownloadAsync($"http://127.0.0.1:{port}/x", Target, Hash, 1000, JobContext.None));
        Assert.Contains($"cannot connect to 127.0.0.1:{port}", e.Message, StringComparison.Ordinal);
        Assert.Contains(Target, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_host_is_one_line()
    {
        var e = await Assert.ThrowsAsync<FaceDistillException>(() =>
            Subject.DownloadAsync("https://nowhere.invalid/x", Target, Hash, 1000, JobContext.None));
        Assert.Contains("nowhere.invalid", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("http://example.org/x")]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("x")]
    public async Task Only_https_and_loopback_are_asked(string url)
    {
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => Subject.DownloadAsync(url, Target, Hash, 1000, JobContext.None));
        Assert.Contains(url, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("http://example.org/x")]
    public async Task A_redirection_to_another_kind_of_address_is_refused(string location)
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Answer("302 Found", $"Location: {location}\nContent-Length: 0\n", []));
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => Subject.DownloadAsync(server.Url(), Target, Hash, 1000, JobContext.None));
        Assert.StartsWith($"{server.Url()} leads elsewhere: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(location, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Single(server.Requests);
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [Fact]
    public async Task A_redirection_to_a_good_address_is_followed_and_an_endless_one_is_not()
    {
        using var server = new LoopbackServer(head => head.Contains(" /next ", StringComparison.Ordinal) ? LoopbackServer.Whole(Body)
            : LoopbackServer.Answer("307 Temporary Redirect", "Location: /next\nContent-Length: 0\n", []));
        await Subject.DownloadAsync(server.Url(), Target, null, Body.Length, JobContext.None);
        Assert.Equal(Body, File.ReadAllBytes(Target));
        using var endless = new LoopbackServer(_ => LoopbackServer.Answer("301 Moved Permanently", "Location: /again\nContent-Length: 0\n", []));
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => Subject.DownloadAsync(endless.Url(), Target + "2", null, Body.Length, JobContext.None));
        Assert.Contains("leads elsewhere: more than 10 times", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silent_line_counts_as_cut()
    {
        using var downloader = new Downloader(Quick with { Attempts = 1, Idle = TimeSpan.FromMilliseconds(200) });
        using var stop = new ManualResetEventSlim();
        using var server = new LoopbackServer(_ =>
        {
            stop.Wait(TimeSpan.FromSeconds(20));
            return [];
        });
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => downloader.DownloadAsync(server.Url(), Target, Hash, 1000, JobContext.None));
        stop.Set();
        Assert.Contains("nothing came for 0.2 s", e.Message, StringComparison.Ordinal);
    }
}
