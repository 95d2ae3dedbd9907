#!/usr/bin/env bash
# The fuzz targets of texts (mailboxes, chats, subtitles, HTML, git's logs) under AddressSanitizer and UBSan: any bytes
# must end in a text or a FormatError. Two run at a time.
#   ./scripts/fuzz.sh [SECONDS]   for each target, 60 unless told
# What breaks one is kept as build/fuzz/crash-<target>-...; the report of it all is build/fuzz/report.xml.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib/packages.sh

seconds=${1:-60} build=$PWD/build/fuzz targets=(chat git_log html mbox subtitles)
rm -f "$build/report.xml"
need "${build_packages[@]}" python3:python3 doctest-dev clang++-14:clang-14 libclang-rt-14-dev
cmake -G Ninja -B "$build" -D TERN_FUZZ=ON -D CMAKE_CXX_COMPILER=clang++-14 -D TERN_BUILD_EXAMPLES=OFF \
  -D TERN_BUILD_BENCHMARKS=OFF >/dev/null
cmake --build "$build" --target "${targets[@]/#/tern-fuzz-}"
rm -rf "$build/seeds"
python3 tests/fuzz/seeds.py "$build/seeds"

fuzz() {  # <target>: one <testcase> of the report
  local log=$build/$1.log result=0
  mkdir -p "$build/corpus/$1"
  "$build/bin/tern-fuzz-$1" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$build/crash-$1-" "$build/corpus/$1" "$build/seeds/$1" >"$log" 2>&1 || result=$?
  echo "fuzz/$1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s, exit code $result" >&2
  local failure=
  [ $result -eq 0 ] || failure="<failure message=\"exit code $result, see build/fuzz/$1.log\"/>"
  echo "<testcase name=\"fuzz/$1\">$failure</testcase>"
}
export -f fuzz
export build seconds

{
  echo "<testsuite name=\"fuzz\">"
  printf '%s\n' "${targets[@]}" | xargs -P 2 -I {} bash -euo pipefail -c 'fuzz {}'
  echo "</testsuite>"
} >"$build/report.xml"
exec python3 scripts/lib/summary.py "$build/report.xml"
