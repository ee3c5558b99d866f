using FaceDistill.Assets;

namespace FaceDistill.Tests.Assets;

public sealed class DownloaderTests : DownloaderBench
{
    [Fact]
    public async Task A_file_comes_whole_with_progress_in_bytes()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Whole(Body));
        var seen = new Reports();
        await Subject.DownloadAsync(server.Url(), Target, Hash, 1 << 20, new JobContext(Progress: seen));

        Assert.Equal(Body, File.ReadAllBytes(Target));
        Assert.True(seen.All.Count > 1);
        Assert.Equal(seen.All.OrderBy(p => p.Done), seen.All);
        Assert.Equal((Body.Length, Body.Length, "bytes"), (seen.All[^1].Done, seen.All[^1].Total, seen.All[^1].Unit));
        OnlyTheTarget();
    }

    [Fact]
    public async Task A_cut_line_goes_on_where_it_was_cut()
    {
        using var server = new LoopbackServer(head => LoopbackServer.From(head) is { } from
            ? LoopbackServer.Rest(Body, from)
            : LoopbackServer.Whole(Body, "ETag: \"v1\"\n")[..100_000]);
        await Subject.DownloadAsync(server.Url(), Target, Hash, 1 << 20, JobContext.None);

        Assert.Equal(Body, File.ReadAllBytes(Target));
        Assert.Equal(2, server.Requests.Count);
        Assert.Contains("If-Range: \"v1\"", server.Requests.Last(), StringComparison.Ordinal);
        Assert.InRange(LoopbackServer.From(server.Requests.Last())!.Value, 90_000, 100_000);
        OnlyTheTarget();
    }

    [Fact]
    public async Task A_later_run_goes_on_with_what_an_earlier_one_left()
    {
        bool up = false;
        using var server = new LoopbackServer(head => (LoopbackServer.From(head), up) switch
        {
            (null, _) => LoopbackServer.Whole(Body, "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT\n")[..100_000],
            (_, false) => LoopbackServer.Answer("503 Service Unavailable", "", []),
            ({ } from, true) => LoopbackServer.Rest(Body, from),
        });
        await Fails(server, "4 times", "run the command again");
        Assert.True(File.Exists(Target + ".part"));

        up = true;
        await Subject.DownloadAsync(server.Url(), Target, Hash, 1 << 20, JobContext.None);
        Assert.Equal(Body, File.ReadAllBytes(Target));
        Assert.Contains("If-Range: Wed, 21 Oct 2015 07:28:00 GMT", server.Requests.Last(), StringComparison.Ordinal);
        OnlyTheTarget();
    }

    [Fact]
    public async Task A_server_that_knows_no_ranges_sends_the_whole_again()
    {
        int asked = 0;
        using var server = new LoopbackServer(_ => Interlocked.Increment(ref asked) == 1 ? LoopbackServer.Whole(Body)[..50_000] : LoopbackServer.Whole(Body));
        await Subject.DownloadAsync(server.Url(), Target, Hash, 1 << 20, JobContext.None);
        Assert.Equal(Body, File.ReadAllBytes(Target));
        Assert.NotNull(LoopbackServer.From(server.Requests.Last()));
    }

    [Fact]
    public async Task A_rest_of_another_file_is_found_out_and_fetched_from_the_first_byte()
    {
        byte[] other = RandomBytes(Body.Length, 2);
        int asked = 0;
        using var server = new LoopbackServer(head => (LoopbackServer.From(head), Interlocked.Increment(ref asked)) switch
        {
            ({ } from, _) => LoopbackServer.Rest(Body, from),
            (null, 1) => LoopbackServer.Whole(other)[..80_000],
            _ => LoopbackServer.Whole(Body),
        });
        await Subject.DownloadAsync(server.Url(), Target, Hash, 1 << 20, JobContext.None);
        Assert.Equal(Body, File.ReadAllBytes(Target));
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task A_rest_that_begins_elsewhere_is_not_appended()
    {
        int asked = 0;
        using var server = new LoopbackServer(head => Interlocked.Increment(ref asked) switch
        {
            1 => LoopbackServer.Whole(Body)[..80_000],
            2 => LoopbackServer.Rest(Body, LoopbackServer.From(head)!.Value + 7),
            _ => LoopbackServer.Whole(Body),
        });
        await Subject.DownloadAsync(server.Url(), Target, Hash, 1 << 20, JobContext.None);
        Assert.Equal(Body, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task Cancelling_keeps_the_part()
    {
        using var stop = new CancellationTokenSource();
        using var server = new LoopbackServer(head => LoopbackServer.Whole(Body)[..100_000]);
        var cancelling = new Reports(_ => stop.Cancel());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Subject.DownloadAsync(server.Url(), Target, Hash, 1 << 20, new JobContext(Progress: cancelling, Cancel: stop.Token)));
        Assert.True(new FileInfo(Target + ".part").Length > 0);
        Assert.False(File.Exists(Target));
    }

    [Fact]
    public async Task Two_processes_do_not_write_one_file()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Whole(Body));
        using (new FileStream(Target + ".lock", FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            using var hasty = new Downloader(Quick with { LockWait = TimeSpan.FromMilliseconds(150) });
            var told = new Reports();
            var e = await Assert.ThrowsAsync<FaceDistillException>(() =>
                hasty.DownloadAsync(server.Url(), Target, Hash, 1 << 20, new JobContext(Progress: told)));
            Assert.Contains("another facedistill is fetching " + Target, e.Message, StringComparison.Ordinal);
            Assert.StartsWith("waiting for another", Assert.Single(told.All).Stage, StringComparison.Ordinal);
            Assert.Empty(server.Requests);
        }

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Subject.DownloadAsync(server.Url(), Target, Hash, 1 << 20, JobContext.None)));
        Assert.Single(server.Requests);
        Assert.Equal(Body, File.ReadAllBytes(Target));
    }
}
