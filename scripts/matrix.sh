#!/usr/bin/env bash
# The C++ tests under other compilers, sanitizers and instruction sets; each cell builds in build/matrix/<cell>.
#   ./scripts/matrix.sh                 every cell that this machine can run
#   ./scripts/matrix.sh clang-sanitize  some of them
# The tools beyond scripts/test.sh's: clang-14, valgrind, qemu-user.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# cell: compiler, preset, further compiler flags, wrapper around each test program
cells='
gcc-dev          g++       dev       -                     -
gcc-sanitize     g++       sanitize  -                     -
gcc-thread       g++       dev       -fsanitize=thread     -
gcc-v3           g++       release   -march=x86-64-v3      -
gcc-v4           g++       release   -march=x86-64-v4      -
gcc-valgrind     g++       dev       -                     valgrind;-q;--error-exitcode=1;--leak-check=full
gcc-nehalem      g++       release   -                     qemu-x86_64;-cpu;Nehalem
clang-dev        clang++   dev       -                     -
clang-sanitize   clang++   sanitize  -                     -
'

runs_here() {  # <flags>: can this machine run what these flags make?
  case $1 in
    -march=x86-64-v*) /lib64/ld-linux-x86-64.so.2 --help | grep -q "${1#-march=} (supported" ;;
    *) true ;;
  esac
}

find_compiler() {  # clang++ may carry a version
  command -v "$1" || compgen -c "$1-" | sort -V | tail -n 1
}

failed=()
while read -r cell compiler preset flags wrapper; do
  [ -n "$cell" ] || continue
  [ $# -eq 0 ] || [[ " $* " == *" $cell "* ]] || continue
  [ "$flags" != - ] || flags=
  [ "$wrapper" != - ] || wrapper=
  compiler=$(find_compiler "$compiler") || true
  tool=${wrapper%%;*}
  if [ -z "$compiler" ] || ! runs_here "$flags" || ! command -v "${tool:-true}" >/dev/null; then
    echo "== $cell: this machine cannot"
    continue
  fi
  echo "== $cell"
  build=build/matrix/$cell
  if ! { cmake --preset "$preset" -B "$build" -D CMAKE_CXX_COMPILER="$compiler" ${flags:+-D CMAKE_CXX_FLAGS="$flags"} \
           -D CMAKE_CROSSCOMPILING_EMULATOR="$wrapper" >/dev/null &&
         cmake --build "$build" &&
         ctest --test-dir "$build" --output-on-failure --exclude-regex '^(consumer|compile|example)/' </dev/null; }; then
    failed+=("$cell")
  fi
done <<<"$cells"

[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
