using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Embeddings;

/// <summary>Which provider a name means, by what is installed: no GPU is needed for that. What opens on one is not run here.</summary>
public sealed class OnnxProvidersTests : IDisposable
{
    private const string Cpu = "CPUExecutionProvider", Cuda = "CUDAExecutionProvider";

    // As ONNX Runtime 1.31's CUDA build says it on a machine without a driver, and with one that is too old.
    private const string NoLibrary = "[ErrorCode:Fail] /onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:2043 onnxruntime::Provider& "
        + "onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library /x/libonnxruntime_providers_cuda.so with error: "
        + "libcublasLt.so.13: cannot open shared object file: No such file or directory\n";

    private const string OldDriver = "[ErrorCode:Fail] CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=x ; "
        + "file=/onnxruntime_src/cuda_execution_provider.cc ; line=280 ; expr=cudaSetDevice(info_.device_id);";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("auto", "cpu", Cpu)]
    [InlineData("auto", "cuda", "TensorrtExecutionProvider", Cuda, Cpu)]
    [InlineData("auto", "cpu", "CoreMLExecutionProvider", Cpu)] // a Mac's usual package: only CUDA is taken by itself
    [InlineData("auto", "cpu", "DmlExecutionProvider", "OpenVINOExecutionProvider", Cpu)]
    [InlineData("cpu", "cpu", Cuda, Cpu)]
    [InlineData("cuda", "cuda", Cuda, Cpu)]
    [InlineData("directml", "directml", "DmlExecutionProvider", Cpu)]
    [InlineData("openvino", "openvino", "OpenVINOExecutionProvider", Cpu)]
    [InlineData("coreml", "coreml", "CoreMLExecutionProvider", Cpu)]
    public void A_name_means_what_is_installed(string name, string expected, params string[] listed)
    {
        var providers = new OnnxProviders(() => listed);
        Assert.Equal(expected, providers.Find(name));
        var (model, provider) = providers.Open(name, _ => Assert.Fail("nothing fell back"), on => new Model(on));
        Assert.Equal((expected, expected), (model.On, provider));
    }

    [Fact]
    public void What_is_not_there_is_one_line_that_says_what_is()
    {
        var plain = new OnnxProviders(() => [Cpu]);
        Assert.Equal("no provider 'gpu'; there are auto, cpu, cuda, directml, openvino, coreml", Refused(plain, "gpu"));
        Assert.Equal("provider cuda: the ONNX Runtime that is installed has cpu; build with -p:OnnxRuntime=cuda (FACEDISTILL_ONNXRUNTIME=cuda; in a program of "
            + "your own the package Microsoft.ML.OnnxRuntime.Gpu), or take provider cpu or auto", Refused(plain, "cuda"));
        Assert.All(new[] { "directml", "openvino", "coreml" }, name => Assert.Equal(
            $"provider {name}: the ONNX Runtime that is installed has cpu, cuda; in a program of your own take a package of it that has {name}, or take "
                + $"provider "
            + "cpu or auto", Refused(new OnnxProviders(() => [Cuda, Cpu]), name)));
    }

    [Fact]
    public void Cuda_that_does_not_open_is_said_once_for_a_reason_and_the_CPU_computes()
    {
        var (providers, said, asked) = (new OnnxProviders(() => [Cuda, Cpu]), new List<string>(), new List<string>());
        string error = NoLibrary;
        Model Open(string on)
        {
            asked.Add(on);
            return on == "cuda" ? throw new DllNotFoundException(error) : new Model(on);
        }

        providers.Open("auto", null, Open); // whom nobody hears has told nobody
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("cpu", providers.Open("auto", said.Add, Open).Provider);
        }

        Assert.Equal(["cuda", "cpu", "cuda", "cpu"], asked[..4]);
        Assert.Equal("provider cuda does not open: libcublasLt.so.13: cannot open shared object file: No such file or directory; it needs an NVIDIA driver, "
            + "and "
            + "CUDA 13 and cuDNN 9 where the system finds libraries. The CPU computes instead", Assert.Single(said));
        error = OldDriver;
        providers.Open("auto", said.Add, Open);
        Assert.StartsWith("provider cuda does not open: CUDA driver version is insufficient for CUDA runtime version; it needs", said[1],
            StringComparison.Ordinal);
        Assert.All(said, line => Assert.DoesNotContain("onnxruntime", line, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("cuda", Cuda, "an NVIDIA driver")]
    [InlineData("directml", "DmlExecutionProvider", "Windows and a graphics driver with DirectX 12")]
    [InlineData("openvino", "OpenVINOExecutionProvider", "OpenVINO")]
    [InlineData("coreml", "CoreMLExecutionProvider", "macOS")]
    public void One_that_was_named_and_does_not_open_is_an_error_and_nothing_takes_its_place(string name, string listed, string needs)
    {
        Model? onCpu = null;
        string message = Assert.Throws<FaceDistillException>(() => new OnnxProviders(() => [listed, Cpu]).Open(
            name, _ => Assert.Fail("it is no line beside the work"), on => on == "cpu"
                ? onCpu = new Model(on)
                : throw new DllNotFoundException(NoLibrary))).Message;
        Assert.StartsWith($"provider {name} does not open: libcublasLt.so.13: cannot open", message, StringComparison.Ordinal);
        Assert.Contains($"it needs {needs}", message, StringComparison.Ordinal);
        Assert.EndsWith("or take provider cpu or auto", message, StringComparison.Ordinal);
        Assert.True(onCpu!.Disposed);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("cuda")]
    public void A_file_that_is_no_model_is_not_the_providers_fault(string name)
    {
        var providers = new OnnxProviders(() => [Cuda, Cpu]);
        string message = Assert.Throws<FaceDistillException>(() => providers.Open<Model>(name, _ => Assert.Fail("nothing fell back"),
            on => on == "cuda" ? throw new NotSupportedException("x") : throw new FaceDistillException("x.onnx is no model"))).Message;
        Assert.Equal("x.onnx is no model", message);
    }

    // The package that is built in by default.
    [Fact]
    public void Here_the_CPU_is_taken_and_each_thread_computes_its_own()
    {
        var graph = new OnnxGraph("means");
        string x = graph.Input("input", OnnxElementType.Float32, "batch", 3, 32, 32);
        graph.Node("ReduceMean", "means", [x], OnnxAttribute.Ints("axes", 2, 3), OnnxAttribute.Int("keepdims", 0));
        graph.Output("means", OnnxElementType.Float32, "batch", 3);
        OnnxWriter.Write(graph, _folder["means.onnx"]);
        var contract = new ModelInputSpec(32, "dlib", ColorOrder.Rgb, TensorLayout.Nchw, [0, 0, 0], [1, 1, 1]);
        if (!OnnxProviders.Here.Installed.Contains("cuda"))
        {
            using var model = new OnnxEmbedder("means", _folder["means.onnx"], contract, null, "auto", line => Assert.Fail(line));
            Assert.Equal(("cpu", 0), (model.Provider, ((IFedByOne)model).FacesAtOnce));
            Assert.Contains("the ONNX Runtime that is installed has", Assert.Throws<FaceDistillException>(
                () => new OnnxEmbedder("means", _folder["means.onnx"], contract, null, "cuda")).Message, StringComparison.Ordinal);
        }

        Assert.Equal("cpu", FaceEmbedder.Providers[0]);
        Assert.All(OnnxProviders.Names.Skip(2), name => Assert.InRange(OnnxProviders.FacesAtOnce(name), 64, 256));
    }

    private static string Refused(OnnxProviders providers, string name)
    {
        string message = Assert.Throws<FaceDistillException>(() => providers.Open(name, null, on => new Model(on))).Message;
        Assert.Equal(message, Assert.Throws<FaceDistillException>(() => providers.Find(name)).Message);
        return message;
    }

    private sealed class Model(string on) : IDisposable
    {
        public string On => on;

        public bool Disposed { get; private set; }

        public void Dispose() => Disposed = true;
    }
}
