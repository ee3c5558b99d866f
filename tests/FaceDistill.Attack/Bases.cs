using System.Collections.Concurrent;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Synthetic;
using OpenCvSharp;

namespace FaceDistill.Attack;

/// <summary>Inputs that many cases share, each made once when first asked for: drawn faces, a tiny teacher, a trained run, an export, a store.</summary>
internal sealed class Bases
{
    /// <summary>The student of the runs: the smallest.</summary>
    public const string Student = "mobilenet-v1:0.25@64";

    /// <summary>The side of aligned faces.</summary>
    public const int Side = 64;

    private const string Detector = "face_detection_yunet_2026may.onnx";
    private static readonly string[] DlibFiles = ["face_recognition_model.bin", "face_recognition_model-weights_manifest.json"];

    private readonly string _root;
    private readonly string[] _program;
    private readonly ConcurrentDictionary<string, Lazy<(string Folder, TimeSpan Time)>> _once = new();
    private readonly Lazy<string> _few, _more, _photos, _card, _run, _store;

    /// <summary>Starts with nothing made but the home of models.</summary>
    /// <param name="root">A folder of its own.</param>
    /// <param name="program">How the command line is started.</param>
    public Bases(string root, string[] program)
    {
        _root = root;
        _program = program;
        Home = In("home");
        Gather();
        _few = new(() => Aligned("few", new DrawnPeople(6, 4, 5)));
        _more = new(() => Aligned("more", new DrawnPeople(12, 8, 3)));
        _photos = new(() => Draw(In("photos"), 6, 2));
        _card = new(() => Onnx.WriteCard(In("teacher"), Onnx.Tiny(), "tiny"));
        _run = new(() => Make("run", [.. Distill, "--data", More, "--output", In("run")]));
        _store = new(() => Make("store", ["embed", "--data", More, "--teacher", Card, "--output", In("store")]));
    }

    /// <summary>$FACEDISTILL_HOME of every case: the detector and dlib's weights where this machine has them.</summary>
    public string Home { get; }

    /// <summary>24 aligned faces of 6 people.</summary>
    public string Few => _few.Value;

    /// <summary>96 aligned faces of 12 people.</summary>
    public string More => _more.Value;

    /// <summary>12 photos of 6 people, 224 x 224, in which the detector finds a face.</summary>
    public string Photos => NeedsDetector(_photos.Value);

    /// <summary>A tiny teacher's card: 16 values of a picture of 64 x 64.</summary>
    public string Card => _card.Value;

    /// <summary>A finished run of three epochs on <see cref="More"/>.</summary>
    public string Run => _run.Value;

    /// <summary>Its student as ONNX.</summary>
    public string Model => Path.Combine(Run, "student.onnx");

    /// <summary>The tiny teacher's embeddings of <see cref="More"/>.</summary>
    public string Store => _store.Value;

    /// <summary>The command that made <see cref="Run"/>, without --data and --output.</summary>
    public string[] Distill => ["distill", .. Brief, "--epochs", "3", "--teacher", Card];

    /// <summary>What every training of the suite has.</summary>
    public static string[] Brief => ["--student", Student, "--batch-size", "16", "--precision", "fp32", "--device", "cpu"];

    /// <summary>Whether the face detector's file is on this machine.</summary>
    public bool HasDetector { get; private set; }

    /// <summary>Whether dlib's weights are on this machine.</summary>
    public bool HasDlib { get; private set; }

    /// <summary>Where a shared thing lies.</summary>
    public string In(string name) => Path.Combine(_root, name);

    /// <summary>What is set for every child.</summary>
    public static Dictionary<string, string> Environment(string cache, string models, string home) => new()
    {
        ["XDG_CACHE_HOME"] = cache,
        ["FACEDISTILL_HOME"] = models,
        ["FACEDISTILL_CACHE"] = "",
        ["HOME"] = home,
        ["OMP_NUM_THREADS"] = "1",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["DOTNET_EnableDiagnostics"] = "0", // no socket in the temporary folder for each child that is killed
    };

    /// <summary>What a command line gives when nobody disturbs it, and how long it takes; run once.</summary>
    /// <param name="name">A name for it.</param>
    /// <param name="line">The command line, of the output that it is given.</param>
    public (string Folder, TimeSpan Time) Once(string name, Func<string, string[]> line) => _once.GetOrAdd(name, _ => new(() =>
    {
        string output = In(Path.Combine("once", name));
        string cache = In(Path.Combine("once", name + "-cache"));
        Directory.CreateDirectory(Path.GetDirectoryName(output)!);
        var outcome = Child.Run(_program, new Launch(line(output)) { Limit = TimeSpan.FromMinutes(10) }, _root, Environment(cache, Home, In("userhome")));
        return outcome.Exit == 0 ? (output, outcome.Time) : throw new InvalidOperationException($"undisturbed, '{name}' fails: {outcome.Error}");
    })).Value;

    /// <summary>A thing that needs the detector; skips the case where there is none.</summary>
    public string NeedsDetector(string thing) => HasDetector ? thing
        : throw new SkipException($"{Detector} is neither in $FACEDISTILL_HOME/models nor in the cache (facedistill teachers pull yunet)");

    /// <summary>Skips the case where dlib's weights are not here.</summary>
    public void NeedsDlib()
    {
        if (!HasDlib)
        {
            throw new SkipException("dlib-resnet is neither in $FACEDISTILL_HOME/models nor in the cache (facedistill teachers pull dlib-resnet)");
        }
    }

    /// <summary>Draws photos: a sub-folder a person.</summary>
    public static string Draw(string folder, int people, int images, ulong seed = 7)
    {
        for (int person = 0; person < people; person++)
        {
            for (int image = 0; image < images; image++)
            {
                string file = Path.Combine(folder, $"p{person}", $"{image}.jpg");
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                using var photo = Photo(person, image, seed);
                File.WriteAllBytes(file, photo.ImEncode(".jpg"));
            }
        }

        return folder;
    }

    /// <summary>One photo: a face with room around it, 224 x 224.</summary>
    public static Mat Photo(int person, int image, ulong seed = 7) =>
        SyntheticFaces.Render(person, image, AlignmentTemplate.Dlib.PointsIn(new AlignedFrame(112, 56)), 224, seed);

    private string Aligned(string name, DrawnPeople people)
    {
        SyntheticDataset.Write(In(name), people, AlignmentTemplate.Dlib, new AlignedFrame(Side, 0));
        return In(name);
    }

    private string Make(string name, string[] arguments)
    {
        string cache = In("cache"), home = In("userhome");
        Directory.CreateDirectory(home);
        var outcome = Child.Run(_program, new Launch(arguments) { Limit = TimeSpan.FromMinutes(5) }, _root, Environment(cache, Home, home));
        return outcome.Exit == 0 ? In(name) : throw new InvalidOperationException($"the base '{name}' cannot be made: {outcome.Error}");
    }

    // What the user has already; nothing is fetched.
    private void Gather()
    {
        string models = Path.Combine(Home, "models");
        Directory.CreateDirectory(Path.Combine(models, "dlib-resnet"));
        string cache = System.Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg
            : Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), ".cache");
        string[] places = [.. (System.Environment.GetEnvironmentVariable("FACEDISTILL_HOME") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Append(System.Environment.GetEnvironmentVariable("FACEDISTILL_CACHE") ?? "").Append(Path.Combine(cache, "facedistill")).Where(p => p.Length > 0)
            .Select(p => Path.Combine(p, "models"))];
        bool Take(string card, string file, string target)
        {
            string? found = places.SelectMany(p => new[] { Path.Combine(p, card, file), Path.Combine(p, file) }).FirstOrDefault(File.Exists);
            if (found is not null)
            {
                File.Copy(found, target, overwrite: true);
            }

            return found is not null;
        }

        HasDetector = Take("yunet", Detector, Path.Combine(models, Detector));
        HasDlib = DlibFiles.All(f => Take("dlib-resnet", f, Path.Combine(models, "dlib-resnet", f)));
    }
}
