#!/bin/sh
# screenshots.sh: takes the pictures in docs/images, of a real system of its own that has a made-up clinic's year, and ends it.
# Arguments are those of `npm run screenshots`. With PMS_BIN_DIR it takes the programs that are there, and else builds them.
set -eu
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
export PMS_HOME="$folder/home" PMS_PORT_BASE="${PMS_PORT_BASE:-8700}" PMS_PAYER_SIMULATOR=0
if [ -z "${PMS_BIN_DIR:-}" ]; then
    make build
    export PMS_BIN_DIR="$PMS_HOME/bin"
fi
PMS_RUNTIME_DIR=${PMS_RUNTIME_DIR:-$(dapr/runtime/build.sh)}
PMS_KAFKA_JARS=${PMS_KAFKA_JARS:-$(tools/local/kafka/fetch.sh)}
export PMS_RUNTIME_DIR PMS_KAFKA_JARS
web/build.sh

system=$PMS_BIN_DIR/pms-local
trap '"$system" reset --yes; rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$system" up --no-journey
eval "$("$system" env)"
export PMS_URL PMS_ADMIN_EMAIL PMS_ADMIN_PASSWORD
node web/tests/year/fill.mjs
cd web
# Secure cookies come over plain HTTP from `localhost` alone.
npm run -s screenshots -- --url "http://localhost:$PMS_PORT_BASE" "$@"
