#!/bin/sh
# advisories.sh: asks the public databases what is known to be wrong with what is built in.
#
# A database that cannot be reached is named and passed over; STRICT=1, as at a release, takes it for a failure.
# No part of `make test`: what was right yesterday must not be wrong today because somebody has found something.
set -u
cd "$(dirname "$0")/.."

found=0
unreached=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# ask <what> <what it says when it cannot reach its database> <command>...
ask() {
    what=$1
    away=$2
    shift 2
    if "$@" >"$log" 2>&1; then
        echo "$what: nothing is known"
    elif grep -Eq "$away" "$log"; then
        echo "$what: NOT CHECKED, its database cannot be reached from here"
        unreached=1
    else
        echo "$what:"
        tail -n 60 "$log"
        found=1
    fi
}

govulncheck() { (cd dapr/runtime && go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 "./cmd/$1"); }

ask "Rust (RustSec)" "failed to fetch advisory database" \
    env PATH="$(release/tool.sh cargo-deny 0.20.2):$PATH" cargo deny check advisories
for program in daprd sentry; do
    ask "Go, $program (vuln.go.dev)" "fetching vulnerabilities|dial tcp|no such host" govulncheck "$program"
done
ask "the page (npm)" "audit endpoint returned an error|ENOTFOUND|ECONNREFUSED" npm --prefix web audit --omit=dev

[ "$found" = 0 ] && { [ "$unreached" = 0 ] || [ "${STRICT:-0}" = 0 ]; }
