#!/bin/sh
# Makes a Debian 12 machine with git, make and Python 3.11+ able to run everything else in the Makefile.
#
#   deploy/setup.sh [requirements-dev.txt | requirements.txt]
#   BROWSER=1 deploy/setup.sh             and Chromium, for the tests of the web client
#
# Safe to repeat: does nothing (and says nothing) when nothing is to do. Every download is checked against a
# hash: the project itself is installed with --no-build-isolation, so that pip fetches no unchecked setuptools.
set -eu
cd "$(dirname "$0")/.."

requirements=${1:-requirements-dev.txt}
stamp=.venv/.concordat-setup
rabbitmq=/usr/lib/rabbitmq/bin/rabbitmq-server

say() { printf 'setup: %s\n' "$*" >&2; }

fingerprint() { cat "$requirements" pyproject.toml deploy/setup.sh | sha256sum; pwd; }

up_to_date() { [ -x .venv/bin/concordat ] && [ "$(fingerprint)" = "$(cat "$stamp" 2>/dev/null)" ]; }

# apt_install WHY PACKAGE...: refreshes the package lists only when the first try fails.
apt_install() {
    why=$1; shift
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        say "$why Run this, then start again:"
        say "    sudo apt-get update && sudo apt-get install --no-install-recommends $*"
        exit 1
    fi
    say "$why Installing: $*"
    install="apt-get install --yes --quiet --no-install-recommends -o DPkg::Lock::Timeout=120"
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    if ! $install "$@" >"$log" 2>&1; then
        apt-get update --quiet >>"$log" 2>&1 || true
        $install "$@" >>"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; say "apt-get could not install $*."; exit 1; }
    fi
    rm -f "$log"
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.11 python3.12 python3.13 /usr/bin/python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"; return
        fi
    done
    say "Python 3.11 or newer is needed and was not found. Name one with PYTHON=/path/to/python3."
    exit 1
}

make_venv() {
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install "Python cannot make virtual environments." python3-venv
    .venv/bin/python -c 'import pip' 2>/dev/null || { rm -rf .venv; "$python" -m venv .venv; }
    say "installing $requirements"
    pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip --quiet"
    $pip install --require-hashes -r "$requirements"
    $pip install --no-build-isolation --no-deps --no-index --editable .
    fingerprint >"$stamp"
}

# Installing the package must not leave a broker running system-wide: ours are private, one a cell.
install_rabbitmq() {
    policy=/usr/sbin/policy-rc.d
    ours=no
    if [ "$(id -u)" -eq 0 ] && [ ! -e "$policy" ]; then
        ours=yes
        trap 'rm -f "$policy"' EXIT
        trap 'exit 130' INT  # else it would stay behind, and no package could start its service any more
        trap 'exit 143' TERM HUP
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    mapper=$(epmd -names 2>/dev/null || true)
    apt_install "RabbitMQ is missing." rabbitmq-server
    [ "$ours" = no ] || { rm -f "$policy"; trap - EXIT INT TERM HUP; }
    quieten_rabbitmq
    # The package's scripts may leave Erlang's port mapper behind, on all addresses; one from before is not ours,
    # and one with nodes refuses to end.
    [ -n "$mapper" ] || epmd -kill >/dev/null 2>&1 || true
}

# A policy-rc.d that was there before may have let the service start; it was not there a minute ago, so stop it.
quieten_rabbitmq() {
    if [ -d /run/systemd/system ]; then
        systemctl disable --now --quiet rabbitmq-server epmd.service epmd.socket 2>/dev/null || true
    else
        update-rc.d rabbitmq-server disable >/dev/null 2>&1 || true
        service rabbitmq-server stop >/dev/null 2>&1 || true
    fi
}

# install_libraries PROGRAM PACKAGE...: what a program from PyPI needs of the system, where it is not there.
install_libraries() {
    program=$1; shift
    for file in .venv/lib/python3*/site-packages/$program; do
        [ -x "$file" ] || continue
        if ldd "$file" | grep -q 'not found'; then
            apt_install "$file lacks shared libraries." "$@"
        fi
    done
}

install_browser() {
    command -v chromium >/dev/null || apt_install "Chromium is missing." chromium
    install_libraries playwright/driver/node libatomic1
}

up_to_date || make_venv
deploy/assets.sh
[ -x "$rabbitmq" ] || install_rabbitmq
[ -n "${MONGO_URL:-}" ] || command -v mongod >/dev/null || install_libraries fiftyone/db/bin/mongod libssl3 libcurl4
[ -z "${BROWSER:-}" ] || install_browser
