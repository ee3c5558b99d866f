using System.Diagnostics;
using System.Globalization;

namespace FaceDistill.Benchmarks;

/// <summary>Runs pytorch/train_step.py, the same step in PyTorch.</summary>
internal static class PyTorchTwin
{
    /// <summary>Images a second and PyTorch's version. The interpreter is $FACEDISTILL_PYTHON, or /usr/bin/python3.</summary>
    public static (double ImagesPerSecond, string Version) Measure(TrainCase test, double secondsARound, int rounds)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "pytorch", "train_step.py");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("FACEDISTILL_PYTHON") ?? "/usr/bin/python3")
        {
            RedirectStandardOutput = true,
        };
        string[] arguments =
        [
            script, "--width", Text(test.Spec.Width), "--resolution", Text(test.Spec.Resolution), "--batch", Text(test.Batch),
            "--seconds", Text(secondsARound), "--rounds", Text(rounds), "--threads", Text(TorchSharp.torch.get_num_threads()),
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        using var process = Process.Start(start)!;
        string[] answer = process.StandardOutput.ReadToEnd().Split(' ', StringSplitOptions.TrimEntries);
        process.WaitForExit();
        return process.ExitCode == 0 && answer.Length == 2
            ? (double.Parse(answer[0], CultureInfo.InvariantCulture), answer[1])
            : throw new FaceDistillException(
            $"{script} failed; it needs PyTorch (Debian: apt-get install python3-torch)");
    }

    private static string Text(IConvertible value) => value.ToString(CultureInfo.InvariantCulture);
}
