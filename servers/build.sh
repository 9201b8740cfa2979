# Read by servers/start and tests/run: installs what is missing and builds a preset.

# Packages that building and running Apus needs, all from Debian 12.
APUS_BUILD_PACKAGES="g++ make cmake ninja-build pkg-config libpoco-dev libboost-dev libboost-filesystem-dev
  libboost-system-dev libinih-dev libssl-dev libsqlite3-dev zlib1g-dev rapidjson-dev libmemcached-dev libjemalloc-dev
  libre2-dev libcli11-dev libarchive-dev rsync"

say() { printf '%s\n' "$*" >&2; }

# need_packages NAME...: installs those that dpkg does not know, as root or through sudo.
need_packages() {
  missing=""
  for package in "$@"; do
    case "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" in
      "install ok installed") ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -z "$missing" ] && return 0
  say "installing:$missing"
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "not root and no sudo: install$missing yourself"; return 1; }
    as_root="sudo"
  fi
  log=$(mktemp)
  # Word splitting of the list is wanted.
  # shellcheck disable=SC2086
  if $as_root apt-get update >"$log" 2>&1 &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing \
      >>"$log" 2>&1; then
    rm -f "$log"
  else
    cat "$log" >&2
    rm -f "$log"
    say "could not install:$missing"
    return 1
  fi
}

# build_preset PRESET [cmake configure arguments]: configures when needed and builds; quiet when all is well.
build_preset() {
  preset=$1
  shift
  launcher=""
  command -v ccache >/dev/null && launcher="-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
  # shellcheck disable=SC2086
  (cd "$APUS_ROOT" && cmake --preset "$preset" $launcher "$@" >/dev/null &&
    cmake --build --preset "$preset" >&2)
}
