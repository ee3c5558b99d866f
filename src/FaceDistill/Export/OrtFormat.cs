using FaceDistill.Formats;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Export;

/// <summary>
/// ONNX Runtime's own format (.ort), which its reduced builds for phones load: the fp32 graph, optimised and written by ONNX Runtime.
/// Optimisations for this machine's processor are left out (level "extended"), so that the file runs elsewhere.
/// </summary>
public sealed class OrtFormat : OnnxFormat
{
    /// <inheritdoc/>
    public override string Name => "ort";

    /// <inheritdoc/>
    public override string Ending => ".ort";

    /// <inheritdoc/>
    public override PreparedExport Prepare(ExportContext context)
    {
        var onnx = base.Prepare(context);
        return onnx with { Write = (path, thresholds) => AtomicFile.WriteBeside(path, temporary =>
        {
            string source = temporary + ".onnx";
            try
            {
                onnx.Write(source, thresholds);
                Convert(source, temporary);
            }
            finally
            {
                File.Delete(source);
            }
        }) };
    }

    private static void Convert(string onnx, string target)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
            OptimizedModelFilePath = target,
            IntraOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        options.AddSessionConfigEntry("session.save_model_format", "ORT"); // the path's ending does not say it
        try
        {
            using var session = new InferenceSession(onnx, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaceDistillException($"ONNX Runtime did not write {target}: {e.Message.Split('\n')[0]}", e);
        }
    }
}
