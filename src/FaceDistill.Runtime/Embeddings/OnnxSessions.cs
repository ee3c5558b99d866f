using FaceDistill.Files;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Embeddings;

/// <summary>Opens every session of ONNX Runtime: its telemetry is off before the first, and what it complains of comes as an exception that names the
/// file.</summary>
internal static class OnnxSessions
{
    // Privacy.md of Microsoft.ML.OnnxRuntime 1.31: without it, its own libraries for Linux, macOS and Windows keep an identifier of the device and a queue of
    // events, with names and hashes of models, and send them.
    private const string TelemetrySwitch = "ORT_DISABLE_TELEMETRY";

    static OnnxSessions()
    {
        if (Environment.GetEnvironmentVariable(TelemetrySwitch) != "0") // somebody's own wish
        {
            NativeEnvironment.Set(TelemetrySwitch, "1");
            OrtEnv.Instance().DisableTelemetryEvents(); // where the program had ONNX Runtime running before us
        }

        if (NativeComplaints.Collected)
        {
            OrtEnv.Instance().EnvLogLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;
        }
    }

    /// <summary>Options of a session that computes on the calling thread and prints nothing; the caller disposes them.</summary>
    public static SessionOptions Options() =>
        new() { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };

    /// <summary>Opens a model.</summary>
    /// <param name="path">The model's file.</param>
    /// <param name="options">Those of <see cref="Options"/> with changes; null for them as they are.</param>
    /// <exception cref="FaceDistillException">The file is missing or no model that ONNX Runtime loads.</exception>
    public static InferenceSession Open(string path, SessionOptions? options = null)
    {
        if (!File.Exists(path))
        {
            throw new FaceDistillException($"no model file {path}");
        }

        using var usual = options is null ? Options() : null;
        try
        {
            return new InferenceSession(path, options ?? usual);
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaceDistillException($"{path} is not a model that ONNX Runtime loads: {e.Message.Split('\n')[0]}", e);
        }
    }

    /// <summary>Opens a model to compute it where the user wants.</summary>
    /// <param name="path">The model's file.</param>
    /// <param name="provider">One of <see cref="OnnxProviders.Names"/>.</param>
    /// <param name="say">Told where the CPU takes another's place.</param>
    /// <exception cref="FaceDistillException">As for <see cref="Open(string, SessionOptions?)"/> and <see cref="OnnxProviders.Open"/>.</exception>
    public static (InferenceSession Session, string Provider) Open(string path, string provider, Action<string>? say) =>
        OnnxProviders.Here.Open(provider, say, on => on == OnnxProviders.Cpu ? Open(path) : On(on, path));

    /// <summary>What the installed ONNX Runtime has, by its own names.</summary>
    internal static IReadOnlyList<string> Listed() => OrtEnv.Instance().GetAvailableProviders();

    // In 32 bits, and with kernels that are chosen without timing them, so that a run again gives the same.
    private static InferenceSession On(string provider, string path)
    {
        using var options = Options();
        switch (provider)
        {
            case "cuda":
                using (var cuda = new OrtCUDAProviderOptions())
                {
                    cuda.UpdateOptions(new() { ["use_tf32"] = "0", ["cudnn_conv_algo_search"] = "HEURISTIC" });
                    options.AppendExecutionProvider_CUDA(cuda);
                }

                break;
            case "directml":
                options.EnableMemoryPattern = false; // DirectML's own conditions
                options.ExecutionMode = ExecutionMode.ORT_SEQUENTIAL;
                options.AppendExecutionProvider_DML();
                break;
            case "openvino":
                options.AppendExecutionProvider("OpenVINO", new() { ["device_type"] = "AUTO", ["precision"] = "ACCURACY" });
                break;
            default: // Core ML, where the Neural Engine would compute in 16 bits
                options.AppendExecutionProvider("CoreML", new() { ["ModelFormat"] = "MLProgram", ["MLComputeUnits"] = "CPUAndGPU" });
                break;
        }

        return File.Exists(path) ? new InferenceSession(path, options) : throw new FaceDistillException($"no model file {path}");
    }
}
