using System.Diagnostics;
using FaceDistill.Cli;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Synthetic;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests.Cluster;

/// <summary>The real program under the two MPIs that Debian has.</summary>
public sealed class MpiTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string[] _distill;

    public MpiTests()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(8, 8, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        _distill = ["distill", "--student", "mobilenet-v1:0.25@64", "--teacher", TinyTeacher.Write(_folder["teacher"]), "--data", _folder["faces"],
            "--batch-size", "16", "--replicas", "4", "--epochs", "2", "--device", "cpu", "--precision", "fp32"];
    }

    [MpiFact]
    public async Task Two_ranks_of_either_library_train_as_one_process_does()
    {
        Assert.Equal(0, (await OtherProcess.Run(Alone([.. _distill, "--output", _folder["one"]]))).Code);
        foreach (string mpi in MpiFactAttribute.Launchers)
        {
            var (code, output, error) = await OtherProcess.Run(Ranks(mpi, 2, [.. _distill, "--output", _folder[mpi]]));
            Assert.True(code == 0, error);
            Assert.Equal(1, output.Split("2 epochs in").Length - 1); // the first rank's result, once
            Assert.Contains("2 ranks of ", error, StringComparison.Ordinal);
            Assert.Equal(Losses("one"), Losses(mpi));
            Assert.DoesNotContain(
                Directory.GetFiles(_folder[mpi]), f => f.EndsWith(".part", StringComparison.Ordinal) || f.EndsWith(".lock", StringComparison.Ordinal));
        }
    }

    [MpiFact]
    public async Task A_rank_that_is_killed_ends_the_job_and_the_run_goes_on()
    {
        string[] distill = [.. _distill.Select(a => a == "2" ? "8" : a)];
        foreach (string mpi in MpiFactAttribute.Launchers)
        {
            string run = _folder[mpi];
            using var process = Process.Start(Quiet(Ranks(mpi, 2, [.. distill, "--output", run])))!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            for (var watch = Stopwatch.StartNew(); !File.Exists(Path.Combine(run, StudentCheckpoint.FileName)); await Task.Delay(50))
            {
                Assert.True(watch.Elapsed < TimeSpan.FromMinutes(2) && !process.HasExited,
                    "training does not begin: " + (process.HasExited ? await error : ""));
            }

            // The second rank, by what its launcher told it.
            int victim = Directory.GetDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), out int id) ? id : 0).Where(id => id > 0)
                .First(id => IsRank(id, 1, run));
            Process.GetProcessById(victim).Kill();
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
            Assert.NotEqual(0, process.ExitCode);
            StudentCheckpoint.Read(Path.Combine(run, StudentCheckpoint.FileName)); // whole
            Assert.DoesNotContain("unexpected", await error + await output, StringComparison.Ordinal);

            var resumed = await OtherProcess.Run(Alone([.. distill, "--output", run, "--resume"]));
            Assert.True(resumed.Code == 0, resumed.Error);
            if (!Directory.Exists(_folder["undisturbed"]))
            {
                Assert.Equal(0, (await OtherProcess.Run(Alone([.. distill, "--output", _folder["undisturbed"]]))).Code);
            }

            Assert.Equal(Losses("undisturbed"), Losses(mpi));
        }
    }

    [MpiFact]
    public async Task What_is_wrong_is_said_once()
    {
        foreach (string mpi in MpiFactAttribute.Launchers)
        {
            var (code, _, error) =
                await OtherProcess.Run(
                Ranks(mpi, 2, [.. _distill.Select(a => a.EndsWith("tiny.json", StringComparison.Ordinal) ? _folder["none.json"] : a), "--output",
                _folder["x"]]));
            Assert.NotEqual(0, code);
            Assert.Single(error.Split('\n'), line => line.Contains("none.json", StringComparison.Ordinal));
        }
    }

    [MpiFact]
    public async Task A_rank_that_was_started_otherwise_or_fails_before_the_others_begin_ends_the_job()
    {
        foreach (string mpi in MpiFactAttribute.Launchers)
        {
            foreach (var (option, says) in new[] { ("--seed", "rank 1 of 2 was started otherwise than rank 0 (seed: 1 there, 7 here)"), ("--sed", "") })
            {
                string[] distill = ["--quiet", .. _distill, "--output", _folder["x"]]; // whose error is told all the same
                var start = Ranks(mpi, 1, distill);
                Ranks(mpi, 1, [.. distill, option, "7"]).ArgumentList.SkipWhile(a => a != "-n").Prepend(":").ToList().ForEach(start.ArgumentList.Add);
                var (code, _, error) = await OtherProcess.Run(start);
                Assert.NotEqual(0, code);
                Assert.Contains(says, error, StringComparison.Ordinal);
                Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
                Assert.False(File.Exists(_folder[$"x/{StudentCheckpoint.FileName}"]));
            }
        }
    }

    [Files.LinuxFact]
    public async Task The_only_process_of_a_launcher_needs_no_MPI()
    {
        var start = Alone([.. _distill, "--output", _folder["x"]]);
        (start.Environment["PMI_RANK"], start.Environment["PMI_SIZE"]) = ("0", "1"); // as Slurm has it
        start.Environment["FACEDISTILL_MPI"] = _folder["none.so"];
        var (code, _, error) = await OtherProcess.Run(start);
        Assert.True(code == 0, error);
    }

    public void Dispose() => _folder.Dispose();

    private IEnumerable<string> Losses(string run) =>
        File.ReadLines(Path.Combine(_folder[run], "log.csv")).Select(line => string.Join(',', line.Split(',').Take(5)));

    private static bool IsRank(int process, int rank, string run)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Contains(run, StringComparison.Ordinal)
                && File.ReadAllText($"/proc/{process}/environ").Split('\0').Any(v => v == $"OMPI_COMM_WORLD_RANK={rank}" || v == $"PMI_RANK={rank}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // gone meanwhile
        }
    }

    private static ProcessStartInfo Quiet(ProcessStartInfo start)
    {
        (start.RedirectStandardError, start.RedirectStandardOutput) = (true, true);
        return start;
    }

    private static ProcessStartInfo Alone(string[] arguments) =>
        OneThread(new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, .. arguments]));

    // More of them sum in another order.
    private static ProcessStartInfo OneThread(ProcessStartInfo start)
    {
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment.Remove("LD_PRELOAD");
        return start;
    }

    private static ProcessStartInfo Ranks(string mpi, int count, string[] arguments)
    {
        string[] own = mpi.EndsWith("openmpi", StringComparison.Ordinal) ? ["--allow-run-as-root", "--oversubscribe"] : [];
        return OneThread(new ProcessStartInfo(
            mpi, [.. own, "-n", InvariantText.Of($"{count}"), "dotnet", typeof(CommandLine).Assembly.Location, .. arguments]));
    }
}

/// <summary>A test that needs MPICH's and Open MPI's launchers (Debian's mpich and openmpi-bin); elsewhere it is skipped and says so.</summary>
public sealed class MpiFactAttribute : FactAttribute
{
    /// <summary>The names that Debian and Ubuntu give them.</summary>
    public static readonly string[] Launchers = ["mpirun.mpich", "mpirun.openmpi"];

    public MpiFactAttribute() => Skip = Launchers.All(l => File.Exists("/usr/bin/" + l)) ? null
        : "not run: MPI is not here (apt-get install mpich openmpi-bin)";
}
