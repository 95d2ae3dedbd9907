#!/usr/bin/env bash
# Measures the same products by tern and by other engines, in turns within one run, and prints tables.
#   ./scripts/peers.sh [--avx2] [--out FILE.json] [--shapes KxM,...] [--rounds N]
# The engines are downloaded and built for this machine once, outside the repository: $XDG_CACHE_HOME/tern/peers, or
# ~/.cache/tern/peers. They are ggml (from the source package of llama-cpp-python), ik_llama.cpp (from that of
# ik-llama-cpp-python), litespark-inference (on x86-64), oneDNN, OpenBLAS and Eigen (Debian's) and PyTorch (its wheel).
# --avx2, first, keeps everybody to AVX2: ik_llama.cpp is compiled for it, libraries are told so; ggml and litespark are left out.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib/packages.sh
. scripts/lib/python.sh
. scripts/lib/ggml.sh

avx2=
if [ "${1:-}" = --avx2 ]; then
  avx2=yes
  shift
  export TERN_ISA=avx2 DNNL_MAX_CPU_ISA=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 OPENBLAS_CORETYPE=Haswell
fi
arguments=("$@") out=
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
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

build_litespark() {
  local litespark
  litespark=$(package_source litespark-inference 1.0.3 \
    2ca5d18f7cf68f08c291905d669354b85dbbf841608f7a3cd335d883a8fdfc62 litespark_inference/kernels/x86_64)
  module litespark -D LITESPARK="$litespark" -D VERSION=1.0.3 || {
    rm -rf "$peers/litespark"
    echo "left out: litespark: its kernels cannot be built here" >&2
  }
}

march=native
if [ "$avx2" ]; then
  march=x86-64-v3 peers=$peers/avx2
  echo "left out: ggml, litespark: they are compiled for this machine" >&2
else
  ggml=$(ggml_library)
  module ggml -D PEER=ggml -D GGML_PREFIX="$ggml"
  if [ "$(uname -m)" = x86_64 ]; then
    build_litespark
  else
    echo "left out: litespark: only its kernels for x86-64 are built" >&2
  fi
fi
ik_llama=$(package_source ik-llama-cpp-python 0.1.5 \
  33c67eb99e4dcab5e611050433243815709b8b3067753f9ce18375013cf002ad vendor/ik_llama.cpp/ggml)
module ik_llama -D PEER=ik_llama -D GGML="$ik_llama" -D VERSION=0.1.5 -D MARCH=$march
module packages -D TORCH="$torch" -D MARCH=$march
cmake --preset release -B "$build" -D CMAKE_CXX_COMPILER="${CXX:-g++}" -D TERN_BUILD_TESTS=OFF -D TERN_BUILD_EXAMPLES=OFF >/dev/null
cmake --build "$build" --target tern-benchmark-peers peer-tern >/dev/null

"$build"/bin/tern-benchmark-peers "${arguments[@]}" "$build"/bin/peer-tern.so "$peers"/*/peer-*.so ||
  [ $? -eq 1 ] # somebody's product was wrong: the tables say whose
python3 scripts/lib/peers_report.py "$out"
