using TorchSharp;

namespace FaceDistill.Native;

/// <summary>Chooses where torch computes.</summary>
public static class TorchDevice
{
    /// <summary>The values of <c>--device</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = ["auto", "cpu", "cuda"];

    /// <summary>Finds the device of a name; "auto" is CUDA where there is one.</summary>
    /// <exception cref="FaceDistillException">No such name, or CUDA asked for where this build or machine has none.</exception>
    public static torch.Device Resolve(string name)
    {
        TorchNative.EnsureLoaded();
        return name switch
        {
            "cpu" => torch.CPU,
            "auto" => torch.cuda_is_available() ? torch.CUDA : torch.CPU,
            "cuda" => torch.cuda_is_available() ? torch.CUDA : throw new FaceDistillException(
                "no CUDA device here, or this is the CPU build; build with -p:Torch=cuda on a machine with an NVIDIA driver, or use --device cpu"),
            _ => throw new FaceDistillException($"no device '{name}'; there are {string.Join(", ", Names)}"),
        };
    }
}
