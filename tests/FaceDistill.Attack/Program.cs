using System.Runtime.Versioning;
using FaceDistill.Attack;

[assembly: SupportedOSPlatform("linux")]

return Options.Parse(args) is { } options ? new Attack(options).Run() : Options.Usage();
