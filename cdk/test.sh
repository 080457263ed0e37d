#!/bin/sh
# test.sh: checks the templates, and tries them on an emulator of AWS (EMULATOR=localstack for the other one).
set -eu
cd "$(dirname "$0")"

# The emulator is a program in Python, which keeps what it needs to itself.
if ! python3 -c 'import venv, ensurepip' 2>/dev/null && command -v apt-get >/dev/null; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    echo "installing Python's venv from the distribution"
    $as_root apt-get -qq update && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends python3 python3-venv >/dev/null || true
fi
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    echo "missing: Python 3.10 or later with venv
      sudo apt-get install python3-venv"
    exit 1
fi
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund
npm run -s check
npm run -s format:check
npm run -s unit
NODE_NO_WARNINGS=1 npm run -s emulator -- --on "${EMULATOR:-ministack}"
