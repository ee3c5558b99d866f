using System.Text.RegularExpressions;

namespace FaceDistill.Tests;

/// <summary>Data flows one way: a room uses only those before it, no room is crowded, and the command line computes nothing. ARCHITECTURE.md says what each
/// room is for.</summary>
public sealed partial class ArchitectureTests
{
    /// <summary>Rooms in the order in which data flows. A room is a folder of a library, its namespace the folder's path; "." is the library's own
    /// folder.</summary>
    private static readonly (string Library, string[] Rooms)[] Order =
    [
        ("FaceDistill.Runtime", ["Files", "Assets", "Faces", "Embeddings", "."]),
        ("FaceDistill.Synthetic", ["."]),
        ("FaceDistill",
        [
            "Formats", "Datasets", "Views", "Teachers", "Stores", "Kernels", "Cluster", "Students",
            "Training.Losses", "Training.Optimizers", "Training.Options", "Training.Checkpoints", "Training.Batches", "Training.Starts", "Training",
            "Evaluation.Results", "Evaluation.Scoring", "Evaluation.Metrics", "Evaluation.Protocols", "Evaluation.Agreement",
                "Evaluation",
            "Export.Graphs", "Export.Int8", "Export", "Runs", "Reports.Pages", "Reports", "Benchmark", "Jobs", "Table14",
        ]),
    ];

    private const int MostFiles = 25;
    private const int MostLines = 300;
    private const int MostColumns = 160;

    internal static readonly string Root = RepositoryRoot.Path;

    private static readonly Room[] Rooms = [.. Order.SelectMany(library => library.Rooms.Select(room => new Room(library.Library, room)))];

    /// <summary>What every room may use: it is said for all of a library's users.</summary>
    private static readonly string[] Everybodys = ["FaceDistillException", "WorkProgress", "JobContext"];

    [Theory]
    [InlineData("FaceDistill.Runtime")]
    [InlineData("FaceDistill.Synthetic")]
    [InlineData("FaceDistill")]
    public void The_rooms_are_those_of_the_order(string library)
    {
        string folder = Path.Combine(Root, "src", library);
        var found = Sources(folder).Select(file => Path.GetRelativePath(folder, Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '.'))
            .Distinct();
        Assert.Equal(Order.Single(o => o.Library == library).Rooms.Order(), found.Order());
    }

    // By the names of types, whether they come by a using, by half a name or because the namespace is a parent's. With one order for all rooms
    // no two files of different rooms can use each other.
    [Fact]
    public void A_room_uses_only_those_before_it()
    {
        var rank = Rooms.SelectMany((room, rank) => room.Types().Select(type => (type, rank))).ToLookup(t => t.type, t => t.rank);
        var wrong = from place in Enumerable.Range(0, Rooms.Length)
                    from file in Rooms[place].Files
                    from type in TypesUsedIn(file)
                    where rank.Contains(type) && rank[type].All(r => r > place) && !Everybodys.Contains(type)
                    select $"{Rooms[place].Namespace}/{Path.GetFileName(file)} uses {Rooms[rank[type].First()].Namespace}.{type}";
        Nothing(wrong);
    }

    [Fact]
    public void A_namespace_is_its_folder() => Assert.All(
        Rooms.SelectMany(room => room.Files.Select(file => (room, file))),
        f => Assert.Contains($"namespace {f.room.Namespace};", File.ReadAllText(f.file), StringComparison.Ordinal));

    [Fact]
    public void A_namespace_is_named_only_by_rooms_after_it()
    {
        var places = Rooms.Select((room, place) => (room.Namespace, place)).Where(r => r.Namespace != "FaceDistill")
            .ToDictionary(r => r.Namespace, r => r.place);
        var wrong = from place in Enumerable.Range(0, Rooms.Length)
                    from file in Rooms[place].Files
                    from Match used in Using().Matches(File.ReadAllText(file))
                    where places.TryGetValue(used.Groups["room"].Value, out int other) && other > place
                    select $"{Rooms[place].Namespace}/{Path.GetFileName(file)} has {used.Value}";
        Nothing(wrong);
    }

    [Fact]
    public void No_room_is_crowded() => Assert.All(Rooms, room => Assert.InRange(room.Files.Length, 1, MostFiles));

    [Fact]
    public void The_command_line_computes_nothing()
    {
        Assert.All(Sources(Path.Combine(Root, "src", "FaceDistill.Cli")), file => Assert.DoesNotMatch(
            @"using (static )?(TorchSharp|OpenCvSharp|Microsoft\.ML|MathNet|Parquet)|\b(TorchSharp|OpenCvSharp|OnnxRuntime|MathNet|Parquet)\.[A-Z]",
                WithoutComments(file)));
        Assert.DoesNotMatch("Include=\"(TorchSharp|OpenCvSharp|Microsoft\\.ML|MathNet|Parquet)",
            File.ReadAllText(Path.Combine(Root, "src", "FaceDistill.Cli", "FaceDistill.Cli.csproj")));
    }

    // The number of OpenCV's threads, the C library's allocator and what is printed are the whole process's.
    [Fact]
    public void The_libraries_leave_the_process_alone() => Assert.Equal(
        ["OneOpenCvThread.cs Cv2.SetNumThreads(", "Program.cs HostMemory.KeepFreed()", "Program.cs NativeComplaints.Collect()"],
        Sources(Path.Combine(Root, "src")).SelectMany(f => OfTheProcess().Matches(WithoutComments(f)).Select(m => $"{Path.GetFileName(f)} {m.Value}"))
            .Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void What_an_application_ships_needs_ONNX_Runtime_and_OpenCV_alone() => Assert.Equal(
        ["Microsoft.ML.OnnxRuntime", "OpenCvSharp4", "System.Numerics.Tensors"], // the last a dependency of the first
        Package().Matches(File.ReadAllText(Path.Combine(Root, "src", "FaceDistill.Runtime", "FaceDistill.Runtime.csproj"))).Select(m => m.Groups[1].Value)
            .Order());

    [Fact]
    public void Files_and_lines_are_short()
    {
        string[] files = [.. Sources(Path.Combine(Root, "src")), .. Sources(Path.Combine(Root, "tests"))];
        Nothing(files.Where(f => File.ReadLines(f).Count() >= MostLines).Select(Path.GetFileName));
        Nothing(files.SelectMany(f => File.ReadLines(f).Select((line, i) => (line, at: $"{Path.GetFileName(f)}({i + 1})")))
            .Where(l => l.line.Length > MostColumns).Select(l => l.at));
    }

    [GeneratedRegex(@"\b(Cv2\.SetNumThreads\(|Cv2\.SetLogLevel\(|HostMemory\.KeepFreed\(\)|NativeComplaints\.Collect\(\))")]
    private static partial Regex OfTheProcess();

    private static void Nothing(IEnumerable<string?> wrong)
    {
        string all = string.Join('\n', wrong.Distinct());
        Assert.True(all.Length == 0, all);
    }

    private static HashSet<string> TypesUsedIn(string file)
    {
        string text = Text().Replace(WithoutComments(file), "\"\"");
        return [.. TypeName().Matches(text).Select(m => m.Value)];
    }

    private static string WithoutComments(string file) =>
        string.Join('\n', File.ReadLines(file).Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal)));

    private static IEnumerable<string> Sources(string folder) => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Where(f =>
        !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            && !f.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    // A type's name is used before a dot, a bracket, a name or after new, is, as, <, ( and the like; a property of the same name stands after a dot or before a
    // brace.
    [GeneratedRegex(
        @"(?<=\b(?:new|is|as|typeof\(|static)\s*)[A-Z]\w*"
        + @"|(?<=[(<,\s!\[])[A-Z]\w*(?=\.[A-Z]|<|\?? (?!is|as|and|or|when|switch|with|in\b)[a-z_@]\w*[ ,;)=]|\[\])")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"""(?:[^""\\\n{]|\\.)*""")]
    private static partial Regex Text();

    [GeneratedRegex(@"^using (?:(?<room>FaceDistill[\w.]*)|static (?<room>FaceDistill[\w.]*)\.\w+);", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex("<PackageReference Include=\"([^\"]+)\" />")] // one with PrivateAssets works at build time only
    private static partial Regex Package();

    private sealed partial record Room(string Library, string Name)
    {
        public string Namespace { get; } = (Library == "FaceDistill.Synthetic" ? Library : "FaceDistill") + (Name == "." ? "" : "." + Name);

        public string[] Files { get; } =
            [.. Directory.GetFiles(Path.Combine(Root, "src", Library, Name == "." ? "" : Name.Replace('.', Path.DirectorySeparatorChar)), "*.cs")];

        public IEnumerable<string> Types() => Files.SelectMany(file => Declaration().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value));

        [GeneratedRegex(@"^(?:public|internal)(?: \w+)* (?:class|record struct|record|struct|enum|interface) ([A-Z]\w*)", RegexOptions.Multiline)]
        private static partial Regex Declaration();
    }
}
