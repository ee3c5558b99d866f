#!/usr/bin/env bash
# Builds everything and runs all tests; the last line is "N passed, N failed" (", N skipped" where any was). Real faces and the face detector's model are
# looked for in $FACEDISTILL_HOME; tests that want them say so when they are absent.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_TieredPGO=0 # as ./facedistill runs; tests of tables took 5% less
# Tests train in their own processes, where glibc is to keep what is freed as the command line has it keep it (src/FaceDistill/Kernels/Host.cs); with pages
# of 2 MB beside that. With both .ci/run took 12:14 minutes where it had taken 13:16.
export GLIBC_TUNABLES=${GLIBC_TUNABLES-glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864:glibc.malloc.trim_threshold=18446744073709551615:glibc.malloc.mmap_threshold=1073741824}
./facedistill --setup-only
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
status=0
dotnet build FaceDistill.sln -c Release -v quiet -clp:Summary || { echo "0 passed, 0 failed: the build failed"; exit 1; }
part() { # NAME FILTER...
  local name=$1
  shift
  dotnet test FaceDistill.sln -c Release --no-build --logger "console;verbosity=normal" --logger "trx;LogFileName=$name.trx" --results-directory "$results" "$@"
}
if [ $# -gt 0 ]; then
  part all "$@" || status=$?
else
  # Two processes side by side, each with half of the time that all tests take: tests that mostly wait for programs they start, and the rest.
  programs="" others=""
  for room in Cli Cluster Export Samples Table14; do
    programs+="|FullyQualifiedName~FaceDistill.Tests.$room." others+="&FullyQualifiedName!~FaceDistill.Tests.$room."
  done
  OMP_NUM_THREADS=1 part programs --filter "${programs:1}" &
  OMP_NUM_THREADS=1 part others --filter "${others:1}" || status=$?
  wait $! || status=$?
fi
trx=("$results"/*.trx)
counters=$(grep -ho '<Counters [^>]*>' "${trx[@]}" 2>/dev/null || true)
count() { { grep -o "\b$1=\"[0-9]*\"" <<<"$counters" | grep -o '[0-9]*' || true; } | awk '{ sum += $1 } END { print sum + 0 }'; }
# A failure scrolls away among two thousand lines: each again, its name, message and stack, before the last line.
awk '/<UnitTestResult / { failed = /outcome="Failed"/; if (failed) { match($0, /testName="[^"]*"/); print "FAILED " substr($0, RSTART + 10, RLENGTH - 11) } }
  failed && /<Message>/ { told = 1 } failed && told; /<\/StackTrace>/ { told = 0 } /<\/UnitTestResult>/ { failed = told = 0 }' "${trx[@]}" 2>/dev/null | head -300 || true
skipped=$(($(count total) - $(count executed)))
[ "$skipped" -eq 0 ] && skipped="" || skipped=", $skipped skipped"
echo "$(count passed) passed, $(count failed) failed$skipped"
exit "$status"
