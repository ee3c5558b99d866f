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
rem The kind of build stays what it was until a variable says otherwise, as in facedistill.
set "BUILT="
if exist "%STAMP%" set /p BUILT=<"%STAMP%"
set "TORCH=%FACEDISTILL_TORCH%"
set "ONNX=%FACEDISTILL_ONNXRUNTIME%"
for /f "tokens=1,2" %%a in ("%BUILT%") do (
  if "%TORCH%"=="" set "TORCH=%%a"
  if "%FACEDISTILL_TORCH%%ONNX%"=="" set "ONNX=%%b"
)
if "%TORCH%"=="" set "TORCH=cpu"
if "%ONNX%"=="" if "%TORCH%"=="cuda" (set "ONNX=cuda") else (set "ONNX=cpu")

where dotnet >nul 2>nul || (echo facedistill: the .NET SDK 10 is missing: install it and run this again 1>&2 & exit /b 1)
if not "%BUILT%"=="%TORCH% %ONNX%" goto build
powershell -NoProfile -Command "$s = Get-Item -ErrorAction SilentlyContinue $env:STAMP; if (-not $s) { exit 1 }; $n = Get-ChildItem -Recurse -File \"$env:ROOT\src\", \"$env:ROOT\teachers\", \"$env:ROOT\datasets\", \"$env:ROOT\Directory.*.props\", \"$env:ROOT\Directory.*.targets\" | Where-Object { $_.FullName -notmatch '\\(bin|obj)\\' -and $_.Extension -ne '.md' -and $_.LastWriteTimeUtc -gt $s.LastWriteTimeUtc } | Select-Object -First 1; if ($n) { exit 1 } else { exit 0 }"
if not errorlevel 1 goto run
:build
echo facedistill: building (the first time fetches about 500 MB of packages) 1>&2
if not exist "%CLI%\bin" mkdir "%CLI%\bin"
rem Older than any change made while it builds, and no stamp of a build that failed.
(echo %TORCH% %ONNX%)> "%STAMP%.new"
dotnet build -c Release "%CLI%" -v quiet "-p:Torch=%TORCH%" "-p:OnnxRuntime=%ONNX%" 1>&2 || (echo facedistill: the build failed; see the lines above 1>&2 & exit /b 1)
move /y "%STAMP%.new" "%STAMP%" > nul
:run
dotnet "%CLI%\bin\Release\net10.0\FaceDistill.Cli.dll" %*
exit /b %ERRORLEVEL%
