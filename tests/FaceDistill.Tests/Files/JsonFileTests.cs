using FaceDistill.Files;

namespace FaceDistill.Tests.Files;

public sealed class JsonFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public sealed record Thing(string Name, int HowMany, double? Share = null);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read()
    {
        JsonFile.Write(_folder["x.json"], new Thing("ä<b>", 3, 0.1));
        Assert.Equal(new Thing("ä<b>", 3, 0.1), JsonFile.Read<Thing>(_folder["x.json"]));
        Assert.Contains("\"howMany\": 3", File.ReadAllText(_folder["x.json"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Comments_and_trailing_commas_are_allowed() =>
        Assert.Equal(new Thing("a", 1), JsonFile.Parse<Thing>("{ \"name\": \"a\", // who\n \"howMany\": 1, }", "text"));

    public sealed record Box(Thing[] Things, Thing? Lid = null);

    [Theory]
    [InlineData("{\"things\": [], \"lids\": 1}", "text line 1: unknown key 'lids'; known: things, lid; did you mean 'lid'?")]
    [InlineData("{\"things\": [{\"name\": \"a\", \"howMany\": 1}, {\"Name\": \"a\"}]}",
        "text line 1: unknown key 'Name'; known: name, howMany, share; did you mean 'name'?")]
    [InlineData("{\"things\": [],\n\"lid\": {\"how_many\": 2}}", "text line 2: unknown key 'how_many'; known: name, howMany, share; did you mean 'howMany'?")]
    public void An_unknown_key_names_the_known_ones_of_its_place(string text, string says) =>
        Assert.Equal(says, Assert.Throws<FaceDistillException>(() => JsonFile.Parse<Box>(text, "text")).Message);

    [Theory]
    [InlineData("{\"things\": [\n{\"name\": \"a\", \"howMany\": 1, \"share\": null},\nnull]}", 3)]
    [InlineData("{\"things\":\n[null], \"lid\": null}", 2)]
    public void A_null_in_a_list_is_named_with_its_line_and_one_under_a_key_is_none(string text, int line) =>
        Assert.Equal($"text line {line}: null stands in a list; take it out, or put a value there",
            Assert.Throws<FaceDistillException>(() => JsonFile.Parse<Box>(text, "text")).Message);

    [Fact]
    public void Another_program_s_document_may_have_nulls_in_its_lists() =>
        Assert.Equal(2, JsonFile.Parse<System.Text.Json.JsonElement>("{\"shape\": [null, 224]}", "text").GetProperty("shape").GetArrayLength());

    public enum Colour
    {
        Red,
        DarkBlue,
    }

    public sealed record Painted(Colour Colour, double Share, bool Dry = true, int[]? Coats = null);

    [Theory]
    [InlineData("{\"colour\": \"red\", \"share\": 1,5}", "text line 1: '5' is an invalid start of a property name. Expected a '\"'. "
        + "A number has a point before decimals, and nothing between thousands.")]
    [InlineData("{\"colour\": \"red\",\n\"share\": \"1,5\"}", "text line 2: 'share': expected a number, without quotes and with a point before decimals")]
    [InlineData("{\"colour\": \"red\",\n\"share\": 1e999}", "text line 2: '1e999' is too large a number")]
    [InlineData("{\"colour\": \"green\", \"share\": 1}", "text line 1: 'colour': expected one of red, darkBlue, in quotes")]
    [InlineData("{\"colour\": \"red\", \"share\": 1, \"dry\": \"no\"}", "text line 1: 'dry': expected true or false, without quotes")]
    [InlineData("{\"colour\": \"red\", \"share\": 1, \"coats\": [1.5]}", "text line 1: 'coats[0]': expected a whole number, without quotes")]
    [InlineData("{\"colour\": \"red\", \"share\": 1, \"coats\": 1}", "text line 1: 'coats': expected a list: [...]")]
    public void A_wrong_value_is_answered_with_what_it_should_be(string text, string says) =>
        Assert.Equal(says, Assert.Throws<FaceDistillException>(() => JsonFile.Parse<Painted>(text, "text")).Message);

    [Theory]
    [InlineData("{\n\"name\": \"a\",\n\"howMany\": \"three\"}", 3)]
    [InlineData("{\n\"name\": \"a\",\n\"howMany\": 1,\n\"colour\": 2}", 4)] // no such key
    [InlineData("{\n\"name\": null, \"howMany\": 1}", 2)]
    [InlineData("{\n\"name\": \"a\"\n}", 3)] // a key is missing
    [InlineData("{\n\"name\": \"a\",\n", 3)] // cut
    [InlineData("", 1)]
    public void A_document_that_does_not_fit_is_named_with_its_line(string text, int line)
    {
        File.WriteAllText(_folder["x.json"], text);
        string message = Assert.Throws<FaceDistillException>(() => JsonFile.Read<Thing>(_folder["x.json"])).Message;
        Assert.StartsWith($"{_folder["x.json"]} line {line}: ", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void An_unknown_key_is_named() =>
        Assert.Contains("colour", Assert.Throws<FaceDistillException>(
            () => JsonFile.Parse<Thing>("""{"name": "a", "howMany": 1, "colour": 2}""", "text")).Message, StringComparison.Ordinal);

    [Fact]
    public void Null_and_a_missing_file_are_named()
    {
        Assert.Equal("text holds nothing", Assert.Throws<FaceDistillException>(() => JsonFile.Parse<Thing>("null", "text")).Message);
        Assert.StartsWith($"cannot read {_folder["none"]}", Assert.Throws<FaceDistillException>(
            () => JsonFile.Read<Thing>(_folder["none"])).Message, StringComparison.Ordinal);
    }
}
