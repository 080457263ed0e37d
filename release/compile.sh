#!/bin/sh
# compile.sh <directory> <target triple> [program]...: compiles programs for images and puts them into the directory.
#
# Whoever compiles the same sources with the same compiler gets the same bytes, in whatever folder: no path of this
# machine stays in a program, and Cargo.lock is what is built. `make test-reproducible` compiles one twice and compares.
set -eu

to=$1
triple=$2
shift 2
[ $# -gt 0 ] || set -- auth patient billing analytics gateway migrate local entrypoint

root=$(pwd -P)
target=${CARGO_TARGET_DIR:-$root/target}
cargo=${CARGO_HOME:-$HOME/.cargo}
# The longest path comes last: of several that fit, rustc takes the last.
paths="--remap-path-prefix=$root=/pms --remap-path-prefix=$target=/target --remap-path-prefix=$cargo=/cargo"
# The parts in C (mimalloc) see the same names.
export CFLAGS="-ffile-prefix-map=$root=/pms -ffile-prefix-map=$target=/target -ffile-prefix-map=$cargo=/cargo"
# Read by what would otherwise write the time of the build: the day of the sources.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}"
export CARGO_INCREMENTAL=0

# program <name> <package> <binary> [rustc flag]...
program() {
    name=$1 package=$2 binary=$3
    shift 3
    RUSTFLAGS="$paths $*" cargo build --release --locked --target "$triple" -p "$package" --bin "$binary"
    install -D -m 755 "$target/$triple/release/$binary" "$to/$name"
}

for name in "$@"; do
    case $name in
        migrate) program migrate migrate pms-migrate ;;
        local) program local local pms-local ;;
        # It runs in images that have no C library.
        entrypoint) program entrypoint entrypoint entrypoint -C target-feature=+crt-static ;;
        *) program "$name" "$name" "$name" ;;
    esac
done
