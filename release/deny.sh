#!/bin/sh
# deny.sh [check]...: what may be built in, by deny.toml: licences, sources and duplicates, unless other checks are named.
set -eu
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- licenses sources bans
PATH=$(release/tool.sh cargo-deny 0.20.2):$PATH
# Nothing is asked of anybody: what these checks need is in Cargo.lock and in the crates that were fetched by it.
cargo fetch --locked --quiet
cargo deny --offline --log-level error check --deny unnecessary-skip "$@"
