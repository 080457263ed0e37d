#!/bin/sh
# build.sh <directory> [cargo flag]...: builds the services, what plays the clearing house, and pms-local, and puts the programs into the directory.
#
# Clones may share a target directory: building and copying is one step, which they do in turn.
# A program that did not change is left alone, so that a running system knows that it is up to date.
set -eu

to=$1
shift
programs="auth patient billing analytics gateway payer-simulator pms-local"
target=${CARGO_TARGET_DIR:-target}
profile=debug
for flag in "$@"; do
    [ "$flag" != --release ] || profile=release
done

mkdir -p "$to" "$target"
exec 9>"$target/copy.lock"
flock 9
cargo build "$@" -p auth -p patient -p billing -p analytics -p gateway -p payer-simulator -p local --bins 9>&-
for program in $programs; do
    cmp -s "$target/$profile/$program" "$to/$program" || install "$target/$profile/$program" "$to/$program"
done
