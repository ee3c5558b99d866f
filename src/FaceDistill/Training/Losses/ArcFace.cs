using FaceDistill.Kernels;
using static TorchSharp.torch;

namespace FaceDistill.Training.Losses;

/// <summary>
/// Additive angular margin, equation 3 of Deng et al., "ArcFace" (2019): the cross-entropy over people of scale cos(theta_k), where theta_k is the
/// angle between a face's embedding and the centre of person k, and scale cos(theta_y + margin) for the face's own person y. Where theta_y + margin
/// passes pi, cos(theta_y) - margin sin(margin) keeps it falling, as in the authors' program. The only loss here that needs identities.
/// </summary>
internal sealed class ArcFace : nn.Module
{
    /// <summary>What cosines are multiplied by in the paper.</summary>
    public const double PaperScale = 64;

    /// <summary>The margin in radians in the paper.</summary>
    public const double PaperMargin = 0.5;

    private readonly double _scale;
    private readonly double _margin;

    /// <summary>Makes the people's centres: normally distributed, as only their directions count.</summary>
    /// <param name="people">C, the number of people, at least 2.</param>
    /// <param name="dimension">D.</param>
    /// <param name="seed">Decides them.</param>
    /// <param name="scale">What cosines are multiplied by.</param>
    /// <param name="margin">The margin in radians, 0 to 1; 0 leaves a softmax of cosines.</param>
    public ArcFace(int people, int dimension, long seed, double scale = PaperScale, double margin = PaperMargin)
        : base(nameof(ArcFace))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(people, 2);
        TorchNative.EnsureLoaded();
        (_scale, _margin) = (scale, margin);
        using var generator = new Generator((ulong)seed);
        using var frozen = no_grad();
        register_parameter("class_centres", nn.Parameter(empty(people, dimension).normal_(0, 1, generator)));
    }

    /// <summary>float32 [C, D]; trained with the student.</summary>
    public Tensor Centres => get_parameter("class_centres")!; // another tensor after a move to another device

    /// <summary>The loss.</summary>
    /// <param name="student">float32 [N, D].</param>
    /// <param name="labels">int64 [N]: the person, 0 to C - 1, or -1 where it is not known; such faces are left out.</param>
    /// <returns>float32 scalar, mean over the faces of known people; 0 where there is none.</returns>
    public Tensor Loss(Tensor student, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(labels);
        using var scope = NewDisposeScope();
        var known = labels.IsAtLeast(0).nonzero().squeeze(1);
        if (known.numel() == 0)
        {
            return student.sum().Times(0).MoveToOuterDisposeScope();
        }

        var own = labels.index_select(0, known).unsqueeze(1);
        var cosines = nn.functional.linear(nn.functional.normalize(student.index_select(0, known), dim: 1), nn.functional.normalize(Centres, dim: 1));
        var logits = cosines.scatter(1, own, WithMargin(cosines.gather(1, own))).Times(_scale);
        return nn.functional.cross_entropy(logits, own.squeeze(1)).MoveToOuterDisposeScope();
    }

    private Tensor WithMargin(Tensor cosine)
    {
        double cosM = Math.Cos(_margin), sinM = Math.Sin(_margin), turn = Math.Cos(Math.PI - _margin);
        var sine = cosine.Squared().neg().Plus(1).Between(1e-9, 1).sqrt(); // the root's gradient is infinite at 0
        return where(cosine.IsAbove(turn), cosine.Times(cosM).sub(sine.Times(sinM)), cosine.Minus(_margin * sinM));
    }
}
