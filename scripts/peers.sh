#!/usr/bin/env bash
# Measures the same products by tern and by other engines, in turns within one run, and prints tables.
#   ./scripts/peers.sh [--out FILE.json] [--shapes KxM,...] [--rounds N]
# The engines are downloaded and built for this machine once, outside the repository: $XDG_CACHE_HOME/tern/peers, or
# ~/.cache/tern/peers. They are ggml (from the source package of llama-cpp-python), ik_llama.cpp (from that of
# ik-llama-cpp-python), litespark-inference (on x86-64), oneDNN, OpenBLAS and Eigen (Debian's) and PyTorch (its wheel).
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib/packages.sh
. scripts/lib/python.sh
. scripts/lib/ggml.sh

arguments=("$@") out=
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
  [ "$1" != --out ] || out=$2
  shift 2
done
build=build/peers/${CXX:-g++}
if [ -z "$out" ]; then
  out=$build/peers.json
  arguments+=(--out "$out")
fi

need "${build_packages[@]}" python3:python3 libdnnl-dev libopenblas-pthread-dev
python=$(python_environment interop tests/interop/requirements.txt)
torch=$("$python" -c 'import torch; print(torch.__path__[0])')
peers=$(peers_build)

# module <folder> <option>...   builds benchmarks/peers with these options, or fails
module() {
  local folder=$peers/$1
  shift
  cmake --fresh -S benchmarks/peers -B "$folder" -G Ninja -D CMAKE_BUILD_TYPE=Release "$@" >/dev/null &&
    cmake --build "$folder" >/dev/null
}

ggml=$(ggml_library)
module ggml -D PEER=ggml -D GGML_PREFIX="$ggml"
ik_llama=$(package_source ik-llama-cpp-python 0.1.5 \
  33c67eb99e4dcab5e611050433243815709b8b3067753f9ce18375013cf002ad vendor/ik_llama.cpp/ggml)
module ik_llama -D PEER=ik_llama -D GGML="$ik_llama" -D VERSION=0.1.5
if [ "$(uname -m)" = x86_64 ]; then
  litespark=$(package_source litespark-inference 1.0.3 \
    2ca5d18f7cf68f08c291905d669354b85dbbf841608f7a3cd335d883a8fdfc62 litespark_inference/kernels/x86_64)
  module litespark -D LITESPARK="$litespark" -D VERSION=1.0.3 || {
    rm -rf "$peers/litespark"
    echo "left out: litespark: its kernels cannot be built here" >&2
  }
else
  echo "left out: litespark: only its kernels for x86-64 are built" >&2
fi
module packages -D TORCH="$torch"
cmake --preset release -B "$build" -D CMAKE_CXX_COMPILER="${CXX:-g++}" -D TERN_BUILD_TESTS=OFF -D TERN_BUILD_EXAMPLES=OFF >/dev/null
cmake --build "$build" --target tern-benchmark-peers peer-tern >/dev/null

"$build"/bin/tern-benchmark-peers "${arguments[@]}" "$build"/bin/peer-tern.so "$peers"/*/peer-*.so ||
  [ $? -eq 1 ] # somebody's product was wrong: the tables say whose
python3 scripts/lib/peers_report.py "$out"
