using System.Globalization;
using FaceDistill;

// Compares the faces of two photos: CompareFaces student.onnx a.jpg b.jpg

const double Far = 1e-4;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length != 3)
{
    Console.Error.WriteLine("usage: CompareFaces student.onnx a.jpg b.jpg");
    return 2;
}

try
{
    using var embedder = FaceEmbedder.Load(args[0]);
    float similarity = FaceEmbedder.Similarity(embedder.EmbedPhoto(args[1]), embedder.EmbedPhoto(args[2]));
    Console.WriteLine($"similarity {similarity:0.0000}");
    if (embedder.Thresholds.Count == 0)
    {
        Console.WriteLine("no verdict: the file carries no measured threshold; write it with 'facedistill export --evaluate --data DIR', "
            + "DIR holding enough people whom it was not trained on (some 150 photos of different people for FAR 1e-4)");
        return 0;
    }

    float threshold = embedder.Threshold(Far);
    Console.WriteLine($"{(similarity >= threshold ? "the same person" : "not accepted as the same person")} at FAR 1e-4 (threshold {threshold:0.0000})");
    Console.WriteLine($"FAR at which the pair would just be accepted: {embedder.FalseAcceptRate(similarity)}");
    return 0;
}
catch (FaceDistillException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
