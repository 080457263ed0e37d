#!/bin/sh
# tool.sh <crate> <version>: installs a tool that cargo runs, once for each version, and prints the directory it is in.
#
# Compiled without optimisation: it runs for seconds, and every fresh machine compiles it.
set -eu

name=$1
version=$2
cache=${PMS_CACHE:-$HOME/.cache/pms}/tools
tool=$cache/$name-$version

if [ ! -d "$tool" ]; then
    echo "building $name $version (some minutes the first time)" >&2
    mkdir -p "$cache"
    # Built beside its place and renamed, so that an interrupted build is never taken for a whole one.
    part=$(mktemp -d "$tool.XXXXXX")
    trap 'rm -rf "$part"' EXIT
    trap 'exit 130' INT TERM
    CARGO_TARGET_DIR=$part/target CARGO_PROFILE_DEV_DEBUG=0 \
        cargo install --quiet --locked --debug --version "$version" --root "$part" "$name" >&2
    rm -rf "$part/target"
    chmod 755 "$part"
    # `-T`: when somebody else was faster, fail instead of moving into their directory.
    mv -T "$part" "$tool" 2>/dev/null || [ -d "$tool/bin" ]
fi
echo "$tool/bin"
