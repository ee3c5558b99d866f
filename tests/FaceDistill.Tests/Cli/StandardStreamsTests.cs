using System.Text;
using System.Text.Json;
using FaceDistill.Cli;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Cli;

/// <summary>Streams that are closed or full, and what native libraries print to them, with the real program.</summary>
public sealed class StandardStreamsTests : IDisposable
{
    private const string Remedy = "send it to a terminal, a pipe or a file with room\n";
    private const string Closed = $"facedistill: cannot write to standard output: it is closed; {Remedy}";
    private const string Full = $"facedistill: cannot write to standard output: No space left on device; {Remedy}";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_document_is_one_in_any_code_page()
    {
        const string Document = "{\"path\": \"José/𝒜.jpg\"}";
        Assert.Equal(Document, StandardStreams.Json(Document, new UTF8Encoding(false)));
        string escaped = StandardStreams.Json(Document, Encoding.Latin1);
        Assert.True(Ascii.IsValid(escaped));
        Assert.Equal("José/𝒜.jpg", JsonDocument.Parse(escaped).RootElement.GetProperty("path").GetString());
        Assert.Equal("{}", StandardStreams.Json("{}", Encoding.Latin1));
    }

    [UnixFact]
    public async Task A_result_is_printed_or_its_loss_is_said_and_nothing_aborts()
    {
        (string Streams, int Code, string Error)[] cases =
        [
            ("2>&-", CommandLine.Done, ""), ("2>/dev/full", CommandLine.Done, ""), ("<&-", CommandLine.Done, ""),
            (">&-", CommandLine.Failed, Closed), (">/dev/full", CommandLine.Failed, Full),
            (">/dev/full 2>/dev/full", CommandLine.Failed, ""), (">&- 2>&- <&-", CommandLine.Failed, ""),
        ];
        foreach (var (streams, code, error) in cases)
        {
            var ran = await OtherProcess.Shell(streams, "count", "mobilenet-v1:0.25@64");
            Assert.Equal((streams, code, error), (streams, ran.Code, ran.Error));
            Assert.Equal(code == CommandLine.Done, ran.Output.Contains("mobilenet-v1:0.25@64", StringComparison.Ordinal));
        }
    }

    [UnixFact]
    public async Task A_refusal_that_nobody_reads_keeps_its_exit_code()
    {
        foreach (string streams in new[] { "2>&-", "2>/dev/full" })
        {
            Assert.Equal((CommandLine.Usage, "", ""), await OtherProcess.Shell(streams, "nope"));
            Assert.Equal((CommandLine.Failed, "", ""), await OtherProcess.Shell(streams, "bench", "--model", _folder["none.onnx"]));
        }
    }

    [UnixFact]
    public async Task What_ONNX_Runtime_complains_of_comes_in_our_line_with_the_files_name()
    {
        var graph = new OnnxGraph("thirds"); // of 4 values: fails when it runs
        graph.Node("Reshape", "y", [graph.Input("x", OnnxElementType.Float32, 1, 4), graph.Initializer<long>("shape", [3, 3], 2)]);
        graph.Output("y", OnnxElementType.Float32, 3, 3);
        OnnxWriter.Write(graph, _folder["thirds.onnx"]);
        var (code, output, error) = await OtherProcess.Shell("", "bench", "--model", _folder["thirds.onnx"]);
        Assert.Equal((CommandLine.Failed, ""), (code, output));
        Assert.StartsWith($"facedistill: {_folder["thirds.onnx"]} ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }
}
