using FaceDistill.Datasets;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Datasets;

public sealed class PairListTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Reads_quotes_all_spellings_of_same_and_other_systems_paths()
    {
        string windows = OperatingSystem.IsWindows() ? "z/2.png" : @".\z\2.png"; // elsewhere perhaps a name: whoever looks it up tries both
        Assert.Equal([windows, .. OperatingSystem.IsWindows() ? Array.Empty<string>() : ["z/2.png"]], ImagePaths.Spellings(windows));
        string path = Write("\uFEFFa,b,same\r\nx/1.png,x/2.png,1\r\n\r\n\"y, the \"\"first\"\"/1\",.\\z\\2.png,FALSE\r\n ./x/1.png , y/1 , true \r\nq/1,q/2,0");
        Assert.Equal(
            [
                new ImagePair("x/1.png", "x/2.png", true), new ImagePair("y, the \"first\"/1", windows, false),
                new ImagePair("x/1.png", "y/1", true), new ImagePair("q/1", "q/2", false),
            ],
            PairList.Read(path).Pairs);
    }

    [Theory]
    [InlineData("line 1: expected the header a,b,same, found 'x,y,1'", "x,y,1\n")]
    [InlineData("holds no pair", "a,b,same\n\n")]
    [InlineData("holds no pair", "")]
    [InlineData("line 4: expected two images", "a,b,same\nx,y,1\n\nx,y,2\n")]
    [InlineData("line 2: expected two images", "a,b,same\nx,y\n")]
    [InlineData("line 2: expected two images", "a,b,same\nx,y,1,\n")]
    [InlineData("line 2: expected two images", "a,b,same\n ,y,1\n")]
    [InlineData("line 3: x is paired with itself", "a,b,same\nx,y,1\nx,./x,1\n")]
    [InlineData("line 4: line 2 says otherwise", "a,b,same\nx,y,1\nx,z,1\ny,x,0\n")]
    [InlineData("line 3: not comma-separated values", "a,b,same\nx,y,1\n\"x,z,1\nq,r,1\n")]
    [InlineData("line 2: not comma-separated values", "a,b,same\n\"x\"y,z,1\n")]
    [InlineData("line 2: not comma-separated values", "a,b,same\nx\"y\",z,1\n")]
    public void Malformed_lists_give_one_error_with_file_and_line(string reason, string text)
    {
        string path = Write(text);
        string message = Assert.Throws<FaceDistillException>(() => PairList.Read(path)).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_repeated_pair_that_agrees_is_no_error() =>
        Assert.Equal(2, PairList.Read(Write("a,b,same\nx,y,1\ny,x,true\n")).Pairs.Count);

    [Fact]
    public void Missing_files_and_other_encodings_are_refused()
    {
        Assert.Contains("cannot read", Assert.Throws<FaceDistillException>(() => PairList.Read(_folder["none.csv"])).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder["latin.csv"], [.. "a,b,same\nx,"u8, 0xE9, .. ",1\n"u8]);
        Assert.Contains("UTF-8", Assert.Throws<FaceDistillException>(() => PairList.Read(_folder["latin.csv"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quoted_field_may_go_on_over_lines_and_lines_are_still_counted()
    {
        string path = Write("a,b,same\n\"x\ny\",z,1\nq,q,0\n");
        Assert.Contains("line 4: q", Assert.Throws<FaceDistillException>(() => PairList.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_of_images_keep_their_order_and_refuse_repetition()
    {
        File.WriteAllText(_folder["g.txt"], "b/1.png\r\n\r\n a/2 \n");
        Assert.Equal(["b/1.png", "a/2"], ImagePaths.ReadList(_folder["g.txt"]));
        File.WriteAllText(_folder["g.txt"], "b/1.png\n\n./b/1.png\n");
        Assert.Contains("line 3: b/1.png is on line 1 too", Assert.Throws<FaceDistillException>(() => ImagePaths.ReadList(_folder["g.txt"])).Message,
            StringComparison.Ordinal);
        File.WriteAllText(_folder["g.txt"], "\n");
        Assert.Contains("names no image", Assert.Throws<FaceDistillException>(() => ImagePaths.ReadList(_folder["g.txt"])).Message, StringComparison.Ordinal);
    }

    private string Write(string text)
    {
        File.WriteAllText(_folder["pairs.csv"], text);
        return _folder["pairs.csv"];
    }
}
