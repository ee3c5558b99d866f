using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Evaluation.Agreement;

/// <summary>Why a training picture is on an audit's list.</summary>
internal enum AuditFindingKind
{
    /// <summary>Its file, or its aligned face, is byte for byte that of the other picture.</summary>
    SameFile,

    /// <summary>Its embedding matches that of a test person.</summary>
    Person,

    /// <summary>Its embedding is almost that of another training picture, which stays.</summary>
    Duplicate,
}

/// <summary>A picture that an audit names.</summary>
/// <param name="Data">The name of its data: that of the folder.</param>
/// <param name="Path">Its path in it, of the aligned face.</param>
/// <param name="Person">Its identity; empty where unknown.</param>
internal sealed record AuditPicture(string Data, string Path, string Person);

/// <summary>A training picture on an audit's list.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Picture">The training picture.</param>
/// <param name="Other">The other picture: a test's, or one of training data that stays.</param>
/// <param name="Similarity">The cosine of both embeddings.</param>
/// <param name="Pairs">How many pictures of the test match this one; 1 for a duplicate.</param>
internal sealed record AuditFinding(AuditFindingKind Kind, AuditPicture Picture, AuditPicture Other, double Similarity, int Pairs)
{
    /// <summary>A list as comma-separated rows.</summary>
    internal static string Text(IReadOnlyList<AuditFinding> findings)
    {
        static string Name(AuditFindingKind kind) => kind switch
        {
            AuditFindingKind.SameFile => "same file",
            AuditFindingKind.Person => "person",
            _ => "duplicate",
        };
        return Csv.Text("kind,data,path,other,other_path,person,similarity,pairs", findings.Select(f => new object?[]
        {
            Name(f.Kind), f.Picture.Data, f.Picture.Path, f.Other.Data, f.Other.Path, f.Other.Person, InvariantText.Of($"{f.Similarity:0.0000}"), f.Pairs,
        }));
    }
}

/// <summary>What an audit found in one training set for one test.</summary>
public sealed record AuditCount
{
    /// <summary>The training data's name.</summary>
    public required string Data { get; init; }

    /// <summary>How many faces of it were looked at.</summary>
    public required int Faces { get; init; }

    /// <summary>How many pairs with faces of the test.</summary>
    public required long Pairs { get; init; }

    /// <summary>Faces whose embedding matches a test face at the threshold, same files left out.</summary>
    public required int Matches { get; init; }

    /// <summary>Test people whom these match; 0 where the test's people are unknown.</summary>
    public required int People { get; init; }

    /// <summary>Pairs at or above the threshold, those of same files left out.</summary>
    public required long MatchedPairs { get; init; }

    /// <summary>Pairs that reach the threshold by chance if no person is shared: pairs times the false accept rate measured at the
    /// threshold. Null where no rate is known.</summary>
    public required double? ExpectedPairs { get; init; }

    /// <summary>Faces whose file or aligned face is also in the test; null where pictures were not at hand.</summary>
    public required int? SameFiles { get; init; }
}

/// <summary>An audit for one test.</summary>
public sealed record AuditTest
{
    /// <summary>The test data's name.</summary>
    public required string Test { get; init; }

    /// <summary>What its faces, as they were aligned, are known by: SHA-256 over content and identity of each; null where these are not known.</summary>
    public string? FacesId { get; init; }

    /// <summary>What its photos are known by, likewise and however they are aligned, so that models of other templates are known to be measured on them;
    /// null in audits of earlier versions.</summary>
    public string? PhotosId { get; init; }

    /// <summary>The same of the parts that protocols with lists beside the data measure (lfw-10fold, pairs); null in audits of earlier versions.</summary>
    public IReadOnlyList<string>? PartsIds { get; init; }

    /// <summary>Which faces of it: all, or lfw-view1-test.</summary>
    public required string Protocol { get; init; }

    /// <summary>How many.</summary>
    public required int Faces { get; init; }

    /// <summary>How many people; 0 where unknown.</summary>
    public required int People { get; init; }

    /// <summary>The least similarity of a match.</summary>
    public required double Threshold { get; init; }

    /// <summary>The permitted false accept rate of a pair; null where the threshold was given.</summary>
    public required double? Far { get; init; }

    /// <summary>The false accept rate measured at the threshold; null where the faces have no identities.</summary>
    public required double? MeasuredFar { get; init; }

    /// <summary>The name of the labelled faces on which; null likewise.</summary>
    public required string? MeasuredOn { get; init; }

    /// <summary>Their impostor pairs; 0 likewise.</summary>
    public required long ImpostorPairs { get; init; }

    /// <summary>The part of their genuine pairs that reaches the threshold; null likewise.</summary>
    public required double? MeasuredTar { get; init; }

    /// <summary>One entry a training set.</summary>
    public required IReadOnlyList<AuditCount> Counts { get; init; }

    /// <summary>The protocol that takes every face of a test.</summary>
    public const string AllFaces = "all";

    /// <summary>What was found, in one line.</summary>
    public string Outcome()
    {
        bool chance = Counts.All(c => c.ExpectedPairs is not null), files = Counts.All(c => c.SameFiles is not null);
        long matches = Counts.Sum(c => (long)c.Matches), faces = Counts.Sum(c => (long)c.Faces), pairs = Counts.Sum(c => c.MatchedPairs);
        double? expected = Counts.Sum(c => c.ExpectedPairs);
        return InvariantText.Of($"{matches:N0} of {faces:N0} training faces match people of {Test} ({pairs:N0} pairs")
            + (chance ? InvariantText.Of($"; {expected:N1} expected by chance where nobody is shared)") : ")")
            + (files ? InvariantText.Of($", {Counts.Sum(c => c.SameFiles):N0} are the same file") : "");
    }

    /// <summary>What was compared and what a match is, in one line.</summary>
    /// <param name="model">The model's name.</param>
    public string Words(string model)
    {
        string people = People == 0 ? "" : InvariantText.Of($" of {People:N0} people");
        string protocol = Protocol == AllFaces ? "" : $" ({Protocol})";
        string rate = MeasuredFar is null ? "; how often strangers reach it was not measured"
            : InvariantText.Of($"; on {MeasuredOn}, {MeasuredFar:0.0e-0} of {ImpostorPairs:N0} impostor pairs and {MeasuredTar:0.0%} of the genuine pairs "
                + $"reach it");
        return InvariantText.Of($"test {Test}{protocol}, {Faces:N0} faces{people}: a match is a cosine of at least {Threshold:0.0000} by {model}{rate}");
    }
}

/// <summary>The duplicates of one training set, of earlier pictures in it and in the sets before it.</summary>
/// <param name="Data">The training data's name.</param>
/// <param name="Faces">How many faces of it were looked at.</param>
/// <param name="SameFiles">Faces whose file or aligned face came before; null where pictures were not at hand.</param>
/// <param name="Near">Faces to drop because their embedding is almost that of a face that stays.</param>
public sealed record AuditDuplicates(string Data, int Faces, int? SameFiles, int Near);

/// <summary>The outcome of an audit (audit.json): how many training pictures show test people, and how many are duplicates.</summary>
/// <param name="Teacher">The model whose embeddings decide.</param>
/// <param name="Tests">One entry a test.</param>
/// <param name="DuplicateThreshold">The least similarity of near duplicates; null where none were looked for.</param>
/// <param name="DuplicatePairs">Pairs of near duplicates; null likewise.</param>
/// <param name="Duplicates">One entry a training set; empty likewise.</param>
public sealed record AuditSummary(
    string Teacher, IReadOnlyList<AuditTest> Tests, double? DuplicateThreshold, long? DuplicatePairs, IReadOnlyList<AuditDuplicates> Duplicates)
{
    /// <summary>The file's name in a run's or a table's folder.</summary>
    public const string FileName = "audit.json";

    /// <summary>The list that was written: it can be given to <c>distill --exclude</c>.</summary>
    public required string List { get; init; }

    /// <summary>How many pictures are on it.</summary>
    public required int Listed { get; init; }

    /// <summary>How long it took, seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>Reads a folder's; null where it has none.</summary>
    /// <exception cref="FaceDistillException">It is damaged.</exception>
    public static AuditSummary? In(string folder) => Path.Combine(folder, FileName) is var file && File.Exists(file) ? JsonFile.Read<AuditSummary>(file) : null;
}
