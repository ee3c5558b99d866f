using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Synthetic;
using FaceDistill.Tests.Synthetic;
using OpenCvSharp;

namespace FaceDistill.Tests.Datasets;

public sealed class SyntheticFacesWriteTests
{
    private static readonly Point2f[] Template = SyntheticFacesTests.Arc;

    [Fact]
    public void One_folder_a_person_and_one_file_a_picture_as_Render_gives_it()
    {
        using var folder = new TempFolder();
        SyntheticFaces.Write(folder["faces"], new DrawnPeople(3, 2, 9), Template, 112);
        string[] files = Files(folder["faces"]);
        Assert.Equal(
            ["id_00000/0000.png", "id_00000/0001.png", "id_00001/0000.png", "id_00001/0001.png", "id_00002/0000.png", "id_00002/0001.png"],
            files);
        using Mat read = Cv2.ImRead(SyntheticFaces.PathOf(folder["faces"], 2, 1));
        using Mat rendered = SyntheticFaces.Render(2, 1, Template, 112, 9);
        Assert.Equal(rendered.AsSpan<byte>().ToArray(), read.AsSpan<byte>().ToArray());
    }

    [Fact]
    public void Files_do_not_depend_on_the_number_of_workers()
    {
        using var folder = new TempFolder();
        SyntheticFaces.Write(folder["serial"], new DrawnPeople(4, 3, 1), Template, 112, workers: 1);
        SyntheticFaces.Write(folder["parallel"], new DrawnPeople(4, 3, 1), Template, 112, workers: 4);
        string[] files = Files(folder["serial"]);
        Assert.Equal(12, files.Length);
        Assert.Equal(files, Files(folder["parallel"]));
        foreach (string file in files)
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder["serial"], file)), File.ReadAllBytes(Path.Combine(folder["parallel"], file)));
        }
    }

    [Fact]
    public void Progress_grows_to_the_total()
    {
        using var folder = new TempFolder();
        var seen = new Reports();
        SyntheticFaces.Write(folder.Path, new DrawnPeople(2, 4, 1), Template, 32, new JobContext(Progress: seen));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], seen.List.Select(report => report.Done));
        Assert.All(seen.List, report => Assert.Equal(8, report.Total));
    }

    [Fact]
    public void A_data_set_tells_its_progress_as_well()
    {
        using var folder = new TempFolder();
        var seen = new Reports();
        SyntheticDataset.Write(folder["faces"], new DrawnPeople(2, 2, 1), AlignmentTemplate.Dlib, new AlignedFrame(64, 0), new JobContext(Progress: seen));
        Assert.Equal([1, 2, 3, 4], seen.List.Select(report => report.Done));
    }

    [Fact]
    public void Cancelling_stops_early_and_leaves_no_partial_file()
    {
        using var folder = new TempFolder();
        using var source = new CancellationTokenSource();
        var seen = new Reports { Each = report => { if (report.Done == 3) { source.Cancel(); } } };
        Assert.ThrowsAny<OperationCanceledException>(
            () => SyntheticFaces.Write(folder.Path, new DrawnPeople(50, 50, 1), Template, 32, new JobContext(Progress: seen, Cancel: source.Token), 2));
        string[] files = Files(folder.Path);
        Assert.InRange(files.Length, 3, 50);
        Assert.All(files, file => Assert.EndsWith(".png", file, StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_in_the_folders_place_is_one_clear_error()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["faces"], "not a folder");
        var error = Assert.Throws<FaceDistillException>(() => SyntheticFaces.Write(folder["faces"], new DrawnPeople(2, 2, 1), Template, 32));
        Assert.Contains("faces", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 1, 1, 0)]
    [InlineData("x", 0, 1, 0)]
    [InlineData("x", 1, 0, 0)]
    [InlineData("x", 1, 1, -1)]
    public void Wrong_arguments_are_refused(string name, int identities, int images, int workers)
    {
        using var folder = new TempFolder();
        string path = name.Length == 0 ? name : folder[name];
        Assert.ThrowsAny<ArgumentException>(
            () => SyntheticFaces.Write(path, new DrawnPeople(identities, images, 1), Template, 32, workers: workers));
        Assert.Empty(Files(folder.Path));
    }

    private static string[] Files(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    private sealed class Reports : IProgress<WorkProgress>
    {
        public List<WorkProgress> List { get; } = [];

        public Action<WorkProgress>? Each { get; init; }

        public void Report(WorkProgress value)
        {
            List.Add(value);
            Each?.Invoke(value);
        }
    }
}
