using FaceDistill.Benchmarks;


// One question a file; the name on the command line chooses it.
switch (args)
{
    case ["pairs", .. var rest]:
        return PairScoringBenchmark.Run(rest);
    case ["evaluate", .. var rest]:
        return EvaluateBenchmark.Run(rest);
    case ["train", .. var rest]:
        return TrainBenchmark.Run(rest);
    case ["accuracy", .. var rest]:
        return AccuracyBenchmark.Run(rest);
    case ["int8", var run, var faces, .. var output]:
        Int8Benchmark.Print(run, faces, output.FirstOrDefault(), Console.Out);
        return 0;
    default:
        Console.Error.WriteLine("""
            usage: dotnet run -c Release --project tests/FaceDistill.Benchmarks -- QUESTION
            pairs [--large] [--plain] | pairs --store STORE | train [--bare] [--pytorch] | train --parts | train --memory | int8 RUN ALIGNED [FILE.onnx]
            evaluate N D [--write FILE.npy LABELS.txt | --start]
            accuracy [--data NAME ...] [--minutes M] [--people N] [--only CONTENDER ...] [--student STUDENT] [--every STEPS] [--write]
            """);
        return 2;
}
