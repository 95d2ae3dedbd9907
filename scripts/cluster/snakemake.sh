#!/usr/bin/env bash
# Goes on with the run in OUT by Snakemake, on this machine or, by its options, through a cluster's scheduler:
#   tern-shootout tasks OPTIONS --out OUT      once; OUT lies where every node sees it
#   scripts/cluster/snakemake.sh OUT --cores 8
#   scripts/cluster/snakemake.sh OUT --jobs 100 --executor cluster-generic --cluster-generic-submit-cmd sbatch
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/waves.sh"
out=$(realpath "$1")
shift
options=("$@")
wave() {
  rm -rf "$out/snakemake"
  mkdir -p "$out/snakemake"
  cat >"$out/snakemake/ids"
  snakemake --snakefile "$here/Snakefile" --directory "$out/snakemake" --config "out=$out" "tern=$(command -v "$tern")" \
    --keep-going --quiet all "${options[@]}"
}
waves "$out" wave
