#!/usr/bin/env bash
# Measures the same products by tern and by other engines, in turns within one run, and prints tables.
#   ./scripts/peers.sh [--out FILE.json] [--shapes KxM,...] [--rounds N]
# The engines are downloaded and built for this machine once, outside the repository: $XDG_CACHE_HOME/tern/peers, or
# ~/.cache/tern/peers. They are ggml (from the source package of llama-cpp-python), ik_llama.cpp (from that of
# ik-llama-cpp-python), oneDNN, OpenBLAS and Eigen (Debian's packages) and PyTorch (its wheel).
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib/packages.sh
. scripts/lib/python.sh

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
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tern/peers
mkdir -p "$cache"
python=$(python_environment interop tests/interop/requirements.txt)
torch=$("$python" -c 'import torch; print(torch.__path__[0])')

# ggml_peer <peer> <package> <version> <checksum> <folder of ggml in it>
ggml_peer() {
  local peer=$1 package=$2 version=$3 checksum=$4 archive=$cache/${2//-/_}-$3.tar.gz
  local source=$cache/${2//-/_}-$3/$5
  if [ ! -d "$source" ]; then
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$cache" "$package==$version"
    echo "$checksum  $archive" | sha256sum --check --quiet
    tar -xzf "$archive" -C "$cache" "${source#"$cache"/}"
  fi
  module "$peer" -D PEER="$peer" -D GGML="$source" -D VERSION="$version"
}

# module <folder> <option>...   builds benchmarks/peers with these options
module() {
  local folder=$cache/build/$1
  shift
  cmake --fresh -S benchmarks/peers -B "$folder" -G Ninja -D CMAKE_BUILD_TYPE=Release "$@" >/dev/null
  cmake --build "$folder" >/dev/null
}

ggml_peer ggml llama-cpp-python 0.3.36 832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e vendor/llama.cpp/ggml
ggml_peer ik_llama ik-llama-cpp-python 0.1.5 33c67eb99e4dcab5e611050433243815709b8b3067753f9ce18375013cf002ad vendor/ik_llama.cpp/ggml
module packages -D TORCH="$torch"
cmake --preset release -B "$build" -D CMAKE_CXX_COMPILER="${CXX:-g++}" -D TERN_BUILD_TESTS=OFF -D TERN_BUILD_EXAMPLES=OFF >/dev/null
cmake --build "$build" --target tern-benchmark-peers peer-tern >/dev/null

"$build"/bin/tern-benchmark-peers "${arguments[@]}" "$build"/bin/peer-tern.so "$cache"/build/*/peer-*.so ||
  [ $? -eq 1 ] # somebody's product was wrong: the tables say whose
python3 scripts/lib/peers_report.py "$out"
