using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Faces;
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
    /// <exception cref="FaceDistillException">The folder cannot be written, or holds something else.</exception>
    public static Table14Recipe Of(Table14Recipe recipe, string output, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var template = AlignmentTemplate.Named(TeacherCard.Load(recipe.Teacher).Card.Contract.Template);
        string Draw(string part, int people, ulong seed)
        {
            string folder = Path.Combine(output, "faces", part);
            SyntheticDataset.Write(folder, people, Images, template, AlignedFrame.Of(FaceSource.DefaultSize, FaceSource.DefaultMargin), seed, progress, cancel);
            return folder;
        }

        string training = Draw("training", TrainingPeople, TrainingSeed), test = Draw("test", TestPeople, TestSeed);
        return recipe with
        {
            About = $"smoke run on drawn faces of: {recipe.About}",
            Data = [training],
            Test = test,
            Protocols = [Evaluator.AllPairs],
            Options = recipe.Options with { Epochs = Epochs, BatchSize = Batch, Views = Math.Min(recipe.Options.Views, 1) },
            Rows = [.. recipe.Rows.Select(r => r with { Epochs = Epochs })],
            Baseline = recipe.Baseline is { } baseline ? baseline with { Data = [training], Epochs = Epochs } : null,
            BenchRounds = 1,
        };
    }
}
