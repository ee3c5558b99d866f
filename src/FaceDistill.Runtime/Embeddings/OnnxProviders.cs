using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Embeddings;

/// <summary>
/// Where ONNX Runtime computes a model, chosen by name among what the installed package has. Each computes in 32 bits where the model does, so that embeddings
/// of one model differ in their last digits only: they share caches and stores.
/// </summary>
/// <param name="listed">What the installed ONNX Runtime lists, by its own names.</param>
internal sealed partial class OnnxProviders(Func<IReadOnlyList<string>> listed)
{
    /// <summary>CUDA where it is installed and opens, else the CPU.</summary>
    public const string Auto = "auto";

    /// <summary>The processor: each session computes on the calling thread.</summary>
    public const string Cpu = "cpu";

    private const string Cuda = "cuda", DirectMl = "directml", OpenVino = "openvino", CoreMl = "coreml";
    private const int Batch = 128; // what keeps a device busy, in some gigabyte of its memory

    // ONNX Runtime's names, and what each asks of the machine beside the package.
    private static readonly (string Name, string Listed, string Needs)[] Known =
    [
        (Cpu, "CPUExecutionProvider", ""),
        (Cuda, "CUDAExecutionProvider", "an NVIDIA driver, and CUDA 13 and cuDNN 9 where the system finds libraries"),
        (DirectMl, "DmlExecutionProvider", "Windows and a graphics driver with DirectX 12"),
        (OpenVino, "OpenVINOExecutionProvider", "OpenVINO's libraries"),
        (CoreMl, "CoreMLExecutionProvider", "macOS 12 or newer"),
    ];

    // Asked for late: ONNX Runtime is loaded by it.
    private readonly Lazy<string[]> _installed = new(() => [.. Known.Where(k => k.Name == Cpu || listed().Contains(k.Listed)).Select(k => k.Name)]);
    private readonly ConcurrentDictionary<string, bool> _told = new(StringComparer.Ordinal);

    /// <summary>Those of this process.</summary>
    public static OnnxProviders Here { get; } = new(OnnxSessions.Listed);

    /// <summary>The names that are taken, whether or not they are installed.</summary>
    public static IReadOnlyList<string> Names { get; } = [Auto, .. Known.Select(k => k.Name)];

    /// <summary>Those that are installed, whether or not they open.</summary>
    public IReadOnlyList<string> Installed => _installed.Value;

    /// <summary>How many faces at once keep a provider busy, fed by one thread; 0 where each calling thread computes its own.</summary>
    public static int FacesAtOnce(string provider) => provider == Cpu ? 0 : Batch;

    /// <summary>Finds the provider of a name, before anything is opened.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>One that is installed.</returns>
    /// <exception cref="FaceDistillException">There is no such name, or the installed ONNX Runtime does not have it.</exception>
    public string Find(string name) => name == Auto ? Installed.Contains(Cuda) ? Cuda : Cpu
        : Installed.Contains(name) ? name
        : !Names.Contains(name) ? throw new FaceDistillException($"no provider '{name}'; there are {string.Join(", ", Names)}")
        : throw new FaceDistillException($"provider {name}: the ONNX Runtime that is installed has {string.Join(", ", Installed)}; "
            + (name == Cuda ? "build with -p:OnnxRuntime=cuda (FACEDISTILL_ONNXRUNTIME=cuda; in a program of your own the package "
                + "Microsoft.ML.OnnxRuntime.Gpu), "
                : $"in a program of your own take a package of it that has {name}, ") + "or take provider cpu or auto");

    /// <summary>Opens a model on the provider of a name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="say">Told, once for a reason, that the CPU takes the place of what <see cref="Auto"/> would have taken; null for nobody.</param>
    /// <param name="open">Opens it on a provider. On the CPU it fails with the message that the user is to see.</param>
    /// <returns>The opened model, and the provider that computes it.</returns>
    /// <exception cref="FaceDistillException">As for <see cref="Find"/>; also where a provider that was named does not open, or the CPU does not.</exception>
    public (T Model, string Provider) Open<T>(string name, Action<string>? say, Func<string, T> open)
        where T : IDisposable
    {
        string provider = Find(name);
        if (provider == Cpu)
        {
            return (open(Cpu), Cpu);
        }

        try
        {
            return (open(provider), provider);
        }
        catch (Exception e) when (e is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException or NotSupportedException)
        {
            var onCpu = open(Cpu); // where it does not open there either, the fault is the file's
            string why = $"provider {provider} does not open: {Reason(e.Message)}", needs = $"it needs {Known.Single(k => k.Name == provider).Needs}";
            if (name != Auto)
            {
                onCpu.Dispose();
                throw new FaceDistillException($"{why}; {needs}, or take provider cpu or auto", e);
            }

            if (say is not null && _told.TryAdd(why, true))
            {
                say($"{why}; {needs}. The CPU computes instead");
            }

            return (onCpu, Cpu);
        }
    }

    /// <summary>What a failure says of its cause: without ONNX Runtime's own sources, lines and calls.</summary>
    internal static string Reason(string message)
    {
        string line = message.Split('\n')[0];
        return Cause().Match(line) is { Success: true } cause ? cause.Groups["why"].Value.Trim() : Origin().Replace(line, "").Trim();
    }

    [GeneratedRegex(@"(?:with error(?: \d+)?: |failure \d+: )""?(?<why>[^;""]+)")]
    private static partial Regex Cause();

    [GeneratedRegex(@"^\[ErrorCode:\w+\]\s*")]
    private static partial Regex Origin();
}
