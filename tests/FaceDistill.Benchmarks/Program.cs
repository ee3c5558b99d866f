using FaceDistill.Benchmarks;
using FaceDistill.Files;


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
    case ["ranks", var student, .. var numbers] when numbers.Select(n => InvariantNumber.Count(n, out int number) ? number : 0).ToArray() is
        [> 0 and var batch, > 0 and var parts, > 0 and var steps]:
        return RanksBenchmark.Run(student, batch, parts, steps);
    case ["index", var faces] when InvariantNumber.Count(faces, out int count):
        return IndexMemory.Run(count);
    case ["index", var faces, var folder] when InvariantNumber.Count(faces, out int count):
        return IndexMemory.Write(count, folder);
    case ["int8", var run, var aligned, .. var output]:
        Int8Benchmark.Print(run, aligned, output.FirstOrDefault(), Console.Out);
        return 0;
    default:
        Console.Error.WriteLine("""
            usage: dotnet run -c Release --project tests/FaceDistill.Benchmarks -- QUESTION
            pairs [--large] [--plain] | pairs --store STORE | evaluate N D [--write FILE.npy LABELS.txt | --start] | train [--bare] [--pytorch]
            train --parts | train --memory | ranks STUDENT BATCH PARTS STEPS (also under mpirun) | int8 RUN ALIGNED [FILE.onnx] | index FACES [FOLDER]
            accuracy [--data NAME ...] [--minutes M] [--people N] [--only CONTENDER ...] [--student STUDENT] [--every STEPS] [--write]
            """);
        return 2;
}
