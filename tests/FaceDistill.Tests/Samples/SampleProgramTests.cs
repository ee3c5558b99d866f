using System.Reflection;

namespace FaceDistill.Tests.Samples;

/// <summary>The sample programs, run as their users would.</summary>
public sealed class SampleProgramTests : IClassFixture<TinyRun>, IDisposable
{
    private readonly TinyRun _tiny;
    private readonly TempFolder _folder = new();

    public SampleProgramTests(TinyRun tiny) => _tiny = tiny;

    [Fact]
    public void A_student_is_trained_exported_and_measured()
    {
        string card = TinyTeacher.Write(_folder["teacher"]), faces = _tiny.Faces.Dataset.Root;
        Assert.Equal(0, Run("TrainStudent", card, faces, _folder["run"], "1"));
        Assert.True(File.Exists(_folder["run/student.onnx"]));
        Assert.True(File.Exists(_folder["run/student.tflite"]));
        Assert.Equal(0, Run("TrainStudent", card, faces, _folder["run"], "1")); // goes on: nothing left to do
        Assert.Equal(0, Run("EvaluateModels", faces, _folder["run/student.tflite"], "teacher:" + card));
    }

    [RealDataFact]
    public void Two_photos_are_compared()
    {
        string[] photos = RealData.LfwPhotos(2);
        Assert.Equal(0, Run("CompareFaces", FaceDistill.Runs.DefaultStudent.Find(), photos[0], photos[1]));
    }

    [Theory]
    [InlineData("CompareFaces")]
    [InlineData("EvaluateModels")]
    [InlineData("TrainStudent")]
    public void What_is_missing_is_told(string sample)
    {
        Assert.Equal(2, Run(sample));
        string none = _folder["none"];
        Assert.Equal(1, Run(sample, sample == "TrainStudent" ? ["dlib-resnet", none, none, "1"] : [none, none, none]));
    }

    public void Dispose() => _folder.Dispose();

    private static int Run(string sample, params string[] arguments) =>
        (int)Assembly.Load(sample).EntryPoint!.Invoke(null, [arguments])!;
}
