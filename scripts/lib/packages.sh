# Sourced by the scripts: installs what a bare Debian 12 lacks, and nothing that is there.

# need <item>...   An item is a Debian package, or tool:package for a tool that may come from anywhere.
# Installs the missing packages as root or through sudo without a password. Where that cannot be, or on another system,
# it names them and ends the script. TERN_ASSUME_INSTALLED=1 skips the check: for systems that name packages otherwise.
need() {
  [ "${TERN_ASSUME_INSTALLED:-0}" = 1 ] && return
  local item missing=()
  for item in "$@"; do
    case $item in
      *:*) command -v "${item%%:*}" >/dev/null || missing+=("${item#*:}") ;;
      *) is_installed "$item" || missing+=("$item") ;;
    esac
  done
  [ ${#missing[@]} -eq 0 ] && return

  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
  if ! is_debian; then
    refuse "this is not Debian" "${missing[@]}"
  elif ! "${as_root[@]}" true 2>/dev/null; then
    refuse "this needs root, or sudo without a password" "${missing[@]}"
  fi
  echo "Installing ${missing[*]}"
  patiently "${as_root[@]}" apt-get update -qq
  patiently "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# patiently COMMAND...: again and again, for ten minutes, while another program holds one of apt's locks.
patiently() {
  local said attempt
  for attempt in {1..120}; do
    said=$(LC_ALL=C "$@" 2>&1 >/dev/null </dev/null) && return
    [[ $said == *[Ll]"ock "* || $said == *"/lock"* ]] || break
    [ "$attempt" -gt 1 ] || echo "Waiting for another program that holds apt's lock" >&2
    sleep 5
  done
  echo "$said" >&2
  return 1
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

is_debian() {
  [ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-}" = debian ]) && command -v apt-get >/dev/null
}

refuse() {
  local reason=$1
  shift
  {
    echo "Missing packages, not installed because $reason:"
    echo "  apt-get install $*"
    echo "Install them under whatever names your system has, then run again with TERN_ASSUME_INSTALLED=1."
  } >&2
  exit 1
}

# What every build needs.
build_packages=(
  cmake:cmake ninja:ninja-build "${CXX:-g++}:g++" pkg-config:pkg-config
  libeigen3-dev libxsimd-dev nlohmann-json3-dev libcli11-dev libpcre2-dev libicu-dev libgmime-3.0-dev libgumbo-dev
  libcld2-dev
)
