using FaceDistill.Cli;
using FaceDistill.Files;

NativeComplaints.Collect();
return await CommandLine.RunAsync(args);
