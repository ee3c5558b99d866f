using FaceDistill.Files;

namespace FaceDistill.Assets;

/// <summary>Brings data sets into the cache, and tells what is there.</summary>
/// <param name="finder">Where data sets are looked for and put.</param>
/// <param name="downloader">Fetches addresses.</param>
/// <param name="files">Fetches archives.</param>
internal sealed class DatasetPuller(AssetFinder finder, Downloader downloader, AssetPuller files)
{
    /// <summary>What is on this machine of a data set.</summary>
    public DatasetStatus Status(DatasetCard card)
    {
        string? folder = finder.LocateDataset(card);
        return new DatasetStatus(
            card.Name,
            folder,
            folder is null ? 0 : FolderFiles.List(card.ImagesIn(folder)).Files.Count(f => f.Reason is null),
            [.. FilesOf(card).Select(f => Status(card, f, folder ?? CacheOf(card)))],
            folder is null ? finder.MissingLine(card) : null);
    }

    /// <summary>The same, where a missing data set, an empty one or a wrong file is an error.</summary>
    /// <remarks>A further file that each user brings by hand may be missing: the status says so, what needs it complains.</remarks>
    /// <exception cref="FaceDistillException">What is wrong, and the remedy.</exception>
    public DatasetStatus Verify(DatasetCard card)
    {
        var status = Status(card);
        string? wrong = status.Note
            ?? (status.Pictures == 0 ? $"{card.ImagesIn(status.Folder!)} holds no files; delete it and get the data set again" : null)
            ?? status.Files.Zip(FilesOf(card))
                .FirstOrDefault(f => f.First.State == AssetState.WrongHash || (!f.First.IsUsable && f.Second.Source.Manual is null)).First?.Note;
        return wrong is null ? status : throw new FaceDistillException(wrong);
    }

    /// <summary>Fetches what is missing of a data set: the archive, unpacked to cache/datasets/NAME, and its further files.</summary>
    /// <param name="card">The card.</param>
    /// <param name="job">Bytes fetched, files unpacked.</param>
    /// <returns>The data set as <see cref="Verify"/> finds it afterwards.</returns>
    /// <exception cref="FaceDistillException">It is to be brought by hand, or a file cannot be fetched or is not the wanted one.</exception>
    public async Task<DatasetStatus> PullAsync(DatasetCard card, JobContext job)
    {
        if (finder.LocateDataset(card) is null)
        {
            await PullArchiveAsync(card, job).ConfigureAwait(false);
        }

        string folder = finder.FindDataset(card);
        foreach (var file in FilesOf(card).Where(f => f.Source.Url is not null && IsToBeFetched(Status(card, f, folder), folder == CacheOf(card))))
        {
            await downloader.DownloadAsync(
                file.Source.Url!, Path.Combine(folder, file.File), file.Sha256, file.MaxBytes(), job).ConfigureAwait(false);
        }

        return Verify(card);
    }

    // A wrong file in the cache is ours to replace; one elsewhere is the user's, and Verify complains of it.
    private static bool IsToBeFetched(AssetStatus file, bool ours) =>
        file.State == AssetState.Missing || (file.State == AssetState.WrongHash && ours);

    private async Task PullArchiveAsync(DatasetCard card, JobContext job)
    {
        if (card.Archive is not { } asset)
        {
            throw new FaceDistillException(finder.MissingLine(card));
        }

        var set = new AssetSet(card.AllFiles.Card, card.Name, [asset]);
        await files.PullAsync(set, job).ConfigureAwait(false);
        string archive = finder.Find(set, asset);
        using var held = await FetchLock.TakeAsync(CacheOf(card), DownloadRules.Default.LockWait, job).ConfigureAwait(false);
        if (finder.LocateDataset(card) is null)
        {
            StagedFolder.Make(CacheOf(card), staged => Unpack(card, archive, staged, job));
        }

        if (archive == finder.CachePath(set, asset.File))
        {
            File.Delete(archive);
        }
    }

    private static void Unpack(
        DatasetCard card, string archive, string staged, JobContext job)
    {
        string unpacked = Path.Combine(staged, ".unpacked");
        Directory.CreateDirectory(unpacked);
        ArchiveUnpacker.UnpackInto(archive, unpacked, null, job);
        string wanted = Path.Combine(unpacked, card.ArchiveFolder);
        if (!Directory.Exists(wanted))
        {
            throw new FaceDistillException($"{archive} has no folder {card.ArchiveFolder}, which the card of {card.Name} names");
        }

        if (card.Images.Length > 0)
        {
            Directory.Move(wanted, card.ImagesIn(staged));
        }
        else
        {
            MoveContents(wanted, staged);
        }

        if (Directory.Exists(unpacked))
        {
            Directory.Delete(unpacked, recursive: true);
        }
    }

    private static void MoveContents(string from, string to)
    {
        foreach (string entry in Directory.GetFileSystemEntries(from))
        {
            Directory.Move(entry, Path.Combine(to, Path.GetFileName(entry)));
        }
    }

    private static AssetStatus Status(DatasetCard card, Asset file, string folder)
    {
        string path = Path.Combine(folder, file.File);
        if (!File.Exists(path))
        {
            string remedy = file.Source.Manual ?? $"run '{card.AllFiles.PullCommand}'";
            return new AssetStatus(file.File, AssetState.Missing, null, $"no file {path}: {remedy}");
        }

        string actual = FileHash.Sha256(path);
        string wrong = $"{path} is not the file that {card.AllFiles.Card.Origin} names: SHA-256 {actual} instead of {file.Sha256}; replace it";
        return file.Accepts(actual) ? new AssetStatus(file.File, file.Sha256 is null ? AssetState.Present : AssetState.Verified, path, null)
            : new AssetStatus(file.File, AssetState.WrongHash, path, wrong);
    }

    private static Asset[] FilesOf(DatasetCard card) => card.Files ?? [];

    private string CacheOf(DatasetCard card) => Path.Combine(finder.DatasetCache, card.Name);
}

/// <summary>Makes folders that appear only when they are whole.</summary>
internal static class StagedFolder
{
    /// <summary>Makes a folder beside the target, lets <paramref name="fill"/> fill it and renames it; on any failure it goes.</summary>
    /// <exception cref="FaceDistillException">The target exists, or the disk refuses.</exception>
    public static void Make(string target, Action<string> fill)
    {
        target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        string? staged = null;
        try
        {
            staged = Leftovers.Beside(target);
            if (Directory.Exists(target) || File.Exists(target))
            {
                throw new FaceDistillException($"{target} exists already; delete or rename it and run the command again");
            }

            Directory.CreateDirectory(staged);
            fill(staged);
            Directory.Move(staged, target);
        }
        catch (FaceDistillException e) when (staged is not null && e.Message.Contains(staged, StringComparison.Ordinal))
        {
            throw new FaceDistillException(e.Message.Replace(staged, target, StringComparison.Ordinal), e); // a folder that goes again
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot write {target}: {e.Message.Replace(staged ?? target, target, StringComparison.Ordinal)}", e);
        }
        finally
        {
            if (staged is not null)
            {
                Leftovers.Delete(staged);
            }
        }
    }
}
