#!/usr/bin/env bash
# Goes on with the run in OUT by GNU parallel, on this machine.
#   tern-shootout tasks OPTIONS --out OUT      once
#   scripts/cluster/parallel.sh OUT [WORKERS]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/waves.sh"
out=$1 workers=${2:-$(nproc)}
wave() { parallel --jobs "$workers" "$tern" task {} --out "$out"; }
waves "$out" wave
