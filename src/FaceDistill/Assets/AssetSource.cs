using System.Net;
using System.Text.RegularExpressions;

namespace FaceDistill.Assets;

/// <summary>Where a file comes from: exactly one of an npm package's member, an address, a local path or a person's hand.</summary>
/// <param name="Npm">An npm package with its exact version, for example "name@1.2.3"; goes with <paramref name="Member"/>.</param>
/// <param name="Member">The file's path inside the package, with '/' between folders.</param>
/// <param name="Url">An https address (http for loopback only).</param>
/// <param name="Path">A local path; a relative one counts from the card's folder.</param>
/// <param name="Manual">What the user is to do, with the terms.</param>
public sealed partial record AssetSource(
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
