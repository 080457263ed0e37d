#!/bin/sh
# step.sh <name> <command>...: runs one of several long steps that go on side by side.
# What the command prints goes to a log; a line every ten seconds says what it is at, and a failure shows the log's end.
set -u

name=$1
shift
logs=${PMS_CACHE:-$HOME/.cache/pms}/logs
mkdir -p "$logs"
log=$(mktemp "$logs/$name.XXXXXX")
begun=$(date +%s)

say() { printf '%6d s  %-9s %s\n' "$(($(date +%s) - begun))" "$name" "$1"; }
end() {
    kill "$work" "$heart" 2>/dev/null
    rm -f "$log"
}

# Cargo and Go would otherwise share make's few job slots instead of the machine's cores.
unset MAKEFLAGS MFLAGS MAKELEVEL

"$@" >"$log" 2>&1 &
work=$!
# The sleep outlives the loop, and must not hold the output that somebody may be reading to its end.
while sleep 10 >/dev/null 2>&1; do
    say "$(tail -n 1 "$log" | cut -c 1-100)"
done &
heart=$!
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if wait "$work"; then
    say "done"
else
    status=$?
    say "failed:"
    tail -n 60 "$log"
    exit "$status"
fi
