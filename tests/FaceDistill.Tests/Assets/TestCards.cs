using System.Security.Cryptography;
using System.Text;
using FaceDistill.Assets;

namespace FaceDistill.Tests.Assets;

/// <summary>Small cards for the tests.</summary>
internal static class TestCards
{
    public static string Hash(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    public static AssetSet Teacher(params Asset[] assets) => new(new CardText(Cards.Teachers, "", "card teachers/t.json", null), "t", assets);

    public static Asset ByNpm(string file, string content) =>
        new(file, new AssetSource(Npm: "name@1.2.3", Member: "model/" + file), Hash(content), 1000);

    public static Asset ByUrl(string file, string url, string content) => new(file, new AssetSource(Url: url), Hash(content), 1000);

    public static Asset ByHand(string file, string? content = null) =>
        new(file, new AssetSource(Manual: "sign the licence"), content is null ? null : Hash(content));

    public static string Put(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }
}
