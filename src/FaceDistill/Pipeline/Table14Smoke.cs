using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Teachers;

namespace FaceDistill.Pipeline;

/// <summary>
/// A table's recipe shrunk to a smoke run: the same teacher and students on drawn faces, three epochs each, so that every step of every row
/// runs once. Its figures describe drawings and say nothing about faces.
/// </summary>
public static class Table14Smoke
{
    private const int TrainingPeople = 12, TestPeople = 20, Images = 8, Batch = 16, Epochs = 3;
    private const ulong TrainingSeed = 1, TestSeed = 2; // other seeds draw other people

    /// <summary>Draws the faces and shrinks the recipe.</summary>
    /// <param name="recipe">The recipe of the real table.</param>
    /// <param name="output">The table's folder; the faces go into it.</param>
    /// <param name="progress">Told of the faces that are drawn.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="FaceDistillException">The folder cannot be written, is being written, or holds something else.</exception>
    public static Table14Recipe Of(Table14Recipe recipe, string output, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        string training = Path.Combine(output, "faces", "training"), test = Path.Combine(output, "faces", "test");
        var smoke = recipe with
        {
            About = $"smoke run on drawn faces of: {recipe.About}",
            Data = [training],
            Test = test,
            Protocols = [Evaluator.AllPairs],
            Options = recipe.Options with { Epochs = Epochs, BatchSize = Batch, Views = Math.Min(recipe.Options.Views, 1) },
            Rows = [.. recipe.Rows.Select(r => r with { Epochs = Epochs })],
            Baseline = recipe.Baseline is { } baseline ? baseline with { Data = [training], Epochs = Epochs } : null,
            BenchRounds = 1,
            Int8MinCosine = 0.5, // a student of eighteen steps has little to lose
        };
        var template = AlignmentTemplate.Named(TeacherCard.Load(recipe.Teacher).Card.Contract.Template);
        var frame = AlignedFrame.Of(FaceSource.DefaultSize, FaceSource.DefaultMargin);
        using var held = FolderLock.Take(output);
        Table14Job.RequireFolder(output, smoke);
        SyntheticDataset.Write(training, TrainingPeople, Images, template, frame, TrainingSeed, progress, cancel);
        SyntheticDataset.Write(test, TestPeople, Images, template, frame, TestSeed, progress, cancel);
        return smoke;
    }
}
