# What tools/setup and tools/qemu/build share: messages, the cache, packages,
# and the download of QEMU's source package. Read by bash (`.`), from a script
# that runs with `set -euo pipefail` and has set `who`.

umask 022
unset MAKEFLAGS MFLAGS MAKELEVEL CC CFLAGS LDFLAGS CPPFLAGS # of who called us

QEMU_VERSION=7.2.0 # Debian 12's; OpenSBI 1.1 is in it

say() { echo "$who: $*" >&2; }
die() { say "$*"; exit 1; }

# A step failed: show where the log is, and the cause where it is a usual one.
failed() { # what, log
    local log=$2
    tail -n 5 "$log" | sed 's/^/    /' >&2
    if grep -qi 'no space left' "$log" || [ "$(free_mib)" -lt 20 ]; then
        die "$1: the disk is full; log: $log"
    elif grep -qiE 'could not resolve|temporary failure|unable to connect|connection (failed|refused|timed out)|network is unreachable' "$log"; then
        die "$1: no network; log: $log"
    fi
    die "$1: failed; log: $log"
}

free_mib() { df -Pk "$cache" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }'; }
words() { echo $1; } # one line of words, single spaces
key() { printf '%s\n' "$@" | sha256sum | cut -c1-8; }

cache=${UINTA_CACHE:-${HOME:?HOME is not set}/.cache/uinta}
case $cache in
/*) ;;
*) die "UINTA_CACHE must be an absolute path, not '$cache'" ;;
esac
case $cache in
*[[:space:]]*) die "UINTA_CACHE must not contain spaces: '$cache'" ;;
esac
missing_packages() {
    local have
    have=" $(dpkg-query -W -f '${db:Status-Status}=${Package} ' $PACKAGES \
        2>/dev/null || true)"
    for p in $PACKAGES; do
        case $have in
        *" installed=$p "*) ;;
        *) printf '%s ' "$p" ;;
        esac
    done
}

as_root() { # runs apt-get so that it asks nothing
    local sudo=
    [ "$(id -u)" = 0 ] || sudo="sudo -n"
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o Dpkg::Use-Pty=0 "$@" </dev/null >>"$log" 2>&1
}

install_packages() {
    local missing
    missing=$(words "$(missing_packages)")
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        die "needs Debian 12 with apt-get; missing here: $missing"
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
        die "packages are missing; type: sudo apt-get update && sudo apt-get install -y --no-install-recommends $missing"
    fi
    say "installing Debian packages: $missing"
    local log=$cache/log/apt
    : >"$log"
    # Lists that are missing or too old are the one thing an update mends.
    as_root install --no-install-recommends $missing && return 0
    as_root update || failed "apt-get update" "$log"
    as_root install --no-install-recommends $missing ||
        failed "apt-get install" "$log"
}

# The machine's own entries for this Debian release, as deb-src.
source_entries() ( # a shell of its own, for nullglob
    local code files apt=${UINTA_APT:-/etc/apt} # another one for tests
    code=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    shopt -s nullglob
    files=("$apt"/sources.list.d/*.sources)
    awk -v code="$code" 'BEGIN { RS = ""; FS = "\n" }
        $0 ~ "(^|\n)Suites:[^\n]*[ \t]" code "([ \t\n/-]|$)" {
            for (i = 1; i <= NF; i++)
                if ($i ~ /^Types:/) print "Types: deb-src"
                else if ($i !~ /^#/) print $i
            print ""
        }' "${files[@]}" /dev/null >"$1/debian.sources"
    files=("$apt"/sources.list "$apt"/sources.list.d/*.list)
    # deb [options] URI SUITE COMPONENTS
    cat "${files[@]}" 2>/dev/null | sed -E -n \
        "s/^deb([[:space:]]+(\[[^]]*\][[:space:]]+)?[^[:space:]]+[[:space:]]+$code(-[a-z]+|\/updates)?[[:space:]])/deb-src\1/p" \
        >"$1/debian.list" || true
    [ -s "$1/debian.sources" ] || [ -s "$1/debian.list" ]
)

# Make the cache, and become the only one who works on part $1 of it.
lock() { # name, what
    mkdir -p "$cache/log" 2>/dev/null && [ -w "$cache" ] ||
        die "cannot write to $cache; choose another place with UINTA_CACHE=/path"
    exec {locked}>"$cache/$1"
    if ! flock -n "$locked"; then
        say "waiting for another run that $2"
        flock "$locked"
    fi
}

# QEMU's source: what QEMU_SRC names, or a tarball that stays in the cache.
# Sets `tarball`.
qemu_tarball() {
    local tmp=$cache/fetch log=$cache/log/fetch
    if [ -n "${QEMU_SRC:-}" ]; then
        tarball=$(realpath -- "$QEMU_SRC") && [ -f "$tarball" ] ||
            die "QEMU_SRC=$QEMU_SRC is no file; it takes a tarball of QEMU $QEMU_VERSION"
        return
    fi
    tarball=$cache/qemu-$QEMU_VERSION.tar.xz
    [ ! -f "$tarball" ] || return 0
    lock fetch.lock "downloads QEMU's source"
    [ ! -f "$tarball" ] || return 0
    say "downloading QEMU's source package (23 MB, once)"
    rm -rf "$tmp"
    mkdir -p "$tmp"/{lists/partial,cache/archives/partial,sources}
    source_entries "$tmp/sources" ||
        die "no entry for this Debian release in /etc/apt/sources.list*; or give QEMU $QEMU_VERSION's tarball: QEMU_SRC=/path"
    local apt=(apt-get -q -o Dir::Etc::sourcelist=/dev/null
        -o Dir::Etc::sourceparts="$tmp/sources"
        -o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache"
        -o APT::Sandbox::User=root -o Acquire::Languages=none)
    [ "$(id -u)" = 0 ] || apt+=(-o APT::Sandbox::User="$(id -un)")
    (
        "${apt[@]}" -o APT::Update::Error-Mode=any update && cd "$tmp" &&
            "${apt[@]}" source --download-only --tar-only qemu
    ) >"$log" 2>&1 </dev/null || failed "downloading QEMU's source package" "$log"
    local got
    got=$(echo "$tmp"/qemu_"${QEMU_VERSION%.0}"*.orig.tar.xz)
    [ -f "$got" ] || die "expected QEMU ${QEMU_VERSION%.0} (Debian 12), got: \
$(cd "$tmp" && echo qemu_*)"
    mv -T "$got" "$tarball"
    rm -rf "$tmp"
}
