#!/usr/bin/env bash
# Builds daprd, sentry and the dapr CLI from released Go modules and prints the
# directory that holds them, for use as DAPR_RUNTIME_PATH.
#
# The directory is named after everything that goes into the build, so an
# unchanged tree builds nothing and an older build never answers for a newer
# tree. Only the directory goes to stdout; what a person reads goes to stderr.
set -euo pipefail

readonly DAPR=1.18.2
readonly CLI=1.12.0

module=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${PMS_CACHE:-$HOME/.cache/pms}/runtime

say() { printf '%s\n' "$*" >&2; }

require_go() {
    local needed found
    needed=$(sed -n 's/^go //p' "$module/go.mod")
    # Asked inside the module, where go may answer with a newer toolchain that
    # it fetches by itself because go.mod names the one it needs.
    found=$(cd "$module" && go env GOVERSION 2>/dev/null || go env GOVERSION 2>/dev/null || true)
    found=${found#go}
    if [[ -n $found && $(printf '%s\n' "$needed" "$found" | sort -V | head -n 1) == "$needed" ]]; then
        return
    fi
    say "daprd is built by Go $needed or later; found: ${found:-no go command}. To install it:"
    say "  curl -fsSL https://go.dev/dl/go$needed.linux-$(architecture).tar.gz | sudo tar -C /usr/local -xz && export PATH=/usr/local/go/bin:\$PATH"
    exit 1
}

architecture() {
    case $(uname -m) in
        aarch64 | arm64) echo arm64 ;;
        *) echo amd64 ;;
    esac
}

# build_key is short for everything that decides what comes out. Tests and prose
# do not.
build_key() {
    (
        cd "$module"
        go version
        find . -type f \( -name '*.go' -o -name '*.pgo' -o -name go.mod -o -name go.sum -o -name build.sh \) \
            ! -name '*_test.go' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    ) | sha256sum | cut -c 1-12
}

# steadily LABEL COMMAND... runs a command that may be silent for minutes and
# shows that it still runs. What the command prints is shown if it fails.
steadily() {
    local label=$1 started=$SECONDS log heart status=0
    shift
    log=$(mktemp "$work/log.XXXXXX")
    # The sleep outlives its killed parent. It must hold neither the lock nor the
    # output that a caller may be reading to its end.
    while sleep 15 >/dev/null 2>&1 9>&-; do
        say "$label: still running, $((SECONDS - started)) s"
    done >/dev/null &
    heart=$!
    "$@" >"$log" 2>&1 || status=$?
    kill "$heart" 2>/dev/null || true
    wait "$heart" 2>/dev/null || true
    if ((status != 0)); then
        cat "$log" >&2
        say "$label: failed"
        return "$status"
    fi
    say "$label: done in $((SECONDS - started)) s"
}

compile() {
    local bin=$1 version="-X github.com/dapr/dapr/pkg/buildinfo.version=$DAPR"
    export CGO_ENABLED=0

    # Listing the packages fetches the modules that they come from and no others.
    cd "$module"
    say "daprd $DAPR: downloading modules"
    steadily "daprd modules" go list -deps ./cmd/...
    say "daprd: compiling (about 7 minutes the first time; cmd/daprd/default.pgo guides it)"
    steadily "daprd" go build -trimpath -ldflags "-s -w $version" -o "$bin/daprd" ./cmd/daprd
    say "sentry $DAPR: compiling"
    steadily "sentry" go build -trimpath -ldflags "-s -w $version" -o "$bin/sentry" ./cmd/sentry

    cd "$module/cli"
    say "dapr CLI $CLI: downloading modules"
    steadily "dapr CLI modules" go list -deps github.com/dapr/cli
    say "dapr CLI: compiling (about 3 minutes the first time)"
    steadily "dapr CLI" go build -trimpath -ldflags "-s -w -X main.version=$CLI" -o "$bin/dapr" github.com/dapr/cli
}

require_go
target=$cache/$(build_key)
if [[ ! -d $target ]]; then
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    if ! flock -n 9; then
        say "daprd: another build is running, waiting for it"
        flock 9
    fi
    # The build waited for may have been this very one.
    if [[ ! -d $target ]]; then
        rm -rf "$cache"/building.* # Left by a build that was killed.
        work=$(mktemp -d "$cache/building.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        mkdir -p "$work/result/.dapr/bin"
        compile "$work/result/.dapr/bin"
        mv "$work/result" "$target"
    fi
fi
printf '%s\n' "$target"
