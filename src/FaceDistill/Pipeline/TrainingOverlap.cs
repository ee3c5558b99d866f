using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Export;
using FaceDistill.Reporting;
using FaceDistill.Teachers;

namespace FaceDistill.Pipeline;

/// <summary>Finds out whether a run's student is measured on people that it was trained on.</summary>
internal static class TrainingOverlap
{
    /// <summary>The warning about one model.</summary>
    /// <param name="model">A model argument; only a run folder tells what it was trained on.</param>
    /// <param name="data">The faces that are measured.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="set">The model's embeddings of them, with identities.</param>
    /// <returns>One line, or null where there is nothing to warn of, or the run does not say.</returns>
    /// <exception cref="FaceDistillException">The run folder, or a list of people, is damaged.</exception>
    public static string? Of(string model, DataFolder data, string protocol, EmbeddingSet set)
    {
        if (!ModelArgument.IsRun(model) || !RunInfo.In(model))
        {
            return null;
        }

        string[] measured = protocol == Evaluator.LfwView1Test ? [.. Names(Path.Combine(data.Root, "peopleDevTest.txt"))] : [.. set.Identities.Distinct().Where(i => i.Length > 0)];
        int known = (RunInfo.Read(model).TrainedOn ?? []).Where(source => source.Images == data.Images)
            .Select(source => source.People is null ? measured.Length : measured.Intersect(Names(source.People)).Count()).DefaultIfEmpty(0).Max();
        return known == 0 ? null : FormattableString.Invariant(
            $"{set.Name} was trained on {known} of the {measured.Length} people measured here: no figure for strangers; measure it on people that it has not seen (for lfw-train: --protocol lfw-view1-test)");
    }

    /// <summary>What the audit in a run folder found of the faces that are measured.</summary>
    /// <param name="model">A model argument; only a run folder holds an audit.</param>
    /// <param name="data">The faces that are measured.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="name">The model's name.</param>
    /// <returns>One line for each audit of these faces that found something.</returns>
    /// <exception cref="FaceDistillException">The audit is damaged.</exception>
    public static IEnumerable<string> Audited(string model, DataFolder data, string protocol, string name) =>
        from test in ModelArgument.IsRun(model) ? AuditSummary.In(model)?.Tests ?? [] : []
        where test.Test == data.Name && (test.Protocol == protocol || (test.Protocol == AuditJob.AllFaces && protocol != Evaluator.LfwView1Test))
            && test.Counts.Any(c => c.Matches > 0 || c.SameFiles > 0)
        let threshold = FormattableString.Invariant($"{test.Threshold:0.0000}")
        select $"{name}: {test.Outcome()} (cosine of at least {threshold} by {AuditSummary.In(model)!.Teacher})";

    private static IEnumerable<string> Names(string people) => LfwPeople.Read(people).People.Select(p => p.Name);
}
