# Sourced: gives a scheduler the pieces of a run, wave after wave. What is done is what lies in OUT/tasks, so that a
# killed worker, a lost job or a scheduler that forgets costs a wave and no result.

tern=${TERN_SHOOTOUT:-tern-shootout}

# waves OUT COMMAND...: COMMAND gets the ids that may be done now on its input, one a line, and ends when its jobs have;
# again until nothing is left. Then the reports are written.
waves() {
  local out=$1 ids before=
  shift
  while ids=$("$tern" tasks --out "$out" | cut -f 1) && [ -n "$ids" ]; do
    if [ "$ids" = "$before" ]; then
      echo "nothing came of the last wave; see what \`$tern task ID --out $out\` says of" $ids >&2
      return 1
    fi
    before=$ids
    "$@" <<<"$ids" || true
  done
  "$tern" task report --out "$out"
}
