#!/bin/sh
# test.sh: checks the page, and tries it in Chromium, which is installed where that is possible without a password.
set -eu
cd "$(dirname "$0")"

chromium=${CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$chromium" ] && [ -z "${CHROMIUM:-}" ] && command -v apt-get >/dev/null; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    echo "installing Chromium from the distribution"
    $as_root apt-get -qq update && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends chromium >/dev/null || true
fi
if [ ! -x "$chromium" ]; then
    echo "missing: Chromium
      sudo apt-get install chromium   (elsewhere: CHROMIUM=/path/to/chromium)"
    exit 1
fi
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund
npm test
