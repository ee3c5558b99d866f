using FaceDistill.Files;

namespace FaceDistill.Assets;

/// <summary>
/// Finds the files and data sets that cards name. Order: the folders of models given explicitly, then each home of
/// $FACEDISTILL_HOME, then the cache. The first file found is the one that counts: when its hash is wrong, that is an
/// error and not a reason to look further, because the user put it there.
/// </summary>
public sealed class AssetFinder
{
    private readonly string[] _modelFolders;
    private readonly string[] _datasetFolders;

    /// <summary>Makes a finder.</summary>
    /// <param name="modelFolders">Folders of models, looked through first.</param>
    /// <param name="homes">Folders with "models" and "datasets" in them.</param>
    /// <param name="cacheRoot">The cache, with "models" and "datasets" in it; what is fetched goes there.</param>
    public AssetFinder(IEnumerable<string> modelFolders, IReadOnlyList<string> homes, string cacheRoot)
    {
        ModelCache = Path.GetFullPath(Path.Combine(cacheRoot, "models"));
        DatasetCache = Path.GetFullPath(Path.Combine(cacheRoot, "datasets"));
        _modelFolders = [.. modelFolders, .. homes.Select(h => Path.Combine(h, "models")), ModelCache];
        _datasetFolders = [.. homes.Select(h => Path.Combine(h, "datasets")), DatasetCache];
    }

    /// <summary>The cache's folder of models.</summary>
    internal string ModelCache { get; }

    /// <summary>The cache's folder of data sets.</summary>
    internal string DatasetCache { get; }

    /// <summary>A finder of this machine: $FACEDISTILL_HOME and <see cref="CacheFolder.Kept"/>.</summary>
    /// <param name="modelFolders">The folders of --models.</param>
    /// <exception cref="FaceDistillException">A folder that was given explicitly does not exist.</exception>
    public static AssetFinder FromEnvironment(IEnumerable<string>? modelFolders = null)
    {
        string[] homes = (Environment.GetEnvironmentVariable("FACEDISTILL_HOME") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string[] models = [.. modelFolders ?? []];
        string? missing = models.FirstOrDefault(f => !Directory.Exists(f));
        return missing is null ? new AssetFinder(models, homes, CacheFolder.Kept)
            : throw new FaceDistillException($"no folder {missing}");
    }

    /// <summary>
    /// Where a file of a card goes that FaceDistill fetches or derives: cache/models/CARD/FILE; a data set's archive goes
    /// to cache/datasets/FILE, because cache/datasets/CARD appears only when it is whole.
    /// </summary>
    internal string CachePath(AssetSet set, string file) => set.Card.Kind == Cards.Datasets
        ? Path.Combine(DatasetCache, file)
        : Path.Combine(ModelCache, set.Name, file);

    /// <summary>Where a file goes that is derived from a model's: as <see cref="CachePath"/>, or below <see cref="CacheFolder.Root"/> where that cannot be
    /// written.</summary>
    internal string DerivedPath(AssetSet set, string file) =>
        CachePath(set, file) is var path && WritableFolder.WhyNot(Path.GetDirectoryName(path)!) is null ? path
            : Path.Combine(CacheFolder.Root, "models", set.Name, file);

    /// <summary>Where a file of a card lies, its contents unchecked; null when it is nowhere.</summary>
    internal string? Locate(AssetSet set, Asset asset)
    {
        if (asset.Source.Path is { } path)
        {
            string full = Path.GetFullPath(path, set.Card.Folder ?? Directory.GetCurrentDirectory());
            return File.Exists(full) ? full : null;
        }

        return Candidates(set, asset.File).FirstOrDefault(File.Exists);
    }

    /// <summary>Where a verified file of a card lies.</summary>
    /// <exception cref="FaceDistillException">It is nowhere, or what was found has another hash; the message names the remedy.</exception>
    internal string Find(AssetSet set, Asset asset)
    {
        string path = Locate(set, asset) ?? throw new FaceDistillException(MissingLine(set, asset));
        string actual = asset.Sha256 is null ? "" : FileHash.Sha256(path);
        return asset.Accepts(actual) ? path : throw new FaceDistillException(WrongHashLine(set, asset, path, actual));
    }

    /// <summary>Where a derived file of a card lies (for example a converted model), its contents unchecked; null when it is nowhere.</summary>
    /// <param name="set">The card's files.</param>
    /// <param name="file">The file's name, which need not be one of the card's assets.</param>
    internal string? LocateDerived(AssetSet set, string file) => Candidates(set, file).FirstOrDefault(File.Exists);

    /// <summary>The folder of a data set; null when it is nowhere.</summary>
    internal string? LocateDataset(DatasetCard card) =>
        _datasetFolders.Select(f => Path.GetFullPath(Path.Combine(f, card.Of ?? card.Name))).FirstOrDefault(f => Directory.Exists(card.ImagesIn(f)));

    /// <summary>The folder of a data set.</summary>
    /// <exception cref="FaceDistillException">It is nowhere; the message says how to get it.</exception>
    internal string FindDataset(DatasetCard card) => LocateDataset(card) ?? throw new FaceDistillException(MissingLine(card));

    /// <summary>One line: a file is missing, and how to get it.</summary>
    internal string MissingLine(AssetSet set, Asset asset) => asset.Source switch
    {
        { Path: { } path } => $"{set.Card.Origin}: no file {Path.GetFullPath(path, set.Card.Folder ?? Directory.GetCurrentDirectory())}",
        { Manual: { } manual } => $"{set.Name}: {asset.File} is fetched by hand: {manual}; put it at {CachePath(set, asset.File)}, "
            + "or name its folder with --models",
        _ => $"{set.Name}: {asset.File} is not on this machine; run '{set.PullCommand}'",
    };

    /// <summary>One line: a data set is missing, and how to get it.</summary>
    internal string MissingLine(DatasetCard card) => card.Archive is null
        ? $"data set {card.Name} is not on this machine: {card.Manual} (its folder: {Path.Combine(DatasetCache, card.Name)})"
        : $"data set {card.Name} is not on this machine; run '{card.AllFiles.PullCommand}'";

    private static string WrongHashLine(AssetSet set, Asset asset, string path, string actual) =>
        $"{path} is not the file that {set.Card.Origin} names: SHA-256 {actual} instead of {asset.Sha256}; "
        + (asset.Source.IsDownloaded() ? $"delete it and run '{set.PullCommand}'" : "replace it with the right file");

    // CARD/FILE as the cache lays it out, so that a copy of the cache's folder serves as --models; then FILE alone.
    private IEnumerable<string> Candidates(AssetSet set, string file) =>
        (set.Card.Kind == Cards.Datasets ? _datasetFolders : _modelFolders)
            .SelectMany(f => new[] { Path.Combine(f, set.Name, file), Path.Combine(f, file) })
            .Select(Path.GetFullPath);
}

/// <summary>
/// Where FaceDistill keeps what it downloads and derives: <c>$FACEDISTILL_CACHE</c>, else the platform's cache folder
/// (<c>$XDG_CACHE_HOME</c> or ~/.cache on Linux, ~/Library/Caches on macOS, %LOCALAPPDATA% on Windows).
/// </summary>
/// <remarks>Where that cannot be written, or no home is known, what is derived goes to a temporary folder that is deleted when the process ends: reading needs
/// no writing.</remarks>
internal static class CacheFolder
{
    private static readonly Lazy<string> Derived = new(() => Find() is not { } kept ? Temporary("no home folder is known")
        : WritableFolder.WhyNot(kept) is { } reason ? Temporary($"{kept} cannot be written ({reason})") : kept);

    /// <summary>The root of what is derived; it need not exist yet, and it may go with the process.</summary>
    public static string Root => Derived.Value;

    /// <summary>The root of what is downloaded, which may be read-only; that of the process where no home is known.</summary>
    public static string Kept => Find() ?? Root;

    /// <summary>Where to look for what was derived: where it is kept, and <see cref="Root"/> where that is another.</summary>
    public static IEnumerable<string> Roots => new[] { Kept, Root }.Distinct();

    /// <summary>Told once, in a line, where <see cref="Root"/> goes with the process.</summary>
    public static Action<string>? Told { get; set; }

    /// <summary>Refuses where what is downloaded would go with the process.</summary>
    /// <exception cref="FaceDistillException">No home folder is known.</exception>
    public static void RequireKept()
    {
        if (Find() is null)
        {
            throw new FaceDistillException("no home folder is known, so nothing fetched would be kept; set FACEDISTILL_CACHE to a folder");
        }
    }

    /// <summary>Refuses where what is derived would go with the process, and nothing else would be left of it.</summary>
    /// <exception cref="FaceDistillException">The cache cannot be written, or no home folder is known.</exception>
    public static void RequireWritable()
    {
        RequireKept();
        if (WritableFolder.WhyNot(Kept) is { } reason)
        {
            throw new FaceDistillException($"{Kept} cannot be written ({reason}), so nothing would be left of this work; set FACEDISTILL_CACHE to a folder, or "
                + "name a store with --output");
        }
    }

    private static string Temporary(string reason)
    {
        string folder = Leftovers.TemporaryFolder("cache");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Leftovers.Delete(folder);
        Told?.Invoke($"{reason}: what the cache would keep goes to {folder} and is deleted at the end; set FACEDISTILL_CACHE to a folder to keep it");
        return folder;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("FACEDISTILL_CACHE") is { Length: > 0 } named)
        {
            return Path.GetFullPath(named);
        }

        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string? root = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg && !OperatingSystem.IsMacOS() ? xdg
            : home.Length == 0 || (home == "/" && Environment.GetEnvironmentVariable("HOME") is null or "") ? null
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : Path.Combine(home, ".cache");
        return string.IsNullOrEmpty(root) ? null : Path.GetFullPath(Path.Combine(root, "facedistill"));
    }
}
