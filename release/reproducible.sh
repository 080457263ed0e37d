#!/bin/sh
# reproducible.sh: compiles a small program twice, in folders of different names, and compares the bytes.
set -eu
cd "$(dirname "$0")/.."

# With its symbols a program names every file that it was made of, and so tells more than what is shipped.
export CARGO_PROFILE_RELEASE_DEBUG=limited CARGO_PROFILE_RELEASE_STRIP=none

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
triple=$(rustc -vV | sed -n 's/^host: //p')
for folder in one another/and/deeper; do
    mkdir -p "$work/$folder"
    # What is in the working tree, without what is built.
    git ls-files -z --cached --others --exclude-standard | tar -c --null -T - --ignore-failed-read 2>/dev/null |
        tar -x -C "$work/$folder"
    (cd "$work/$folder" && CARGO_TARGET_DIR=$work/$folder/made sh release/compile.sh "$work/$folder/out" "$triple" entrypoint) \
        >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
done
one=$work/one/out/entrypoint
another=$work/another/and/deeper/out/entrypoint
if ! cmp "$one" "$another"; then
    echo "the same sources make different programs" >&2
    exit 1
fi
if grep -q "$work" "$one"; then
    echo "the program knows where it was compiled" >&2
    exit 1
fi
echo "the same bytes twice: $(sha256sum <"$one" | cut -c 1-16)"
