using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Training.Options;

namespace FaceDistill.Jobs;

/// <summary>What a run folder was begun with: the same options on other faces, or towards another teacher, make another student, so such a run is not resumed.
/// Under MPI each rank compares its own files with what the first one began.</summary>
internal static class BegunRun
{
    /// <summary>Refuses other faces and another teacher than those of the beginning.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="faces">The faces now.</param>
    /// <param name="teacher">The teacher now.</param>
    /// <param name="options">The run's options.</param>
    /// <exception cref="FaceDistillException">They are others; the message says what to do.</exception>
    public static void Require(string run, AlignedFaces faces, IEmbedder teacher, DistillOptions options)
    {
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentNullException.ThrowIfNull(teacher);
        var info = RunInfo.Read(run);
        if (info.FacesId is null)
        {
            throw new FaceDistillException(
                $"{run} was begun by an earlier version, which did not keep what its faces are known by; finish it with that one, or "
                + "choose another --output");
        }

        if (info.FacesId != faces.Id)
        {
            int now = faces.Dataset.Images.Count;
            int known = TrainedFaces.Read(run) is { } trained ? faces.Dataset.Images.Count(trained.Has) : 0;
            throw new FaceDistillException(
                $"{run} was begun on other faces ({info.Images}; of the {now} found now {known} are among them, or their names or order "
                + "differ" + (known == now && now == info.Images && faces.Dataset.Images.Any(i => FaceDataset.PersonOf(i.Identity).Contains('/'))
                    ? "; of several folders an earlier version did not keep in which one a person who is a number stands: finish the run with that version"
                    : "")
                + (faces.Manifest.AllFaces ? "; of 'align --all-faces' only each photo's own face has a name now" : "")
                + "); bring them back, or choose another --output");
        }

        if (info.HasOtherTeacher(TeacherId(teacher, options)))
        {
            throw new FaceDistillException($"{run} was begun with another teacher than this {teacher.Name}: its file is another, or its card says otherwise "
                + "how it sees a face; bring both back, or choose another --output");
        }
    }

    /// <summary>What a training's teacher is known by; null without one.</summary>
    /// <param name="teacher">The teacher.</param>
    /// <param name="options">The training's options.</param>
    public static string? TeacherId(IEmbedder teacher, DistillOptions options) => options.Loss.IsDistilled ? EmbeddingCache.ModelHash(teacher) : null;

    /// <summary>Refuses other excluded pictures than those of the beginning.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="excluded">What is left out now, a picture a line.</param>
    /// <param name="begins">Whether it is this call that begins the run: then nothing is compared.</param>
    /// <exception cref="FaceDistillException">They are others.</exception>
    public static void RequireExcluded(string run, string excluded, bool begins)
    {
        string file = Path.Combine(run, RunInfo.ExcludedFileName);
        string before = File.Exists(file) ? File.ReadAllText(file) : "";
        if (!begins && before != excluded)
        {
            int then = before.Count(c => c == '\n'), now = excluded.Count(c => c == '\n');
            throw new FaceDistillException($"{run} holds a run that left out other pictures ({then}, listed in {file}; now {now}); "
                + "resume with the same --exclude, or choose another --output");
        }
    }

    /// <summary>Notes which pictures are left out; without any there is no such file.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="excluded">What is left out, a picture a line.</param>
    /// <exception cref="FaceDistillException">The folder cannot be written.</exception>
    public static void WriteExcluded(string run, string excluded)
    {
        string file = Path.Combine(run, RunInfo.ExcludedFileName);
        File.Delete(file);
        if (excluded.Length > 0)
        {
            AtomicFile.WriteText(file, excluded);
        }
    }
}
