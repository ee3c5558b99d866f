using System.Globalization;
using System.Numerics.Tensors;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Protocols;

/// <summary>
/// IJB-B (Whitelam et al., 2017) and IJB-C (Maze et al., 2018): templates of several pictures of one person are compared, 1:1 by the published pair list,
/// 1:N in two galleries.
/// </summary>
internal static class Ijb
{
    private static readonly double[] s_fars = [1e-1, .. FarTargets.Default];

    /// <summary>
    /// The templates' vectors: the mean over the faces of one medium (photo or video), summed over the media, as the field's scripts do it. Embeddings keep the
    /// lengths that the model gives; the sum is brought to unit length by the cosine.
    /// </summary>
    /// <param name="set">A row a face, in the files' order.</param>
    /// <param name="files">Which template and medium each face is of.</param>
    /// <param name="detectorScores">Whether each face counts by its detector score.</param>
    /// <returns>A row a template, by rising number; the number is its path.</returns>
    /// <exception cref="FaceDistillException">An embedding is unusable, there are more or fewer than the faces, or a template's faces cancel out.</exception>
    public static EmbeddingSet Templates(EmbeddingSet set, IjbFiles files, bool detectorScores)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(files);
        if (set.Count != files.Faces.Count)
        {
            throw new FaceDistillException($"{set.Name} has {set.Count} embeddings where {files.Set} has {files.Faces.Count} faces; give the model itself");
        }

        UnitEmbeddings.Check(set);
        var templates = Enumerable.Range(0, set.Count).GroupBy(row => files.Faces[row].Template).OrderBy(template => template.Key).ToList();
        var values = new float[(long)templates.Count * set.Dimension];
        Parallel.For(0, templates.Count, t =>
        {
            double[] sum = new double[set.Dimension], mean = new double[set.Dimension], face = new double[set.Dimension];
            foreach (var media in templates[t].GroupBy(row => files.Faces[row].Media))
            {
                Array.Clear(mean);
                int count = 0;
                foreach (int row in media)
                {
                    TensorPrimitives.ConvertTruncating(set.Row(row), face);
                    TensorPrimitives.MultiplyAdd(face, detectorScores ? files.Faces[row].Score : 1, mean, mean);
                    count++;
                }

                TensorPrimitives.MultiplyAdd(mean, 1.0 / count, sum, sum);
            }

            TensorPrimitives.ConvertTruncating<double, float>(sum, values.AsSpan(t * set.Dimension, set.Dimension));
        });
        string[] names = [.. templates.Select(template => template.Key.ToString(CultureInfo.InvariantCulture))];
        var pooled = new EmbeddingSet(set.Name, set.Dimension, values, names, [.. names.Select(_ => "")]) { ModelHash = set.ModelHash };
        UnitEmbeddings.Check(pooled);
        return pooled;
    }

    /// <summary>1:1: the published pairs of templates.</summary>
    /// <param name="set">A row a face, in the files' order.</param>
    /// <param name="files">The files.</param>
    /// <param name="options">The rates, and whether detector scores count.</param>
    /// <param name="job">Stops it.</param>
    /// <exception cref="FaceDistillException">As <see cref="Templates"/>; also where the pair list is not right or has pairs of one kind only.</exception>
    public static ModelResult Verification(EmbeddingSet set, IjbFiles files, EvaluationOptions options, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(options);
        var pooled = Templates(set, files, options.DetectorScores);
        var rows = Rows(pooled);
        var scores = new IjbPairScores(ScoredVectors.Of(pooled), options.Resamples > 0 ? Subjects(files, rows) : null, job);
        files.EachPair(rows, scores.Add);
        var (genuine, impostors) = scores.All();
        if (genuine.Length == 0 || impostors.Length == 0)
        {
            throw new FaceDistillException($"{files.Set}_template_pair_label.txt has {genuine.Length} pairs of one person and {impostors.Length} of two; "
                + "accuracy needs both kinds");
        }

        var fars = options.Fars ?? s_fars;
        var tail = ExactThreshold.TailOf(impostors, fars);
        FarPoint?[] points = [.. fars.Select(far => ExactThreshold.Point(far, impostors.LongLength, genuine, tail))];
        return new ModelResult(set.Name, set.Count, genuine.Length, impostors.Length)
        {
            Uncertainty = scores.Uncertainty(fars, options, $"{options.Seed} {options.Resamples} {Path.GetFullPath(files.Folder)} {files.Set}", job.Cancel),
            Rates = new RatesAtFar(set.Count, scores.People, genuine.Length, impostors.Length, [.. fars], points),
            Ijb = Result(pooled, files, options) with { PeersTarAtFar = Peers(genuine, impostors, fars) },
        };
    }

    /// <summary>
    /// 1:N: the mixed probes searched in the two galleries. Closed set: in both galleries at once, as the field's scripts do it; open set: in each by itself,
    /// where probes of the other gallery's subjects have no mate.
    /// </summary>
    /// <param name="set">A row a face, in the files' order.</param>
    /// <param name="files">The files.</param>
    /// <param name="options">Whether detector scores count.</param>
    /// <param name="job">Told how many probes are done.</param>
    /// <exception cref="FaceDistillException">As <see cref="Templates"/>; also where a list is not right.</exception>
    public static ModelResult Search(EmbeddingSet set, IjbFiles files, EvaluationOptions options, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(options);
        var pooled = Templates(set, files, options.DetectorScores);
        var rows = Rows(pooled);
        var lists = Lists(files);
        int[] Of(int list) => [.. lists[list].Subjects.Keys.Order().Select(template => rows.TryGetValue(template, out int row) ? row
            : throw new FaceDistillException($"{lists[list].File}: template {template} has no face in {files.Set}_face_tid_mid.txt"))];
        int[] first = Of(0), second = Of(1), probes = Of(2);
        foreach (var (template, subject) in lists.SelectMany(list => list.Subjects))
        {
            pooled.Identities[rows[template]] = subject.ToString(CultureInfo.InvariantCulture);
        }

        int[] gallery = [.. first, .. second];
        var outcomes = IdentificationSearch.Run(pooled, gallery, probes, job);
        double Share(int rank) => outcomes.Count(o => o.Rank <= rank) / (double)outcomes.Length;
        var people = gallery.Select(row => pooled.Identities[row]).Distinct(StringComparer.Ordinal).Count();
        var fars = options.Fars ?? IdentificationOptions.DefaultFars;
        return new ModelResult(set.Name, set.Count, probes.Length, ((long)gallery.Length * probes.Length) - probes.Length)
        {
            Identification = new IdentificationResult
            {
                Name = set.Name,
                GalleryImages = gallery.Length,
                GalleryIdentities = people,
                Probes = probes.Length,
                Rank1 = Share(1),
                Rank5 = Share(5),
                Rank10 = Share(10),
                OpenSet = Identification.OpenSet(pooled, first, probes, fars, job),
                SecondGallery = Identification.OpenSet(pooled, second, probes, fars, job),
                MissingImages = 0,
            },
            Ijb = Result(pooled, files, options),
        };
    }

    /// <summary>The lists of 1:N: two galleries and the probes.</summary>
    /// <exception cref="FaceDistillException">One is missing or malformed, a subject has several templates in the galleries, or a probe's subject none.
    /// </exception>
    public static (string File, IReadOnlyDictionary<int, int> Subjects)[] Lists(IjbFiles files)
    {
        ArgumentNullException.ThrowIfNull(files);
        (string File, IReadOnlyDictionary<int, int> Subjects)[] lists =
            [files.Subjects("gallery_G1", "gallery_S1"), files.Subjects("gallery_G2", "gallery_S2"), files.Subjects("probe_mixed")];
        var subjects = new Dictionary<int, string>();
        foreach (var (file, subject) in lists[..2].SelectMany(list => list.Subjects.Select(s => (list.File, s.Value))))
        {
            if (!subjects.TryAdd(subject, file))
            {
                throw new FaceDistillException($"{file}: subject {subject} has a template in {subjects[subject]} already; each is enrolled once");
            }
        }

        int lost = lists[2].Subjects.Values.Where(subject => !subjects.ContainsKey(subject)).DefaultIfEmpty(-1).First();
        return lost == -1 || subjects.ContainsKey(lost) ? lists
            : throw new FaceDistillException($"{lists[2].File}: subject {lost} is in neither gallery; the protocol's probes all are in one");
    }

    /// <summary>
    /// What the field's scripts print for the same scores: of the corners of the ROC curve (scikit-learn's roc_curve) the one whose false accept rate is
    /// nearest to the wanted one, above it or below.
    /// </summary>
    internal static Dictionary<string, double?> Peers(float[] genuine, float[] impostors, IReadOnlyList<double> fars)
    {
        float[] own = [.. genuine.OrderDescending()], others = [.. impostors];
        Array.Sort(others);
        Array.Reverse(others);
        double[] nearest = [.. fars.Select(_ => double.PositiveInfinity)], tars = new double[fars.Count];
        void Corner(long accepts, long trues)
        {
            for (int i = 0; i < nearest.Length; i++)
            {
                double off = Math.Abs(((double)accepts / others.Length) - fars[i]);
                if (off <= nearest[i]) // of two as near the later, as the scripts look from the curve's other end
                {
                    (nearest[i], tars[i]) = (off, (double)trues / own.Length);
                }
            }
        }

        Corner(0, 0);
        (long F, long T) step = default;
        long f = 0, t = 0;
        for (long point = 1; f < others.Length || t < own.Length; point++)
        {
            float score = Math.Max(f < others.Length ? others[f] : float.NegativeInfinity, t < own.Length ? own[t] : float.NegativeInfinity);
            long fromF = f, fromT = t;
            for (; f < others.Length && others[f] == score; f++)
            {
            }

            for (; t < own.Length && own[t] == score; t++)
            {
            }

            if (point == 2 || (point > 2 && step != (f - fromF, t - fromT)))
            {
                Corner(fromF, fromT); // roc_curve leaves out points on a straight line of equal steps
            }

            step = (f - fromF, t - fromT);
        }

        Corner(f, t);
        return FarPoint.ByLabel(fars, tars, tar => (double?)tar);
    }

    private static Dictionary<int, int> Rows(EmbeddingSet templates) =>
        templates.Paths.Select((name, row) => (Number: InvariantNumber.Whole(name, out int number) ? number
            : throw new FaceDistillException($"'{name}' is no template's number"), row)).ToDictionary(t => t.Number, t => t.row);

    // A number of the subject for each row; null where the 1:N lists do not name every template's.
    private static int[]? Subjects(IjbFiles files, Dictionary<int, int> rows)
    {
        var subjects = files.KnownSubjects();
        if (subjects is null || !rows.Keys.All(subjects.ContainsKey))
        {
            return null;
        }

        var numbers = rows.Keys.Select(template => subjects[template]).Distinct().Order().Select((subject, i) => (subject, i)).ToDictionary();
        int[] result = new int[rows.Count];
        foreach (var (template, row) in rows)
        {
            result[row] = numbers[subjects[template]];
        }

        return result;
    }

    private static IjbResult Result(EmbeddingSet templates, IjbFiles files, EvaluationOptions options) =>
        new(templates.Count, files.Faces.Select(face => (face.Template, face.Media)).Distinct().Count(), options.DetectorScores);
}
