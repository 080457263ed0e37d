#!/bin/sh
# Fetches Apache Kafka's jars and compiles Topics.java, once for each version of these files.
# The only line on stdout is the directory, with `jars/` and `classes/` in it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${PMS_CACHE:-$HOME/.cache/pms}
version=$(cat "$here/pom.xml" "$here/Topics.java" | sha256sum | cut -c1-16)
kafka=$cache/kafka/$version

if [ ! -d "$kafka" ]; then
    echo "fetching Apache Kafka from Maven Central (44 MB)" >&2
    mkdir -p "$cache/kafka"
    # Built beside its place and renamed, so that an interrupted fetch is never taken for a whole one.
    part=$(mktemp -d "$cache/kafka/$version.XXXXXX")
    trap 'rm -rf "$part"' EXIT
    trap 'exit 130' INT TERM
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$part/jars" >&2
    javac -d "$part/classes" -cp "$part/jars/*" "$here/Topics.java" >&2
    # `-T`: when somebody else was faster, fail instead of moving into their directory.
    mv -T "$part" "$kafka" 2>/dev/null || [ -d "$kafka/classes" ]
fi
echo "$kafka"
