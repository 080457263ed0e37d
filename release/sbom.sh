#!/bin/sh
# sbom.sh [directory]: says what each program is made of, as CycloneDX documents: `target/sbom/<program>.cdx.json`.
#
# Each ecosystem's own tool reads what is locked: Cargo.lock, go.sum, package-lock.json.
set -eu
cd "$(dirname "$0")/.."

to=${1:-target/sbom}
mkdir -p "$to"
to=$(cd "$to" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# In a copy of the sources, because it writes beside each manifest.
PATH=$(release/tool.sh cargo-cyclonedx 0.5.9):$PATH
git ls-files -z --cached --others --exclude-standard | tar -c --null -T - --ignore-failed-read 2>/dev/null | tar -x -C "$work"
# For one architecture: what the other one has is a part of it.
(cd "$work" && cargo cyclonedx --quiet --format json --spec-version 1.5 \
    --target x86_64-unknown-linux-gnu --override-filename sbom)
for program in services/auth services/patient services/billing services/analytics services/gateway \
    tools/migrate tools/local tools/entrypoint; do
    install -m 644 "$work/$program/sbom.json" "$to/$(basename "$program").cdx.json"
done

gomod=${PMS_CACHE:-$HOME/.cache/pms}/tools/cyclonedx-gomod-1.10.0
[ -x "$gomod/cyclonedx-gomod" ] ||
    GOBIN=$gomod go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
# A Go program says itself what it was linked from.
runtime=$(dapr/runtime/build.sh)/.dapr/bin
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
for program in daprd sentry; do
    "$gomod/cyclonedx-gomod" bin -json -output-version 1.5 -std -version "$version" -output "$to/$program.cdx.json" "$runtime/$program"
done

npm --prefix web sbom --sbom-format cyclonedx --package-lock-only --omit dev >"$to/web.cdx.json"

for document in "$to"/*.cdx.json; do
    components=$(grep -c '"bom-ref"' "$document") || true
    # A document without a part would be one of nothing.
    [ "$components" -gt 1 ] || { echo "$document names no component" >&2; exit 1; }
    printf '%6d  %s\n' "$components" "$document"
done
