using Google.Protobuf;
using System.Text.Json;
using System.Text.Json.Nodes;
using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Teachers;

namespace FaceDistill.Jobs;

/// <summary>Which model to write a card for.</summary>
/// <param name="Model">The .onnx file.</param>
internal sealed record AddTeacherRequest(string Model)
{
    /// <summary>The card's name; null for the file's.</summary>
    public string? Name { get; init; }

    /// <summary>The card's file; null for NAME.json beside the model.</summary>
    public string? Output { get; init; }

    /// <summary>Faces of known people; null for LFW.</summary>
    public string? Data { get; init; }

    /// <summary>The picture's side where the file leaves it open; null to take 112, or 160 where that does not run.</summary>
    public int? Size { get; init; }

    /// <summary>Which output is the embedding; null for the only one that can be.</summary>
    public string? OutputName { get; init; }
}

/// <summary>A contract that was tried.</summary>
internal sealed record TriedContractRow(string Template, string ColorOrder, string Scaling, double? DPrime, double? Auc, int Faces, bool Near, bool Taken);

/// <summary>The card that was written, and by what it was chosen.</summary>
internal sealed record AddedTeacher(
    string Card, string Name, string Model, int Dimension, int Size, string Layout, int Batch, string Type, long? Opset, string? Output, bool NormalizeOutput,
    int People, int Faces, IReadOnlyList<TriedContractRow> Tried, IReadOnlyList<string> Notes);

/// <summary>Writes the card of an ONNX file of anyone's: reads what the file says, and finds the rest by what separates known people best.</summary>
internal sealed class AddTeacherJob(AssetFinder finder)
{
    private const double LeastAuc = 0.7; // chance is 0.5; any face model that sees faces as it wants them is above 0.95
    private const int UsualSize = 112, OtherSize = 160;

    /// <summary>Runs it.</summary>
    /// <exception cref="FaceDistillException">The file is no face model, no contract separates people, or there are no faces; nothing is written
    /// then.</exception>
    public AddedTeacher Run(AddTeacherRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        string name = NameOf(request), card = Path.GetFullPath(request.Output ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(request.Model))!,
            name + ".json"));
        string? wrong = !File.Exists(request.Model) ? $"no model file {request.Model}"
            : !card.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? $"{card}: a card's file ends in .json"
            : File.Exists(card) || Directory.Exists(card) ? $"{card} is there already; delete it, or name another with --output"
            : null;
        if (wrong is not null)
        {
            throw new FaceDistillException(wrong);
        }

        string work = Leftovers.TemporaryFolder("teacher");
        try
        {
            var notes = new List<string>();
            var file = ModelFile.Read(request.Model, request.OutputName);
            using var model = Open(request, file, work, notes, out string runs);
            var faces = KnownFaces.Open(request.Data, finder, job);
            var tried = new ContractSearch(model, file, faces).Run(job);
            return Write(request, name, card, runs, file, model, faces, tried, notes);
        }
        finally
        {
            Leftovers.Delete(work);
        }
    }

    private static string NameOf(AddTeacherRequest request)
    {
        string name = request.Name ?? string.Concat(Path.GetFileNameWithoutExtension(request.Model)
            .Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-')).Trim('.', '-', '_');
        return Asset.IsPlainName(name) ? name : throw new FaceDistillException(
            $"'{name}' is no name for a card: letters, digits, '.', '_' and '-'; give one with --name");
    }

    // ONNX Runtime's own format (.ort) has nothing of MXNet's.
    private static (byte[] Model, int Changed) Mended(string path)
    {
        try
        {
            return (OnnxFile.WithSlopesByChannel(FileBytes.Read(path), out int changed), changed);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            return ([], 0);
        }
    }

    // The file as it is, or with the slopes of MXNet's exports mended.
    private static OnnxEmbedder Open(AddTeacherRequest request, ModelFile file, string work, List<string> notes, out string runs)
    {
        runs = request.Model;
        try
        {
            return Open(request, file, request.Model, notes);
        }
        catch (FaceDistillException)
        {
            var (mended, changed) = Mended(request.Model);
            if (changed == 0)
            {
                throw;
            }

            if (OnnxModelFiles.Of(request.Model).Count > 1)
            {
                throw new FaceDistillException($"{request.Model} has PReLU slopes that are to be mended, and keeps weights in other files; save the model as "
                    + "one file first");
            }

            runs = Path.Combine(work, "mended.onnx");
            File.WriteAllBytes(runs, mended);
            var model = Open(request, file, runs, notes);
            notes.Add(InvariantText.Of($"{changed} PReLU slopes of shape [C] were given the shape [C, 1, 1], which MXNet's exporter left out"));
            return model;
        }
    }

    private static OnnxEmbedder Open(AddTeacherRequest request, ModelFile file, string path, List<string> notes)
    {
        if (file.Size is { } fixedSize && request.Size is { } other && other != fixedSize)
        {
            throw new FaceDistillException($"{request.Model} takes pictures of {fixedSize} pixels; leave out --size {other}");
        }

        int[] sizes = (file.Size ?? request.Size) is { } size ? [size] : [UsualSize, OtherSize];
        TensorLayout[] layouts = file.Layout is { } layout ? [layout] : [TensorLayout.Nchw, TensorLayout.Nhwc];
        FaceDistillException? first = null;
        foreach (var (side, axes) in sizes.SelectMany(s => layouts.Select(l => (s, l))))
        {
            float[] mean = file.Type == nameof(Byte) ? [0, 0, 0] : [127.5f, 127.5f, 127.5f], std = file.Type == nameof(Byte) ? [1, 1, 1] : mean;
            try
            {
                var model = new OnnxEmbedder(Path.GetFileName(request.Model), path,
                    new ModelInputSpec(side, AlignmentTemplate.ArcFace.Name, ColorOrder.Rgb, axes, mean, std) { Output = file.Output }, null, OnnxProviders.Cpu)
                        .Seeing();
                if (sizes.Length > 1)
                {
                    notes.Add(InvariantText.Of($"the file leaves the size open: {side} is taken; --size N says another"));
                }

                return model;
            }
            catch (FaceDistillException e)
            {
                first ??= e;
            }
        }

        throw first!;
    }

    private static AddedTeacher Write(AddTeacherRequest request, string name, string card, string runs, ModelFile file, OnnxEmbedder model, KnownFaces faces,
        IReadOnlyList<TriedContract> tried, List<string> notes)
    {
        if (tried[0].Separation is not { } best || best.Auc < LeastAuc)
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{request.Model} separates no people whatever its input: at best AUC {tried[0].Separation?.Auc ?? 0.5:0.000} where chance is 0.5 and a face ")
                + "model has above 0.95; it is no face model, or wants a contract that FaceDistill does not know: write a card by hand (teachers/README.md)");
        }

        var near = ContractSearch.Near(tried);
        var taken = ContractSearch.MostUsual(near);
        if (near.Count > 1)
        {
            notes.Add($"these faces do not tell {near.Count} contracts apart (d' differs by less than 2% or two standard errors); the most usual of them is "
                + $"taken");
        }

        bool asWell = taken.CosineSeparatesAsWell(faces.People), unit = taken.IsUnitLength;
        notes.Add(unit ? "the model gives embeddings of length 1 itself"
            : asWell ? "normalizeOutput: the cosine separates at least as well as the distance"
            : "not normalizeOutput: the distance separates better than the cosine");
        var contract = taken.Contract with { NormalizeOutput = !unit && asWell };
        string folder = Path.GetDirectoryName(card)!, target = runs == request.Model ? Path.GetFullPath(request.Model) : FreeName(folder, name);
        if (target != Path.GetFullPath(request.Model))
        {
            AtomicFile.Write(target, File.ReadAllBytes(runs));
            notes.Add($"{target} is the model with its slopes mended");
        }

        var kept = JsonSerializer.SerializeToNode(contract, JsonFile.Options)!.AsObject();
        kept.Remove("values"); // computed
        string measured = InvariantText.Of(
            $"contract found by 'facedistill teachers add' on {taken.Faces} faces of {faces.People.Max() + 1} people: d' {taken.Separation!.DPrime:0.00}");
        var parts = OnnxModelFiles.Of(target);
        string[] names = [.. parts.Select((part, i) => Path.GetFileName(part) is var plain && Asset.IsPlainName(plain)
            && !parts.Take(i).Any(p => string.Equals(Path.GetFileName(p), plain, StringComparison.OrdinalIgnoreCase)) ? plain
            : InvariantText.Of($"{name}{(i == 0 ? "" : $"-{i}")}.onnx"))];
        var text = new JsonObject
        {
            ["name"] = name,
            ["description"] = $"{Path.GetFileName(request.Model)}; {measured}.",
            ["licence"] = "not said in the file: that of its weights; write it here",
            ["source"] = "the user's own file",
            ["assets"] = new JsonArray([.. parts.Select((part, i) => new JsonObject
            {
                ["file"] = names[i],
                ["sha256"] = FileHash.Sha256(part),
                ["source"] = new JsonObject { ["path"] = Path.GetRelativePath(folder, part).Replace(Path.DirectorySeparatorChar, '/') },
            })]),
            ["model"] = names[0],
            ["dimension"] = model.Dimension,
            ["contract"] = kept,
        };
        AtomicFile.WriteText(card, text.ToJsonString(JsonFile.Options) + "\n");
        var rows = tried.OrderByDescending(t => t.Faces).ThenByDescending(t => t.Separation?.DPrime ?? double.NegativeInfinity)
            .Select(t => new TriedContractRow(
            t.Contract.Template, t.Contract.ColorOrder == ColorOrder.Rgb ? "rgb" : "bgr", t.Scaling, t.Separation?.DPrime, t.Separation?.Auc, t.Faces,
            near.Contains(t), t == taken));
        return new AddedTeacher(
            card, name, target, model.Dimension, contract.Size, contract.Layout == TensorLayout.Nchw ? "nchw" : "nhwc", file.Batch, TypeOf(file),
            file.Opset, file.Output, contract.NormalizeOutput, faces.People.Max() + 1, faces.People.Count, [.. rows], notes);
    }

    // As ONNX and NumPy name it.
    private static string TypeOf(ModelFile file) => file.Type switch
    {
        nameof(Byte) => "uint8",
        nameof(Single) => "float32",
        var other => other.ToLowerInvariant(),
    };

    private static string FreeName(string folder, string name)
    {
        string path = Path.Combine(folder, name + ".onnx");
        return File.Exists(path) ? Path.Combine(folder, name + "-mended.onnx") : path;
    }
}
