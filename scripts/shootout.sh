#!/usr/bin/env bash
# The shootout, from nothing: installs what is missing, builds, runs. Without arguments it compares the adapters on the
# bundled base and personas with a small budget; arguments go to tern-shootout:
#   ./scripts/shootout.sh
#   ./scripts/shootout.sh --base smollm2-135m --users ~/people
#   ./scripts/shootout.sh read --users ~/people
#   ./scripts/shootout.sh plan --users ~/people
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
here=$PWD
. scripts/lib/packages.sh

need "${build_packages[@]}"
cmake --preset release >/dev/null
cmake --build --preset release --target tern-shootout

command=run
case ${1:-} in
  run | plan | read | report)
    command=$1
    shift
    ;;
esac
cd "${OLDPWD:-$here}"
exec "$here/build/release/bin/tern-shootout" "$command" "$@"
