#!/bin/sh
# test.sh: checks the templates, and tries them on an emulator of AWS (EMULATOR=localstack for the other one).
set -eu
cd "$(dirname "$0")"

[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund
npm run -s check
npm run -s format:check
npm run -s unit
NODE_NO_WARNINGS=1 npm run -s emulator -- --on "${EMULATOR:-ministack}"
