using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Synthetic;
using FaceDistill.Teachers;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Tests.Datasets;

/// <summary>The same drawn faces as a folder and as each file of many give the same contents, embeddings and students; damaged ones are refused.</summary>
public sealed class ArchiveFacesTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _card;

    public ArchiveFacesTests()
    {
        SyntheticDataset.Write(_folder["drawn"], new DrawnPeople(3, 4, 17), AlignmentTemplate.ArcFace, AlignedFrame.Of(112, 0));
        foreach (var (pictures, person) in Archives.PicturesOf(_folder["drawn"]).Select((p, i) => (p, i)))
        {
            Directory.CreateDirectory(_folder[$"people/{person:d7}"]);
            for (int i = 0; i < pictures.Length; i++)
            {
                File.WriteAllBytes(_folder[$"people/{person:d7}/{i}.png"], pictures[i]);
            }
        }

        _card = TinyTeacher.Write(_folder["teacher"]);
        File.WriteAllText(_card, File.ReadAllText(_card).Replace("\"dlib\"", "\"arcface\"", StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_folder_and_every_file_of_many_give_the_same_faces_and_embeddings()
    {
        var people = Archives.PicturesOf(_folder["people"]);
        var rows = people.SelectMany((pictures, person) => pictures.Select((picture, i) => (picture, person, name: $"{person}{i}"))).ToArray();
        Archives.WriteInsightFace(_folder["rec/train.rec"], people);
        File.WriteAllText(_folder["rec/property"], "3,112,112\n");
        Archives.WriteTar(_folder["tar/a.tar"], [.. rows.Take(6).SelectMany(r => Members(r.picture, r.person, r.name))]);
        Archives.WriteTar(_folder["tar/b.tar"], [.. rows.Skip(6).SelectMany(r => Members(r.picture, r.person, r.name))]);
        await Archives.WriteParquet(_folder["parquet/a.parquet"], [.. rows.Select(r => ((byte[]?)r.picture, (long?)r.person))]);
        using var teacher = TeacherCard.Open(_card, Finder());
        var expected = Open("people", "arcface");
        var embeddings = new FaceEmbeddings(teacher, expected).Of(FaceView.Original, JobContext.None);
        foreach (var (data, asserted) in new[] { ("rec", null), ("rec/train.rec", null), ("rec", "arcface"), ("tar", "arcface"), ("parquet", "arcface"),
            ("parquet/a.parquet", "arcface") })
        {
            var faces = Open(data, asserted);
            Assert.Equal(expected.Id, faces.Id);
            Assert.Equal(expected.Manifest, faces.Manifest);
            var set = new FaceEmbeddings(teacher, faces).Of(FaceView.Original, JobContext.None);
            Assert.Equal(embeddings.Values, set.Values);
            Assert.Equal(embeddings.Identities, set.Identities);
            Assert.Equal(Pixels(expected, 7), Pixels(faces, 7));
        }

        static IEnumerable<(string, byte[])> Members(byte[] picture, int person, string name) =>
            [($"{name}.png", picture), ($"{name}.cls", Archives.Bytes($"{person}"))];
    }

    [Fact]
    public void A_student_is_distilled_from_a_record_file_resumed_and_opened_for_calibration()
    {
        Archives.WriteInsightFace(_folder["rec/train.rec"], Archives.PicturesOf(_folder["people"]));
        var options = TinyRun.Options with
        {
            Run = TinyRun.Options.Run with { Epochs = 1, BatchSize = 4 }, HeldOut = TinyRun.Options.HeldOut with { Part = 0 },
        };
        var data = DataFolder.Resolve(_folder["rec"], Finder());
        var request = new DistillRequest(_card, [data], null, options, _folder["run"], false);
        Assert.True(new DistillJob(Finder()).Run(request, JobContext.None).Finished);
        Assert.True(new DistillJob(Finder()).Run(request with { Resume = true }, JobContext.None).Finished);
        Assert.Contains(",0000002", File.ReadAllText(_folder[$"run/{TrainedFaces.FileName}"]), StringComparison.Ordinal);
        var trained = TrainingData.Open(_folder["run"], "arcface", Finder(), JobContext.None);
        Assert.Equal(Open("people", "arcface").Id, trained.Id);

        // Another file in its place, with one person less and a stranger, is noticed as a folder's other pictures are.
        byte[][][] people = Archives.PicturesOf(_folder["people"]);
        byte[] stranger = File.ReadAllBytes(Pictures.Noise(_folder["noise.png"], 112, 112));
        Archives.WriteInsightFace(_folder["rec/train.rec"], [people[0], [.. people[1][1..], stranger]]);
        var said = new List<string>();
        Assert.Equal(7, TrainingData.Open(_folder["run"], "arcface", Finder(), new JobContext(said.Add)).Dataset.Images.Count);
        Assert.Contains("1 of the 8 faces found now are none that it was trained on", said[0], StringComparison.Ordinal);
        Assert.Contains("5 of the 12 faces that it was trained on are not there any more", said[1], StringComparison.Ordinal);
        Directory.Delete(_folder["rec"], recursive: true);
        Assert.Contains("are not at hand any more", Assert.Throws<FaceDistillException>(
            () => TrainingData.Open(_folder["run"], "arcface", Finder(), JobContext.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Aligned_faces_are_not_aligned_again_and_pictures_can_be_left_out_by_a_list()
    {
        Archives.WriteInsightFace(_folder["rec/train.rec"], Archives.PicturesOf(_folder["people"]));
        Assert.Contains("holds faces aligned to 'arcface' already", Assert.Throws<FaceDistillException>(() => new AlignJob(Finder()).Run(
            new AlignRequest(_folder["rec"], _folder["out"], "arcface", AlignedFrame.Default), JobContext.None)).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["list.txt"], "rec\t0000001/0000005\n");
        var data = DataFolder.Resolve(_folder["rec"], Finder()) with { Exclude = _folder["list.txt"] };
        var lines = new List<string>();
        Assert.Equal(11, new FaceSource(Finder()).Open(data, "arcface", null, new JobContext(lines.Add)).Dataset.Images.Count);
        Assert.Contains($"{_folder["rec"]}: its pictures of 112 x 112 are taken as aligned to 'arcface', as the format has them; --aligned says otherwise",
            lines);
    }

    [Theory]
    [InlineData("pax.tar")]
    [InlineData("gnu.tar")]
    [InlineData("ustar.tar")]
    [InlineData("train.rec")]
    [InlineData("python2-0.bin")]
    [InlineData("python3-2.bin")]
    [InlineData("python3-5.bin")]
    [InlineData("numpy-0.bin")]
    [InlineData("numpy-5.bin")]
    public void Whatever_is_turned_round_in_a_file_is_read_or_refused_in_one_line(string name)
    {
        string file = _folder["damaged/" + name];
        Archives.WriteInsightFace(_folder["damaged/train.rec"], Archives.PicturesOf(_folder["people"]));
        byte[] whole = File.ReadAllBytes(name == "train.rec" ? file : Path.Combine(Archives.Samples, name));
        var random = new Random(7);
        for (int i = 0; i < 200; i++)
        {
            byte[] copy = whole[..(i % 4 == 0 ? random.Next(whole.Length) : whole.Length)];
            for (int flips = random.Next(1, 4); flips > 0 && copy.Length > 0; flips--)
            {
                copy[random.Next(Math.Min(copy.Length, i % 2 == 0 ? 600 : int.MaxValue))] = (byte)random.Next(256);
            }

            File.WriteAllBytes(file, copy);
            Exception? e = Record.Exception(() => _ = name.EndsWith(".bin", StringComparison.Ordinal) ? PickleFile.Read(file) : FaceDataset.List(file));
            Assert.True(e is null || (e is FaceDistillException && e.Message.Contains(_folder["damaged"], StringComparison.Ordinal)
                && !e.Message.Contains('\n', StringComparison.Ordinal)), e?.ToString());
            PlainWords.In(e?.Message ?? "");
        }
    }

    [RealDataFact]
    public void Photos_of_a_shard_are_aligned_as_those_of_a_folder()
    {
        string[] photos = RealData.LfwPhotos(3);
        for (int i = 0; i < photos.Length; i++)
        {
            Directory.CreateDirectory(_folder[$"raw/{i:d7}"]);
            File.Copy(photos[i], _folder[$"raw/{i:d7}/a.jpg"]);
        }

        Archives.WriteTar(_folder["shard/x.tar"], [.. photos.SelectMany((photo, i) => new[]
        {
            ($"{i}.cls", Archives.Bytes($"{i}")), ($"{i}.jpg", File.ReadAllBytes(photo)),
        }), ("9.cls", Archives.Bytes("9")), ("9.png", File.ReadAllBytes(Pictures.Noise(_folder["noise.png"], 120, 120)))]);
        var aligner = new FolderAligner(
            new PhotoAligner(DetectorCard.FindModel(AssetFinder.FromEnvironment()), AlignmentTemplate.ArcFace, AlignedFrame.Default));
        aligner.Run(FaceDataset.List(_folder["raw"]), _folder["of-folder"], JobContext.None);
        var made = aligner.Run(FaceDataset.List(_folder["shard"]), _folder["of-shard"], JobContext.None);
        Assert.Equal(["0000000/x-0.jpg", "0000001/x-1.jpg", "0000002/x-2.jpg"], made.Faces.Dataset.Images.Select(i => i.Path));
        Assert.Equal([("0000009/x-9.png", "no face found")], made.Skipped);
        Assert.Equal(3, aligner.Run(FaceDataset.List(_folder["shard"]), _folder["of-shard"], JobContext.None).Reused);
        string id = AlignedFaces.Open(_folder["of-folder"]).Hashed(JobContext.None).Id;
        Assert.Equal(id, AlignedFaces.Open(_folder["of-shard"]).Hashed(JobContext.None).Id);
        var source = new FaceSource(AssetFinder.FromEnvironment());
        Assert.Equal(id, source.Open(DataFolder.Of(_folder["shard"]), "arcface", null, JobContext.None).Id);
    }

    private AlignedFaces Open(string data, string? asserted) =>
        new FaceSource(Finder()).Open(DataFolder.Resolve(_folder[data], Finder()), "arcface", asserted, JobContext.None);

    private AssetFinder Finder() => new([], [], _folder["cache"]);

    private static byte[] Pixels(AlignedFaces faces, int index)
    {
        using var frame = faces.ReadFrame(index);
        frame.GetArray(out OpenCvSharp.Vec3b[] pixels);
        return [.. pixels.SelectMany(p => new[] { p.Item0, p.Item1, p.Item2 })];
    }
}
