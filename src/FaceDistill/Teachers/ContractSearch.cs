using System.Numerics.Tensors;
using FaceDistill.Embeddings;
using FaceDistill.Faces;

namespace FaceDistill.Teachers;

/// <summary>A contract that was tried on faces of known people.</summary>
/// <param name="contract">The contract.</param>
/// <param name="scaling">Its scaling in words.</param>
internal sealed class TriedContract(ModelInputSpec contract, string scaling)
{
    private readonly List<float[]> _embeddings = [];

    /// <summary>The contract.</summary>
    public ModelInputSpec Contract => contract;

    /// <summary>Its scaling in words.</summary>
    public string Scaling => scaling;

    /// <summary>On how many faces it was tried.</summary>
    public int Faces => _embeddings.Count;

    /// <summary>What separates one person's cosines from two people's; null where the model gave no numbers.</summary>
    public Separation? Separation { get; private set; }

    /// <summary>Embeds the faces that it was not tried on yet, and measures anew.</summary>
    /// <param name="model">The model, whose own scaling and colour order are not looked at.</param>
    /// <param name="faces">The faces.</param>
    /// <param name="count">The first so many of them.</param>
    /// <param name="batch">Faces at a time.</param>
    /// <param name="done">Told how many faces were embedded.</param>
    /// <param name="cancel">Stops it.</param>
    public void Extend(OnnxEmbedder model, KnownFaces faces, int count, int batch, Action<int> done, CancellationToken cancel)
    {
        int first = Faces;
        var found = new float[count - first][];
        try
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel };
            Parallel.For(0, (found.Length + batch - 1) / batch, options, part =>
            {
                int at = part * batch, size = Math.Min(batch, found.Length - at);
                var input = new float[size * contract.Values];
                for (int i = 0; i < size; i++)
                {
                    using var view = faces.View(contract.Template, first + at + i, contract.Size);
                    FaceTensor.Fill(view, contract, input.AsSpan(i * contract.Values, contract.Values));
                }

                var embeddings = new float[size * model.Dimension];
                model.Embed(input, size, embeddings);
                for (int i = 0; i < size; i++)
                {
                    found[at + i] = embeddings.AsSpan(i * model.Dimension, model.Dimension).ToArray();
                }

                done(size);
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.Any(one => one is FaceDistillException))
        {
            found = [.. found.Select(f => f ?? new float[model.Dimension])]; // NaN or infinity: not how this model wants its pictures
        }

        _embeddings.AddRange(found);
        Separation = Separation.OfCosines(_embeddings, faces.People);
    }

    /// <summary>What is better without the lengths: true where the cosine separates at least as well as the distance.</summary>
    /// <param name="people">Each face's person.</param>
    public bool CosineSeparatesAsWell(IReadOnlyList<int> people) =>
        Separation is not { } cosine || Separation.OfDistances(_embeddings, people) is not { } distance || cosine.DPrime >= distance.DPrime;

    /// <summary>Whether the model itself gives embeddings of unit length.</summary>
    public bool IsUnitLength => _embeddings.TrueForAll(e => Math.Abs(TensorPrimitives.Norm<float>(e) - 1) < 1e-2);
}

/// <summary>
/// Finds the contract of a model by what separates people best: all combinations on few faces, the better ones on more. The faces are the same for all, so
/// that few of them tell much.
/// </summary>
/// <param name="model">The model, opened under any contract of its size and layout.</param>
/// <param name="file">What its file says.</param>
/// <param name="faces">Faces of known people.</param>
internal sealed class ContractSearch(OnnxEmbedder model, ModelFile file, KnownFaces faces)
{
    private const int Batch = 8;
    private const double Same = 0.02; // of the best d': what 8 bits make of 127.5 against 128
    private static readonly int[] Kept = [int.MaxValue, 12, 6]; // combinations tried in each stage of KnownFaces

    // In the order in which they are usual: it decides between two that separate alike.
    private static readonly (string Name, float[] Rgb, float[] Std)[] Scalings =
    [
        ("(x - 127.5) / 127.5", [127.5f, 127.5f, 127.5f], [127.5f, 127.5f, 127.5f]), // InsightFace, AdaFace
        ("(x - 127.5) / 128", [127.5f, 127.5f, 127.5f], [128, 128, 128]), // older InsightFace, facenet-pytorch
        (Prewhitening, [0, 0, 0], [1, 1, 1]), // FaceNet
        ("x / 255", [0, 0, 0], [255, 255, 255]),
        (Raw, [0, 0, 0], [1, 1, 1]), // scaled within the graph
        ("ImageNet's mean and deviation", [123.675f, 116.28f, 103.53f], [58.395f, 57.12f, 57.375f]), // torchvision
        ("dlib's mean, / 256", [122.782f, 117.001f, 104.298f], [256, 256, 256]), // dlib, input_rgb_image_sized
        ("VGGFace2's mean", [131.0912f, 103.8827f, 91.4953f], [1, 1, 1]), // VGGFace2's Caffe models
    ];

    private const string Prewhitening = "prewhitening", Raw = "x";

    /// <summary>Every combination that the contract knows and the file leaves open.</summary>
    public static IReadOnlyList<TriedContract> Combinations(ModelInputSpec known, ModelFile file, IReadOnlyList<string> templates) =>
    [
        .. from template in templates
           from order in Enum.GetValues<ColorOrder>()
           from scaling in Scalings
           where file.Type != nameof(Byte) || scaling.Name == Raw
           select new TriedContract(
               known with
               {
                   Template = template,
                   ColorOrder = order,
                   Mean = InOrder(scaling.Rgb, order),
                   Std = InOrder(scaling.Std, order),
                   PerImageStandardisation = scaling.Name == Prewhitening,
               }, scaling.Name),
    ];

    /// <summary>Tries them.</summary>
    /// <param name="job">Told of every batch.</param>
    /// <returns>All, the best first; those of later stages were tried on more faces.</returns>
    public IReadOnlyList<TriedContract> Run(JobContext job)
    {
        List<TriedContract> tried = [.. Combinations(model.Contract, file, faces.Templates)];
        int total = 0, before = 0, left = tried.Count;
        for (int stage = 0; stage < Kept.Length; stage++)
        {
            left = Math.Min(left, Kept[stage]);
            total += left * (faces.Stages[stage] - before);
            before = faces.Stages[stage];
        }

        int done = 0;
        void Done(int n) => job.Progress?.Report(new WorkProgress("trying contracts", Interlocked.Add(ref done, n), total, "faces"));
        for (int stage = 0; stage < Kept.Length; stage++)
        {
            foreach (var one in tried.Take(Kept[stage]))
            {
                one.Extend(model, faces, faces.Stages[stage], Batch, Done, job.Cancel);
            }

            int among = Math.Min(tried.Count, Kept[stage]);
            tried = [.. tried.Take(among).OrderByDescending(t => t.Separation?.DPrime ?? double.NegativeInfinity), .. tried.Skip(among)];
        }

        return tried;
    }

    /// <summary>Those that cannot be told apart from the best by these faces, the best among them.</summary>
    /// <param name="tried">What <see cref="Run"/> gave.</param>
    public static IReadOnlyList<TriedContract> Near(IReadOnlyList<TriedContract> tried)
    {
        var best = tried[0];
        return [.. tried.Where(t => t.Faces == best.Faces && t.Separation is { } other && (t == best || IsNear(best.Separation!, other)))];
    }

    /// <summary>Of those the one that is the most usual.</summary>
    public static TriedContract MostUsual(IReadOnlyList<TriedContract> near) =>
        near.MinBy(t => Array.FindIndex(Scalings, s => s.Name == t.Scaling) + (100 * (int)t.Contract.ColorOrder)
            + (1000 * AlignmentTemplate.All.ToList().FindIndex(a => a.Name == t.Contract.Template)))!;

    // Two standard errors of the difference, person by person left out.
    private static bool IsNear(Separation best, Separation other)
    {
        double difference = best.DPrime - other.DPrime;
        double[] without = [.. best.Without.Zip(other.Without, (a, b) => a - b)];
        double mean = without.Average(), error = Math.Sqrt((without.Length - 1.0) / without.Length * without.Sum(d => (d - mean) * (d - mean)));
        return difference <= Math.Max(2 * error, Same * best.DPrime);
    }

    private static float[] InOrder(float[] rgb, ColorOrder order) => order == ColorOrder.Rgb ? rgb : [rgb[2], rgb[1], rgb[0]];
}

/// <summary>How far a score holds one person's pairs and two people's apart.</summary>
/// <param name="DPrime">d': the difference of the two means by the root of the mean of the two variances.</param>
/// <param name="Auc">The share of (one person's, two people's) pairs of pairs in which the first scores higher.</param>
/// <param name="Without">d' without each person.</param>
internal sealed record Separation(double DPrime, double Auc, double[] Without)
{
    /// <summary>That of the cosine.</summary>
    public static Separation? OfCosines(IReadOnlyList<float[]> embeddings, IReadOnlyList<int> people) =>
        Of(embeddings, people, (a, b) => TensorPrimitives.CosineSimilarity<float>(a, b));

    /// <summary>That of minus the Euclidean distance.</summary>
    public static Separation? OfDistances(IReadOnlyList<float[]> embeddings, IReadOnlyList<int> people) =>
        Of(embeddings, people, (a, b) => -TensorPrimitives.Distance<float>(a, b));

    private static Separation? Of(IReadOnlyList<float[]> embeddings, IReadOnlyList<int> people, Func<float[], float[], float> score)
    {
        if (embeddings.Count == 0)
        {
            return null; // of none of a stage's photos a face was found
        }

        int persons = people.Take(embeddings.Count).Max() + 1;
        var all = new Moments();
        var ofPerson = new Moments[persons];
        List<float> genuine = [], impostor = [];
        for (int i = 0; i < embeddings.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                float s = score(embeddings[i], embeddings[j]);
                if (!float.IsFinite(s))
                {
                    return null;
                }

                bool same = people[i] == people[j];
                (same ? genuine : impostor).Add(s);
                all.Add(s, same);
                ofPerson[people[i]].Add(s, same);
                if (!same)
                {
                    ofPerson[people[j]].Add(s, same);
                }
            }
        }

        return all.DPrime is { } d && double.IsFinite(d)
            ? new Separation(d, AucOf([.. genuine], [.. impostor]), [.. ofPerson.Select(p => all.Less(p).DPrime)]) : null;
    }

    private static double AucOf(float[] genuine, float[] impostor)
    {
        Array.Sort(impostor);
        double higher = 0;
        foreach (float g in genuine)
        {
            higher += (Below(impostor, g, orEqual: false) + Below(impostor, g, orEqual: true)) / 2.0; // a tie is half
        }

        return higher / genuine.Length / impostor.Length;
    }

    private static int Below(float[] sorted, float value, bool orEqual)
    {
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = sorted[middle] < value || (orEqual && sorted[middle] == value) ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>Counts, sums and sums of squares of both kinds of pairs.</summary>
    private record struct Moments(double G, double SumG, double SquaresG, double I, double SumI, double SquaresI)
    {
        public readonly double DPrime => ((SumG / G) - (SumI / I)) / Math.Sqrt((Variance(G, SumG, SquaresG) + Variance(I, SumI, SquaresI)) / 2);

        public void Add(double s, bool same) => this = same ? this with { G = G + 1, SumG = SumG + s, SquaresG = SquaresG + (s * s) }
            : this with { I = I + 1, SumI = SumI + s, SquaresI = SquaresI + (s * s) };

        public readonly Moments Less(Moments o) => new(G - o.G, SumG - o.SumG, SquaresG - o.SquaresG, I - o.I, SumI - o.SumI, SquaresI - o.SquaresI);

        private static double Variance(double n, double sum, double squares) => Math.Max(0, (squares / n) - (sum / n * (sum / n)));
    }
}
