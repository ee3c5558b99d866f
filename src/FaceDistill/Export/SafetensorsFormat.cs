namespace FaceDistill.Export;

/// <summary>safetensors for PyTorch: see <see cref="StudentSafetensors"/>.</summary>
public sealed class SafetensorsFormat : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "safetensors";

    /// <inheritdoc/>
    public override string Ending => StudentSafetensors.Ending;

    /// <inheritdoc/>
    public override bool HasEnds => false;

    /// <inheritdoc/>
    public override double MinCosine => 0.9999;

    /// <inheritdoc/>
    public override PreparedExport Prepare(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new PreparedExport((path, thresholds) => StudentSafetensors.Write(context.Checkpoint, path, thresholds));
    }
}
