using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using FaceDistill.Files;

namespace FaceDistill.Assets;

/// <summary>
/// The cards that FaceDistill ships (embedded in this assembly from teachers/, teachers/detectors/, teachers/backbones/ and datasets/), and
/// the user's own: wherever a card's name is taken, a path to a .json file is taken too.
/// </summary>
internal static class Cards
{
    /// <summary>The kind of teachers' cards.</summary>
    public const string Teachers = "teachers";

    /// <summary>The kind of face detectors' cards.</summary>
    public const string Detectors = "detectors";

    /// <summary>The kind of cards of published backbones, which students start from.</summary>
    public const string Backbones = "backbones";

    /// <summary>The kind of data sets' cards.</summary>
    public const string Datasets = "datasets";

    private const string Extension = ".json";

    private static readonly Assembly Home = typeof(Cards).Assembly;

    /// <summary>The names of the shipped cards of a kind, in ordinal order.</summary>
    public static IReadOnlyList<string> Names(string kind) =>
    [
        .. Home.GetManifestResourceNames()
            .Where(n => n.StartsWith(kind + "/", StringComparison.Ordinal) && n.EndsWith(Extension, StringComparison.Ordinal))
            .Select(n => n[(kind.Length + 1)..^Extension.Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>A card's text.</summary>
    /// <param name="kind">"teachers", "detectors", "backbones" or "datasets".</param>
    /// <param name="nameOrPath">A shipped card's name, or the path of a .json file.</param>
    /// <exception cref="FaceDistillException">There is no such card or the file cannot be read.</exception>
    public static CardText ReadText(string kind, string nameOrPath)
    {
        if (nameOrPath.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
        {
            return ReadUsers(kind, nameOrPath);
        }

        using var stream = Home.GetManifestResourceStream($"{kind}/{nameOrPath}{Extension}")
            ?? throw new FaceDistillException(
                $"no card '{nameOrPath}' among {kind}; there are {string.Join(", ", Names(kind))}, or give the path of your own card (.json)"
                    + $"{Meant(kind, nameOrPath)}");
        using var reader = new StreamReader(stream);
        return new CardText(kind, reader.ReadToEnd(), $"card {kind}/{nameOrPath}{Extension}", null);
    }

    /// <summary>A card's text as an object.</summary>
    /// <exception cref="FaceDistillException">There is no such card, or its text does not fit; the message names it and the line.</exception>
    public static T Read<T>(string kind, string nameOrPath)
    {
        var card = ReadText(kind, nameOrPath);
        return JsonFile.Parse<T>(card.Text, card.Origin);
    }

    // Where no card of the kind is near, perhaps one of another kind.
    private static string Meant(string kind, string typed) => Hints.Nearest(typed, Names(kind)) is { } own ? $"; did you mean '{own}'?"
        : new[] { Teachers, Detectors, Backbones, Datasets }.SelectMany(k => Names(k).Select(n => (Kind: k, Name: n))).ToList() is var all
            && Hints.Nearest(typed, all.Select(c => c.Name)) is { } other
            ? $"; did you mean '{other}', one of {all.First(c => c.Name == other).Kind}?" : "";

    private static CardText ReadUsers(string kind, string path)
    {
        try
        {
            return new CardText(kind, File.ReadAllText(path), path, Path.GetDirectoryName(Path.GetFullPath(path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read the card {path}: {e.Message}", e);
        }
    }
}

/// <summary>A card as text.</summary>
/// <param name="Kind">"teachers", "detectors" or "datasets".</param>
/// <param name="Text">The JSON.</param>
/// <param name="Origin">Where it is from, for messages: "card teachers/NAME.json" or the user's path.</param>
/// <param name="Folder">The folder of a user's own card; null for one that FaceDistill ships.</param>
internal sealed record CardText(string Kind, string Text, string Origin, string? Folder);

/// <summary>A face detector's card (teachers/detectors/NAME.json).</summary>
/// <param name="Name">The card's name.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Licence">The model's licence.</param>
/// <param name="Source">Where the model comes from.</param>
/// <param name="Assets">The model's files; the first is the one that the detector loads.</param>
internal sealed record DetectorCard(string Name, string Description, string Licence, string Source, Asset[] Assets)
{
    /// <summary>The detector that FaceDistill aligns with.</summary>
    public const string Default = "yunet";

    /// <summary>Reads a detector's card and gives its files.</summary>
    /// <exception cref="FaceDistillException">There is no such card or it is malformed.</exception>
    public static AssetSet Files(string nameOrPath = Default)
    {
        var text = Cards.ReadText(Cards.Detectors, nameOrPath);
        var card = JsonFile.Parse<DetectorCard>(text.Text, text.Origin);
        return card.Assets.Length > 0 ? new AssetSet(text, card.Name, card.Assets)
            : throw new FaceDistillException($"{text.Origin}: no asset is named");
    }

    /// <summary>The path of the default detector's model.</summary>
    /// <exception cref="FaceDistillException">It is not on this machine, or is not the right file.</exception>
    public static string FindModel(AssetFinder finder)
    {
        ArgumentNullException.ThrowIfNull(finder);
        var files = Files();
        return finder.Find(files, files.Assets[0]);
    }
}

/// <summary>One file that a card needs.</summary>
/// <param name="File">The local file name, without folders.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Sha256">SHA-256 as 64 hexadecimal digits; null only for a file that each user has his own of.</param>
/// <param name="Bytes">No more bytes than this are fetched; null means <see cref="DefaultMaxBytes"/>.</param>
internal sealed partial record Asset(string File, AssetSource Source, string? Sha256 = null, long? Bytes = null)
{
    /// <summary>The bound for an asset whose card names none: 2 GiB, above any model or data set at hand.</summary>
    public const long DefaultMaxBytes = 2L << 30;

    /// <summary>The most bytes that are fetched for this file.</summary>
    public long MaxBytes() => Bytes ?? DefaultMaxBytes;

    /// <summary>Checks every field.</summary>
    /// <param name="origin">The card, for the message.</param>
    /// <returns>The asset itself.</returns>
    /// <exception cref="FaceDistillException">A field is malformed; the message names origin, file and field.</exception>
    public Asset Validated(string origin)
    {
        string? wrong = !IsPlainName(File) ? "\"file\" is to be a plain file name of letters, digits, '.', '_' and '-'"
            : Sha256 is not null && !HexDigest().IsMatch(Sha256) ? "\"sha256\" is to be 64 hexadecimal digits"
            : Bytes <= 0 ? "\"bytes\" is to be positive"
            : Source.Problem()
            ?? (Sha256 is null && Source.IsDownloaded() ? "a file that is downloaded needs its \"sha256\"" : null);
        return wrong is null ? this : throw new FaceDistillException($"{origin}, asset '{File}': {wrong}");
    }

    /// <summary>Whether a file's SHA-256 is the card's; true where the card names none.</summary>
    /// <param name="actual">64 lower-case hexadecimal digits.</param>
    public bool Accepts(string actual) => Sha256 is null || string.Equals(Sha256, actual, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a name can stand as a file or folder name on every platform and leads nowhere else.</summary>
    internal static bool IsPlainName(string name) => PlainName().IsMatch(name);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}(?<!\.)\z")]
    private static partial Regex PlainName();

    [GeneratedRegex(@"\A[0-9a-fA-F]{64}\z")]
    private static partial Regex HexDigest();
}

/// <summary>Where a file comes from: exactly one of an npm package's member, an address, a local path or a person's hand.</summary>
/// <param name="Npm">An npm package with its exact version, for example "name@1.2.3"; goes with <paramref name="Member"/>.</param>
/// <param name="Member">The file's path inside the package, with '/' between folders.</param>
/// <param name="Url">An https address (http for loopback only).</param>
/// <param name="Path">A local path; a relative one counts from the card's folder.</param>
/// <param name="Manual">What the user is to do, with the terms.</param>
internal sealed partial record AssetSource(
    string? Npm = null, string? Member = null, string? Url = null, string? Path = null, string? Manual = null)
{
    /// <summary>Whether FaceDistill fetches the file over the network.</summary>
    public bool IsDownloaded() => Npm is not null || Url is not null;

    /// <summary>What is wrong with the fields, or null.</summary>
    internal string? Problem()
    {
        string?[] ways = [Npm, Url, Path, Manual];
        return ways.Count(w => w is not null) != 1 ? "\"source\" names exactly one of npm, url, path and manual"
            : ways.Any(w => w is { Length: 0 }) ? "\"source\" is empty"
            : Npm is null != Member is null ? "\"npm\" and \"member\" go together"
            : Npm is not null && !ExactPackage().IsMatch(Npm) ? $"\"npm\": '{Npm}' is not a package with an exact version, as in name@1.2.3"
            : Member is not null && !IsInside(Member) ? $"\"member\": '{Member}' leaves the package"
            : Url is not null && UrlProblem(Url) is { } problem ? problem
            : null;
    }

    /// <summary>What is wrong with an address, or null: only https, and http where the host is this machine.</summary>
    internal static string? UrlProblem(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri))
        {
            return $"'{url}' is not an address";
        }

        return uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && IsLoopback(uri)) ? null
            : $"'{url}' is not an https address";
    }

    private static bool IsLoopback(Uri uri) =>
        uri.Host == "localhost" || (IPAddress.TryParse(uri.DnsSafeHost, out var address) && IPAddress.IsLoopback(address));

    private static bool IsInside(string member) =>
        member.Split('/').All(part => part.Length > 0 && part != "." && part != "..") && !member.Contains('\\', StringComparison.Ordinal);

    // Anything else could be read by npm (or, on Windows, by the shell that runs npm.cmd) as an option, a folder or a command.
    [GeneratedRegex(@"\A(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*@[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?\z")]
    private static partial Regex ExactPackage();
}

/// <summary>The files that one card names, checked; what <see cref="AssetFinder"/> and <see cref="AssetPuller"/> work on.</summary>
internal sealed class AssetSet
{
    /// <summary>Takes a card's files.</summary>
    /// <param name="card">The card they are written in.</param>
    /// <param name="name">The card's name.</param>
    /// <param name="assets">The files.</param>
    /// <exception cref="FaceDistillException">The name or a file's entry is malformed, or a file is named twice.</exception>
    public AssetSet(CardText card, string name, IReadOnlyList<Asset> assets)
    {
        if (!Asset.IsPlainName(name))
        {
            throw new FaceDistillException($"{card.Origin}: \"name\" is to be letters, digits, '.', '_' and '-', not '{name}'");
        }

        string? twice = assets.GroupBy(a => a.File, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1)?.Key;
        if (twice is not null)
        {
            throw new FaceDistillException($"{card.Origin}: file '{twice}' is named twice");
        }

        (Card, Name) = (card, name);
        Assets = [.. assets.Select(a => a.Validated(card.Origin))];
    }

    /// <summary>The card.</summary>
    public CardText Card { get; }

    /// <summary>The card's name; also the name of its folder in the cache.</summary>
    public string Name { get; }

    /// <summary>The files.</summary>
    public IReadOnlyList<Asset> Assets { get; }

    /// <summary>What the user types to get the files.</summary>
    public string PullCommand =>
        $"{Hints.Command} {(Card.Kind == Cards.Datasets ? "datasets" : "teachers")} pull {(Card.Folder is null ? Name : Card.Origin)}";
}
