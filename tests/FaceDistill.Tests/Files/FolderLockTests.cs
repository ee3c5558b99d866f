using FaceDistill.Files;

namespace FaceDistill.Tests.Files;

public sealed class FolderLockTests
{
    [Fact]
    public void A_second_taker_gets_one_clear_line_until_the_first_lets_go()
    {
        using var folder = new TempFolder();
        string output = folder["new"];
        using (var held = FolderLock.Take(output))
        {
            Assert.Equal(
                $"another facedistill is writing to {output}; wait for it, or choose another --output",
                Assert.Throws<FaceDistillException>(() => FolderLock.Take(output)).Message);
            Assert.False(held.IsDisposed);
        }

        Assert.False(Directory.Exists(output)); // nothing came into it
        Directory.CreateDirectory(output);
        FolderLock.Take(output).Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(output)); // a folder that was there stays
        using var again = FolderLock.Take(output);
        Assert.True(File.Exists(Path.Combine(output, FolderLock.FileName)));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_one_clear_line()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["file"], "");
        string message = Assert.Throws<FaceDistillException>(() => FolderLock.Take(Path.Combine(folder["file"], "sub"))).Message;
        Assert.StartsWith("cannot write to ", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_lock_file_left_by_a_killed_process_is_swept_and_one_that_is_held_stays()
    {
        using var folder = new TempFolder();
        FolderLock.Sweep(folder["none"]);
        Assert.False(Directory.Exists(folder["none"]));
        File.WriteAllText(folder[FolderLock.FileName], "");
        FolderLock.Sweep(folder.Path);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        using var held = FolderLock.Take(folder.Path);
        FolderLock.Sweep(folder.Path);
        Assert.True(File.Exists(folder[FolderLock.FileName]));
    }

    [Fact]
    public void A_lock_file_left_by_a_killed_process_does_not_stand_in_the_way()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder[FolderLock.FileName], "");
        using var held = FolderLock.Take(folder.Path);
        Assert.Throws<FaceDistillException>(() => FolderLock.Take(folder.Path));
    }

    [Fact]
    public async Task Who_waits_says_so_once_and_gets_the_lock_when_the_first_lets_go_or_gives_up_when_cancelled()
    {
        using var folder = new TempFolder();
        var says = new Heard();
        using (FolderLock.Take(folder.Path))
        {
            using var cancel = new CancellationTokenSource();
            var given = Task.Run(() => FolderLock.Wait(folder.Path, new JobContext(Cancel: cancel.Token), out _));
            cancel.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        }

        var first = FolderLock.Take(folder.Path);
        var waits = Task.Run(() => FolderLock.Wait(folder.Path, new JobContext(Progress: says), out _));
        await says.Something.Task.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.False(waits.IsCompleted);
        first.Dispose();
        using var second = await waits.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal($"waiting for another facedistill that fills {folder.Path}", Assert.Single(says.All).Stage);
        Assert.Throws<FaceDistillException>(() => FolderLock.Take(folder.Path));
    }

    [Fact]
    public async Task Who_waits_gives_up_when_the_holder_writes_nothing_any_more()
    {
        using var folder = new TempFolder();
        using var first = FolderLock.Take(folder.Path);
        var lines = new List<string>();
        var waits = Task.Run(() => FolderLock.Wait(folder.Path, new JobContext(lines.Add), out _, TimeSpan.FromSeconds(3)));
        for (int i = 0; i < 8; i++)
        {
            await Task.Delay(500);
            Directory.CreateDirectory(folder[$"person {i}"]);
        }

        Assert.False(waits.IsCompleted); // 4 s, but with signs of life
        string message = (await Assert.ThrowsAsync<FaceDistillException>(() => waits.WaitAsync(TimeSpan.FromMinutes(1)))).Message;
        Assert.StartsWith($"another facedistill holds {folder.Path} and has written nothing there for ", message, StringComparison.Ordinal);
        Assert.Equal([$"waiting for another facedistill that fills {folder.Path}"], lines);
    }

    [Fact]
    public void Of_many_takers_at_once_one_holds_the_lock()
    {
        using var folder = new TempFolder();
        int holders = 0, taken = 0;
        Parallel.For(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            using var held = LockFile.TryTake(folder[FolderLock.FileName]);
            if (held is not null)
            {
                Assert.Equal(1, Interlocked.Increment(ref holders));
                Interlocked.Increment(ref taken);
                Thread.SpinWait(1000);
                Interlocked.Decrement(ref holders);
            }
        });
        Assert.True(taken > 0);
    }

    private sealed class Heard : IProgress<WorkProgress>
    {
        public TaskCompletionSource Something { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<WorkProgress> All { get; } = [];

        public void Report(WorkProgress value)
        {
            All.Add(value);
            Something.TrySetResult();
        }
    }
}
