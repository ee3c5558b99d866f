using FaceDistill.Cli;
using FaceDistill.Files;

// Open MPI gives its ranks terminals that nobody sees; what the runtime sends to a terminal first would stand in logs.
if (Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_RANK") is not null)
{
    Environment.SetEnvironmentVariable("TERM", "dumb");
}

NativeComplaints.Collect();
return await CommandLine.RunAsync(args);
