using FaceDistill.Cli;
using FaceDistill.Files;
using FaceDistill.Kernels;

// Open MPI gives its ranks terminals that nobody sees; what the runtime sends to a terminal first would stand in logs.
if (Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_RANK") is not null)
{
    Environment.SetEnvironmentVariable("TERM", "dumb");
}

HostMemory.KeepFreed();
NativeComplaints.Collect();
return await CommandLine.RunAsync(args);
