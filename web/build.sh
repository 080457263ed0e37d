#!/bin/sh
# build.sh: builds the page into web/dist, unless nothing that it is made of is newer.
set -eu
cd "$(dirname "$0")"

made=dist/index.html
sources="src public index.html package.json package-lock.json tsconfig.json vite.config.ts"
# The folders are among what is found, so a file that is gone counts, too.
# shellcheck disable=SC2086
if [ -e "$made" ] && [ -z "$(find $sources -newer "$made")" ]; then
    echo "web/dist is up to date"
    exit 0
fi
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund
npm run -s build
