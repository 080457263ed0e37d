#!/bin/sh
# build.sh: builds Compose and `dockerfile` from released Go modules, once for each version of these files.
# The only line on stdout is the directory that they are in.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${PMS_CACHE:-$HOME/.cache/pms}
key=$(cat "$here"/*.go "$here/go.mod" "$here/go.sum" "$here/build.sh" | sha256sum | cut -c1-16)
tools=$cache/containers/$key

if [ ! -d "$tools" ]; then
    version=$(sed -n 's#^\tgithub.com/docker/compose/v2 \(v[0-9.]*\).*#\1#p' "$here/go.mod")
    echo "building Compose $version (some minutes the first time)" >&2
    mkdir -p "$cache/containers"
    # Built beside its place and renamed, so that an interrupted build is never taken for a whole one.
    part=$(mktemp -d "$cache/containers/$key.XXXXXX")
    trap 'rm -rf "$part"' EXIT
    trap 'exit 130' INT TERM
    cd "$here"
    export CGO_ENABLED=0
    go build -trimpath -ldflags "-s -w" -o "$part/dockerfile" . >&2
    go build -trimpath -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=$version" \
        -o "$part/docker-compose" github.com/docker/compose/v2/cmd >&2
    chmod 755 "$part"
    # `-T`: when somebody else was faster, fail instead of moving into their directory.
    mv -T "$part" "$tools" 2>/dev/null || [ -x "$tools/docker-compose" ]
fi
echo "$tools"
