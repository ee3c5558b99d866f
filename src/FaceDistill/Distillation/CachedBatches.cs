using FaceDistill.Faces;

namespace FaceDistill.Distillation;

/// <summary>
/// Augmented views that the teacher embedded beforehand: each epoch shows one of a face's K views, and it is drawn again from the same
/// parameters at the student's size.
/// </summary>
/// <param name="faces">Faces, with <see cref="TrainingFaces.Augmented"/>.</param>
/// <param name="frames">The aligned pictures.</param>
/// <param name="size">The student's resolution.</param>
internal sealed class CachedBatches(TrainingFaces faces, FaceFrames frames, int size) : IBatchFiller
{
    private readonly AugmentedTargets _targets = faces.Augmented!;
    private readonly ViewRenderer _renderer = new(faces.Faces.Manifest.Frame);

    /// <inheritdoc/>
    public void Fill(TrainingBatch batch, int epoch, int[] indices, CancellationToken stop) => ParallelFaces.Run(indices.Length, i =>
    {
        int face = indices[i], view = ViewOf(epoch, face);
        using var aligned = frames.Open(face);
        using var picture = _renderer.Render(aligned, _targets.View(view, faces.Faces.Dataset.Images[face].Key), size);
        FaceTensor.CopyRgb(picture, batch.PixelsOf(i));
        faces.Scaling.Apply(_targets.Cached[view].Row(face), batch.TargetOf(i));
    }, stop);

    // Each K epochs show every view once; each face begins with another one.
    private int ViewOf(int epoch, int face) => (int)((SeededChoice.Bits(_targets.Seed, 0, face, purpose: 2) + (ulong)epoch) % (ulong)_targets.Cached.Count);
}
