using FaceDistill.Files;
using FaceDistill.Formats;
using Point2f = OpenCvSharp.Point2f;

namespace FaceDistill.Datasets;

/// <summary>One face of IJB-B or IJB-C.</summary>
/// <param name="Name">Its picture's name in <c>loose_crop</c>.</param>
/// <param name="Template">The set of pictures of one person that it belongs to.</param>
/// <param name="Media">The photo or video that it is from.</param>
/// <param name="Points">Its five points in the picture, pixels: the eye at the left, the eye at the right, nose, mouth corners.</param>
/// <param name="Score">The detector's confidence.</param>
internal readonly record struct IjbFace(string Name, int Template, int Media, Point2f[] Points, float Score);

/// <summary>
/// IJB-B's and IJB-C's files in the layout of the field's scripts (InsightFace, recognition/_evaluation_/ijb): <c>meta/ijbc_face_tid_mid.txt</c> and
/// <c>meta/ijbc_name_5pts_score.txt</c>, line by line of the same faces, <c>meta/ijbc_template_pair_label.txt</c>, <c>meta/ijbc_1N_*.csv</c> and the
/// pictures in <c>loose_crop</c>; of IJB-B likewise with ijbb.
/// </summary>
/// <param name="Folder">The folder that holds <c>meta</c> and <c>loose_crop</c>.</param>
/// <param name="Set">ijbb or ijbc.</param>
/// <param name="Faces">The faces, in the files' order.</param>
internal sealed record IjbFiles(string Folder, string Set, IReadOnlyList<IjbFace> Faces)
{
    /// <summary>The folder of the pictures.</summary>
    public const string Pictures = "loose_crop";

    private const string SubjectsHeader = "TEMPLATE_ID,SUBJECT_ID";

    private delegate void LineOfFields(int line, ReadOnlySpan<char> text, ReadOnlySpan<Range> fields);

    private string PairsFile => Meta(Folder, Set, "template_pair_label.txt");

    /// <summary>Reads which faces there are.</summary>
    /// <exception cref="FaceDistillException">A file is missing or malformed, or the two are not of the same faces; the message names file and
    /// line.</exception>
    public static IjbFiles Read(string? folder, string set)
    {
        if (folder is null || !Directory.Exists(Path.Combine(folder, "meta")))
        {
            throw new FaceDistillException($"{folder ?? "no folder"} has no folder 'meta' of {set}'s files (meta/{set}_face_tid_mid.txt and the like, and the "
                + $"pictures in {Pictures}); name the folder that holds it with --data");
        }

        string tid = Meta(folder, set, "face_tid_mid.txt"), landmarks = Meta(folder, set, "name_5pts_score.txt");
        var faces = new List<IjbFace>();
        Each(tid, 3, "a picture, a template and a medium", (line, text, fields) =>
            faces.Add(new IjbFace(text[fields[0]].ToString(), Whole(tid, line, text[fields[1]]), Whole(tid, line, text[fields[2]]), [], 0)));
        int at = 0;
        Each(landmarks, 12, "a picture, five points and a score", (line, text, fields) =>
        {
            if (at == faces.Count || !text[fields[0]].SequenceEqual(faces[at].Name))
            {
                throw new FaceDistillException($"{landmarks} line {line}: {text[fields[0]]} where {tid} has "
                    + $"{(at == faces.Count ? "no more faces" : faces[at].Name)}; the two files name the same faces in the same order");
            }

            var points = new Point2f[5];
            for (int i = 0; i < points.Length; i++)
            {
                points[i] = new Point2f(Number(landmarks, line, text[fields[(2 * i) + 1]]), Number(landmarks, line, text[fields[(2 * i) + 2]]));
            }

            if (points.All(p => p == points[0]))
            {
                throw new FaceDistillException($"{landmarks} line {line}: the five points are one; a face is aligned by them");
            }

            faces[at] = faces[at] with { Points = points, Score = Number(landmarks, line, text[fields[11]]) };
            at++;
        });
        return at == faces.Count && at > 0 ? new IjbFiles(folder, set, faces)
            : throw new FaceDistillException($"{landmarks} has {at} faces where {tid} has {faces.Count}; the two files name the same faces in the same order");
    }

    /// <summary>Reads the list of pairs and lets it go.</summary>
    /// <exception cref="FaceDistillException">As <see cref="EachPair"/>.</exception>
    public IjbFiles CheckPairs()
    {
        EachPair(Faces.Select(face => face.Template).Distinct().ToDictionary(template => template), (_, _, _) => { });
        return this;
    }

    /// <summary>Reads the pairs of templates, one after another: the published list has millions.</summary>
    /// <param name="templates">The number of each template.</param>
    /// <param name="use">Given the numbers of two templates and whether they are of one person.</param>
    /// <exception cref="FaceDistillException">The file is missing or malformed, or names a template that has no face.</exception>
    public void EachPair(IReadOnlyDictionary<int, int> templates, Action<int, int, bool> use)
    {
        string path = PairsFile;
        int Number(int line, ReadOnlySpan<char> field) => templates.TryGetValue(Whole(path, line, field), out int number) ? number
            : throw new FaceDistillException($"{path} line {line}: template {field} has no face in {Meta(Folder, Set, "face_tid_mid.txt")}");
        Each(path, 3, "two templates and 0 or 1", (line, text, fields) =>
        {
            int label = Whole(path, line, text[fields[2]]);
            if (label is not (0 or 1))
            {
                throw new FaceDistillException($"{path} line {line}: '{text}' is not two templates and 0 or 1");
            }

            use(Number(line, text[fields[0]]), Number(line, text[fields[1]]), label == 1);
        });
    }

    /// <summary>Reads a list of templates of 1:N with their subjects, each once.</summary>
    /// <param name="names">What the file may be called after <c>ijbc_1N_</c>.</param>
    /// <returns>The file, and each template with its subject.</returns>
    /// <exception cref="FaceDistillException">There is no such file, or it is malformed, or says two things of one template.</exception>
    public (string File, IReadOnlyDictionary<int, int> Subjects) Subjects(params string[] names)
    {
        string[] paths = [.. names.Select(name => Meta(Folder, Set, $"1N_{name}.csv"))];
        string path = Array.Find(paths, File.Exists) ?? throw new FaceDistillException($"no file {paths[0]}: {Set}'s 1:N protocol needs it");
        var subjects = new Dictionary<int, int>();
        using var reader = new ListReader(path);
        foreach (var row in Csv.Rows(reader, path))
        {
            if (row.Line == 1)
            {
                string head = string.Join(',', row.Fields);
                _ = head.StartsWith(SubjectsHeader, StringComparison.OrdinalIgnoreCase) ? head
                    : throw new FaceDistillException($"{path} line 1: '{head}' is not the header {SubjectsHeader},FILENAME; put it before the first template");
                continue;
            }

            if (row.Fields.Count < 2)
            {
                throw new FaceDistillException($"{path} line {row.Line}: '{string.Join(',', row.Fields)}' is not a template, a subject and a file");
            }

            int template = Whole(path, row.Line, row.Fields[0]), subject = Whole(path, row.Line, row.Fields[1]);
            if (!subjects.TryAdd(template, subject) && subjects[template] != subject)
            {
                throw new FaceDistillException($"{path} line {row.Line}: template {template} is of subject {subject} and, above, of {subjects[template]}");
            }
        }

        return subjects.Count > 0 ? (path, subjects) : throw new FaceDistillException($"{path} names no template");
    }

    /// <summary>The subject of each template of the 1:N lists; null where these are not there.</summary>
    /// <exception cref="FaceDistillException">One is malformed.</exception>
    public IReadOnlyDictionary<int, int>? KnownSubjects()
    {
        string[][] lists = [["gallery_G1", "gallery_S1"], ["gallery_G2", "gallery_S2"], ["probe_mixed"]];
        return lists.All(names => names.Any(name => File.Exists(Meta(Folder, Set, $"1N_{name}.csv"))))
            ? lists.SelectMany(names => Subjects(names).Subjects).DistinctBy(subject => subject.Key).ToDictionary() : null;
    }

    private static string Meta(string folder, string set, string name) => Path.Combine(folder, "meta", $"{set}_{name}");

    private static int Whole(string path, int line, ReadOnlySpan<char> field) =>
        InvariantNumber.Whole(field, out int number) ? number
            : throw new FaceDistillException($"{path} line {line}: '{field}' is not a whole number");

    private static float Number(string path, int line, ReadOnlySpan<char> field) =>
        InvariantNumber.Real(field, out float number) ? number
            : throw new FaceDistillException($"{path} line {line}: '{field}' is not a number");

    // Fields between blanks; empty lines count and are passed over. Nothing is held but a block of the file.
    private static void Each(string path, int count, string what, LineOfFields use)
    {
        using var reader = new ListReader(path);
        char[] block = new char[1 << 16];
        Span<Range> fields = stackalloc Range[count + 1];
        int held = 0, line = 0;
        for (bool more = true; more;)
        {
            if (held == block.Length)
            {
                Array.Resize(ref block, 2 * held);
            }

            int read = reader.Read(block.AsSpan(held));
            (more, held) = (read > 0, held + read);
            int start = 0;
            for (int end; (end = block.AsSpan(start, held - start).IndexOf('\n')) is var found && (found >= 0 || (!more && start < held));
                start = Math.Min(held, start + end + 1)) // the last line may have no end
            {
                end = found >= 0 ? found : held - start;
                line++;
                ReadOnlySpan<char> text = block.AsSpan(start, end).TrimEnd('\r');
                int there = text.SplitAny(fields, " \t", StringSplitOptions.RemoveEmptyEntries);
                if (there == count)
                {
                    use(line, text, fields);
                }
                else if (there > 0)
                {
                    throw new FaceDistillException($"{path} line {line}: '{(text.Length > 80 ? text[..80] : text)}' is not {what}");
                }
            }

            int left = held - start;
            block.AsSpan(start, left).CopyTo(block);
            held = left;
        }
    }
}
