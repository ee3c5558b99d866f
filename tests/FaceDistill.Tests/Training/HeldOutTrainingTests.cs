using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Stores;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Tests.Training;

/// <summary>Trainings with people held out: 4 of the 12, so 40 faces; 8 of the other 80 measure the cosine.</summary>
public sealed class HeldOutTrainingTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    private const int People = 4;
    private static readonly DistillOptions Options = TinyRun.Options with { HeldOut = TinyRun.Options.HeldOut with { People = People } };

    [Fact]
    public void Faces_of_held_out_people_are_in_no_other_part_of_the_split()
    {
        var faces = tiny.Training(people: People);
        Assert.Equal((72, 8, 40), (faces.Training.Length, faces.Validation.Length, faces.HeldOut.Faces.Length));
        Assert.Equal(Enumerable.Range(0, 120), faces.Training.Concat(faces.Validation).Concat(faces.HeldOut.Faces).Order());
        Assert.Empty(faces.Training.Concat(faces.Validation).Select(i => tiny.Faces.Dataset.Images[i].Identity).Intersect(faces.HeldOut.Names));
        Assert.Equal(faces.HeldOut.Faces, tiny.Training(seed: 9, people: People).HeldOut.Faces); // runs of two seeds are measured on the same people
    }

    [Theory]
    [InlineData("mirrored")]
    [InlineData("cached views")]
    [InlineData("live blends")]
    public void Training_reads_no_picture_of_a_held_out_person(string kind)
    {
        using var folder = new TempFolder();
        var copied = Copy(folder["faces"]);
        var targets = new AugmentedTargets(AugmentOptions.Strong, true, 1);
        var cached = tiny.Read("original");
        var faces = new TrainingFaces(copied, cached, tiny.Read("mirrored"), 0.1, 1, People)
        {
            Augmented = kind switch
            {
                "cached views" => targets with { Cached = [cached, cached] },
                "live blends" => targets with { Teacher = tiny.Teacher, MixUp = 0.4 },
                _ => null,
            },
        };
        foreach (int i in faces.HeldOut.Faces)
        {
            File.Delete(copied.Dataset.FullPath(copied.Dataset.Images[i]));
        }

        using var reader = new BatchReader(faces, 64, 8, 1, mirror: true);
        int seen = 0;
        for (int epoch = 0; epoch < 3; epoch++)
        {
            foreach (var batch in reader.Training(epoch, 0, default))
            {
                seen += batch.Count;
                Assert.DoesNotContain(
                    batch.Labels.data<long>().ToArray()[..batch.Count], label => faces.HeldOut.Faces.Any(i => faces.PersonLabels[i] == label));
            }
        }

        Assert.Equal(3 * 72, seen);
        Assert.Throws<FaceDistillException>(() => reader.Plain(faces.HeldOut.Measured, default).Count()); // what a leak would come to
    }

    [Fact]
    public void The_best_student_is_that_of_the_highest_tar_though_the_cosine_says_otherwise()
    {
        using var folder = new TempFolder();
        double[] tars = [0.5, 0, 0.25];
        int epoch = 0;
        var sets = new List<EmbeddingSet>();
        using var trainer = tiny.Trainer(folder.Path, Options, new Told(set =>
        {
            sets.Add(set);
            return tars[epoch++];
        }));
        var state = trainer.Run(JobContext.None);
        Assert.NotEqual(1, state.Log.MaxBy(e => e.CentredCosine)!.Epoch); // it would choose a later one
        Assert.Equal(new BestEpoch(1, state.Log[0].CentredCosine) { PeopleTar = 0.5, PeopleFar = 1e-2 }, state.Best);
        Assert.Equal(tars, state.Log.Select(e => e.PeopleTar!.Value));
        var best = RunStudent.Open(folder.Path);
        Assert.Equal((1, People), (best.State.Log.Count, best.Options.HeldOut.People));

        // It is measured on what it gives, in the teacher's space.
        var people = tiny.Training(people: People).HeldOut;
        Assert.Equal(people.Identities, sets[0].Identities);
        using var student = new StudentEmbedder(best, "best", "cpu");
        var input = new float[student.Contract.Values];
        using var picture = tiny.Faces.ReadView(people.Measured[5], 64);
        FaceTensor.Fill(picture, student.Contract, input);
        var embedding = new float[student.Dimension];
        student.Embed(input, 1, embedding);
        Assert.All(embedding.Zip(sets[0].Row(5).ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-4));

        string[] log = File.ReadAllLines(folder[TrainingLogFile.FileName]);
        Assert.EndsWith(",people_tar,people_far", log[0], StringComparison.Ordinal);
        Assert.EndsWith(",0.50000,1e-2", log[1], StringComparison.Ordinal);
        string curves = string.Concat(
            Directory.GetFiles(folder[TensorBoardLog.FolderName]).Select(f => System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(f))));
        Assert.Equal(3, curves.Split("people/held-out TAR").Length - 1);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)] // after an epoch's last step
    [InlineData(9)]
    public void A_resumed_run_measures_the_same_and_ends_the_same(int stopAfter)
    {
        var measure = new Told(set => set.Values.Sum(v => Math.Abs((double)v)) % 1); // every bit of every embedding counts
        using var whole = new TempFolder();
        using var cut = new TempFolder();
        TrainingState state;
        using (var trainer = tiny.Trainer(whole.Path, Options, measure))
        {
            state = trainer.Run(JobContext.None);
        }

        using (var trainer = tiny.Trainer(cut.Path, Options, measure))
        {
            using var cancel = new CancellationTokenSource();
            int steps = 0;
            var stop = new Heard(p => (p.Stage == "training" && ++steps == stopAfter ? cancel.Cancel : (Action)(() => { }))());
            Assert.ThrowsAny<OperationCanceledException>(() => trainer.Run(new JobContext(Progress: stop, Cancel: cancel.Token)));
        }

        using (var trainer = tiny.Trainer(cut.Path, Options, measure))
        {
            trainer.Resume(StudentCheckpoint.Read(cut[StudentCheckpoint.FileName]));
            var again = trainer.Run(JobContext.None);
            Assert.Equal(state.Best, again.Best);
            Assert.Equal(state.Log.Select(e => (e.Loss, e.CentredCosine, e.PeopleTar)), again.Log.Select(e => (e.Loss, e.CentredCosine, e.PeopleTar)));
        }

        Assert.Equal(3, state.Log.Select(e => e.PeopleTar).Distinct().Count());
        foreach (string file in new[] { StudentCheckpoint.FileName, RunStudent.BestFileName })
        {
            var (a, b) = (SafetensorsFile.Read(whole[file]).Tensors, SafetensorsFile.Read(cut[file]).Tensors);
            Assert.All(a, tensor => Assert.True(tensor.Value.Data.AsSpan().SequenceEqual(b[tensor.Key].Data), $"{file} {tensor.Key}"));
        }
    }

    [Fact]
    public void A_checkpoint_of_before_people_were_held_out_is_resumed()
    {
        using var folder = new TempFolder();
        using (var trainer = tiny.Trainer(folder.Path, TinyRun.Options with
        {
            Run = TinyRun.Options.Run with { Epochs = 2 },
            HeldOut = TinyRun.Options.HeldOut with { Patience = 2 },
        }))
        {
            trainer.Run(JobContext.None);
        }

        var (tensors, metadata) = SafetensorsFile.Read(folder[StudentCheckpoint.FileName]);
        var changed = metadata.ToDictionary(
            text => text.Key, text => string.Join('\n', text.Value.Split('\n').Where(line => !line.Contains("eople", StringComparison.Ordinal))));
        Assert.NotEqual(metadata["options"], changed["options"]);
        Assert.NotEqual(metadata["state"], changed["state"]);
        changed["state"] = changed["state"].Replace("\"resolution\": 64,", "\"resolution\": 64", StringComparison.Ordinal);
        SafetensorsFile.Write(folder[StudentCheckpoint.FileName], tensors, changed);
        using var again = tiny.Trainer(folder.Path, TinyRun.Options with
        {
            Run = TinyRun.Options.Run with { Epochs = 2 },
            HeldOut = TinyRun.Options.HeldOut with { Patience = 2 },
        });
        again.Resume(StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]));
        Assert.Equal(2, again.Run(JobContext.None).Log.Count);
    }

    [Fact]
    public void A_student_that_gives_no_numbers_stops_where_only_people_would_tell()
    {
        using var folder = new TempFolder();
        using var trainer = tiny.Trainer(folder.Path, Options with { HeldOut = Options.HeldOut with { Part = 0 } }, new Told(_ => double.NaN));
        Assert.Contains("no longer finite", Assert.Throws<FaceDistillException>(() => trainer.Run(JobContext.None)).Message, StringComparison.Ordinal);
    }

    // It would be measured again by --resume, and fail again.
    [Fact]
    public void What_cannot_be_measured_replaces_no_checkpoint()
    {
        using var folder = new TempFolder();
        int epochs = 0;
        var options = Options with { Run = Options.Run with { Epochs = 2 } };
        using var trainer = tiny.Trainer(folder.Path, options, new Told(_ => ++epochs == 1 ? 0.5 : double.NaN));
        Assert.Contains("The last checkpoint is whole", Assert.Throws<FaceDistillException>(() => trainer.Run(JobContext.None)).Message,
            StringComparison.Ordinal);
        var state = StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]).State;
        Assert.Equal((1, 0, 1), (state.Epoch, state.Step, state.Log.Count));
    }

    private AlignedFaces Copy(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(tiny.Faces.Dataset.Root, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(folder, Path.GetRelativePath(tiny.Faces.Dataset.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return AlignedFaces.Open(folder).Hashed(JobContext.None);
    }

    private sealed class Told(Func<EmbeddingSet, double> tar) : IStudentMeasure
    {
        public PeopleTar Measure(EmbeddingSet set, CancellationToken cancel) => new(tar(set), 1e-2);
    }

    private sealed class Heard(Action<WorkProgress> act) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => act(value);
    }
}
