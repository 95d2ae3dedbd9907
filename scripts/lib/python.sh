# Sourced: the Python environment of the reference implementations, made once and kept in the user's cache.

# interop_environment <requirements file>: prints the path of a Python that has what the file pins.
# torch goes first and alone: its first line must name it, so that the index's build for CPUs is taken.
interop_environment() {
  local requirements=$1 cache=${XDG_CACHE_HOME:-$HOME/.cache}/tern
  local environment=$cache/venv-interop
  if ! cmp -s "$requirements" "$environment/requirements.txt"; then
    {
      python3 -c 'import ensurepip, venv' 2>/dev/null || need python3-venv ca-certificates
      echo "Making $environment"
      rm -rf "$environment"
      mkdir -p "$cache"
      python3 -m venv "$environment"
      "$environment/bin/pip" install --quiet --disable-pip-version-check "$(grep -m 1 '^torch==' "$requirements")"
      "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
      cp "$requirements" "$environment/requirements.txt"
    } >&2
  fi
  echo "$environment/bin/python"
}
