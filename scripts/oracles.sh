#!/usr/bin/env bash
# Makes the stored reference values of tests/interop anew: ./scripts/oracles.sh [BASE...]
# Without a base, of all but the largest, which needs 24 GB of memory. The text is WikiText-2's test set.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib/packages.sh
source scripts/lib/python.sh

data=${TERN_TEST_DATA:-$PWD/../shared/data}
python=$(python_environment interop tests/interop/requirements.txt)
[ $# -gt 0 ] || set -- gemma-3-270m qwen2.5-coder-0.5b-instruct
exec "$python" tests/interop/make_oracles.py "$data/eval/wikitext-2-raw/wiki.test.canonical.raw" "$@"
