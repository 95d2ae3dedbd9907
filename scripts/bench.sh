#!/usr/bin/env bash
# Measures kernels against the machine's limits, both taken in one run, in turns.
#   ./scripts/bench.sh kernels [--out FILE.json] [FILTER]   a line for each target: row, measured, must, aim, ok or short
# FILTER is a regular expression over benchmark names (benchmarks/kernels/main.cpp). CXX picks the compiler.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib/packages.sh

usage() {
  sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
[ $# -ge 1 ] && [ "$1" = kernels ] || usage
shift
out='' filter='.'
while [ $# -gt 0 ]; do
  case $1 in
    --out) [ $# -ge 2 ] || usage; out=$2; shift ;;
    -*) usage ;;
    *) filter=$1 ;;
  esac
  shift
done

need "${build_packages[@]}" python3:python3 libbenchmark-dev
build=build/bench/${CXX:-g++}
out=${out:-$build/kernels.json}
cmake --preset release -B "$build" -D CMAKE_CXX_COMPILER="${CXX:-g++}" -D TERN_BUILD_TESTS=OFF -D TERN_BUILD_EXAMPLES=OFF >/dev/null
cmake --build "$build" --target tern-benchmark-kernels >/dev/null
"$build"/bin/tern-benchmark-kernels --benchmark_filter="$filter" --benchmark_repetitions=5 --benchmark_min_time=0.02 \
  --benchmark_enable_random_interleaving=true --benchmark_out="$out" --benchmark_out_format=json >/dev/null
python3 scripts/lib/bench_report.py "$out"
