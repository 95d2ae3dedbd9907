# Sourced: Python environments of the tests, made once and kept in the user's cache.

# python_environment <name> <requirements file>: prints the path of a Python that has what the file pins. Where torch is
# among it, it goes first and alone, so that the index's build for CPUs is taken.
python_environment() {
  local requirements=$2 cache=${XDG_CACHE_HOME:-$HOME/.cache}/tern
  local environment=$cache/venv-$1 torch
  if ! cmp -s "$requirements" "$environment/requirements.txt"; then
    {
      python3 -c 'import ensurepip, venv' 2>/dev/null || need python3-venv ca-certificates
      echo "Making $environment"
      rm -rf "$environment"
      mkdir -p "$cache"
      python3 -m venv "$environment"
      torch=$(grep -m 1 '^torch==' "$requirements" || true)
      [ -z "$torch" ] || "$environment/bin/pip" install --quiet --disable-pip-version-check "$torch"
      "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
      cp "$requirements" "$environment/requirements.txt"
    } >&2
  fi
  echo "$environment/bin/python"
}
