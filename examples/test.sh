#!/bin/sh
# test.sh: tries the four examples beside a real system, in a home and on ports of its own.
#
# What they are made with is fetched once, exactly as the lock files say, and kept beside other things that were fetched.
set -eu
cd "$(dirname "$0")"

python=${PYTHON:-python3}
suits() { "$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
if ! suits && [ -z "${PYTHON:-}" ] && command -v apt-get >/dev/null; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    echo "installing Python from the distribution"
    $as_root apt-get -qq update && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends python3-venv >/dev/null || true
fi
if ! suits; then
    echo "missing: Python 3.11 or later, with venv
      sudo apt-get install python3-venv   (elsewhere: PYTHON=/path/to/python3)" >&2
    exit 1
fi

cache=${PMS_CACHE:-$HOME/.cache/pms}/examples
mkdir -p "$cache"

# key <file>...: short for what is in the files and for who reads them, so that one clone does not get another's.
key() { { cat "$@" && "$python" --version && node --version; } | sha256sum | cut -c 1-12; }

venv=$cache/python-$(key python/requirements.txt)
packages=$cache/typescript-$(key typescript/package.json typescript/package-lock.json)

# Both are made under a lock and marked when they are whole: an interrupted one is made again.
exec 9>"$cache/lock"
flock 9
if [ ! -e "$venv/whole" ]; then
    echo "fetching what the examples in Python need"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes -r python/requirements.txt
    touch "$venv/whole"
fi
if [ ! -e "$packages/whole" ]; then
    echo "fetching what the examples in TypeScript need"
    rm -rf "$packages"
    mkdir -p "$packages"
    cp typescript/package.json typescript/package-lock.json "$packages"
    (cd "$packages" && npm ci --silent --ignore-scripts --no-audit --no-fund)
    touch "$packages/whole"
fi
exec 9>&-

PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" test "$packages/node_modules"
