#!/usr/bin/env bash
# Goes on with the run in OUT by Slurm: a job array for each 1,000 pieces, which is what MaxArraySize allows by default.
#   tern-shootout tasks OPTIONS --out OUT      once; OUT lies where every node sees it
#   scripts/cluster/slurm.sh OUT [SBATCH OPTION...]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/waves.sh"
out=$(realpath "$1")
shift
options=("$@")
wave() {
  rm -f "$out"/slurm/ids-*
  mkdir -p "$out/slurm"
  split --lines 1000 - "$out/slurm/ids-"
  local ids
  for ids in "$out"/slurm/ids-*; do
    sbatch --wait --quiet --array "1-$(wc -l <"$ids")" --output "$out/slurm/%A-%a.log" "${options[@]}" \
      --wrap "'$tern' task \$(sed -n \${SLURM_ARRAY_TASK_ID}p '$ids') --out '$out'" &
  done
  wait
}
waves "$out" wave
