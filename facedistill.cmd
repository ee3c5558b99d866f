@echo off
rem Starts FaceDistill on Windows; builds first when nothing is built yet or a source file is newer than the last build.
setlocal
set "ROOT=%~dp0"
set "CLI=%ROOT%src\FaceDistill.Cli"
set "STAMP=%CLI%\bin\.built"
set DOTNET_CLI_TELEMETRY_OPTOUT=1
set DOTNET_NOLOGO=1
set DOTNET_TieredPGO=0
set "FACEDISTILL_COMMAND=%~nx0"
if "%FACEDISTILL_TORCH%"=="" set FACEDISTILL_TORCH=cpu
set "ONNX="
if not "%FACEDISTILL_ONNXRUNTIME%"=="" set "ONNX=-p:OnnxRuntime=%FACEDISTILL_ONNXRUNTIME%"

where dotnet >nul 2>nul || (echo facedistill: the .NET SDK 10 is missing: install it and run this again 1>&2 & exit /b 1)
powershell -NoProfile -Command "$s = Get-Item -ErrorAction SilentlyContinue $env:STAMP; if (-not $s) { exit 1 }; $n = Get-ChildItem -Recurse -File \"$env:ROOT\src\", \"$env:ROOT\teachers\", \"$env:ROOT\datasets\", \"$env:ROOT\Directory.*.props\", \"$env:ROOT\Directory.*.targets\" | Where-Object { $_.FullName -notmatch '\\(bin|obj)\\' -and $_.Extension -ne '.md' -and $_.LastWriteTimeUtc -gt $s.LastWriteTimeUtc } | Select-Object -First 1; if ($n) { exit 1 } else { exit 0 }"
if not errorlevel 1 goto run
echo facedistill: building (the first time fetches about 500 MB of packages) 1>&2
dotnet build -c Release "%CLI%" -v quiet "-p:Torch=%FACEDISTILL_TORCH%" %ONNX% 1>&2 || (echo facedistill: the build failed; see the lines above 1>&2 & exit /b 1)
type nul > "%STAMP%"
:run
dotnet "%CLI%\bin\Release\net10.0\FaceDistill.Cli.dll" %*
exit /b %ERRORLEVEL%
