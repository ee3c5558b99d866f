#!/usr/bin/env bash
# Builds everything and runs all tests; the last line is "N passed, N failed" (", N skipped" where any was). Real faces and the face detector's model are
# looked for in $FACEDISTILL_HOME; tests that want them say so when they are absent.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
./facedistill --setup-only
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
status=0
dotnet test FaceDistill.sln -c Release --logger "console;verbosity=normal" --logger "trx;LogFileName=all.trx" --results-directory "$results" "$@" || status=$?
counters=$(grep -o '<Counters [^>]*>' "$results/all.trx" 2>/dev/null || true)
count() { grep -o "\b$1=\"[0-9]*\"" <<<"$counters" | grep -o '[0-9]*' || echo 0; }
# A failure scrolls away among two thousand lines: each again, its name, message and stack, before the last line.
awk '/<UnitTestResult / { failed = /outcome="Failed"/; if (failed) { match($0, /testName="[^"]*"/); print "FAILED " substr($0, RSTART + 10, RLENGTH - 11) } }
  failed && /<Message>/ { told = 1 } failed && told; /<\/StackTrace>/ { told = 0 } /<\/UnitTestResult>/ { failed = told = 0 }' "$results/all.trx" 2>/dev/null | head -300 || true
skipped=$(($(count total) - $(count executed)))
[ "$skipped" -eq 0 ] && skipped="" || skipped=", $skipped skipped"
echo "$(count passed) passed, $(count failed) failed$skipped"
exit "$status"
