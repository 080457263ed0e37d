#!/bin/sh
# Checks what the system is built and run with, installs PostgreSQL (and Redis, when BROKER asks for it) where that is
# possible, and names everything else that is missing, with the command that installs it.
set -eu

rust=1.95
go=1.26
java=17
node=20.19
postgres=15
missing=

# need <what is missing> <how to get it>
need() { missing="$missing
  $1
      $2"; }

has() { command -v "$1" >/dev/null 2>&1; }

# at_least <wanted> <found>: the found version is not older than the wanted one.
at_least() { [ -n "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

newest_postgres() {
    {
        for initdb in /usr/lib/postgresql/*/bin/initdb; do
            [ ! -x "$initdb" ] || echo "$initdb" | cut -d / -f 5
        done
        # The client's development package brings pg_config without a server.
        if has pg_config && [ -x "$(pg_config --bindir)/initdb" ]; then
            pg_config --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'
        fi
    } | sort -n | tail -n 1
}

as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
apt_get="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0"

install_postgres() {
    echo "installing PostgreSQL from the distribution"
    # The package would make a cluster and start it at the standard port: ours is enough.
    $apt_get update &&
        $apt_get install -y --no-install-recommends postgresql-common >/dev/null &&
        $as_root sed -i 's/^#* *create_main_cluster *=.*/create_main_cluster = false/' \
            /etc/postgresql-common/createcluster.conf &&
        $apt_get install -y --no-install-recommends postgresql >/dev/null
}

# The server's program without the system service that the package `redis-server` adds to it.
install_redis() {
    echo "installing Redis from the distribution"
    $apt_get update && $apt_get install -y --no-install-recommends redis-tools >/dev/null
}

# Its package starts a system service at the standard ports unless it is told not to.
install_rabbitmq() {
    echo "installing RabbitMQ from the distribution"
    $apt_get update && RUNLEVEL=1 $apt_get install -y --no-install-recommends rabbitmq-server >/dev/null
}

has_redis() { has redis-server || has redis-check-rdb; }

may_install() { has apt-get && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; }

if ! at_least "$postgres" "$(newest_postgres)" && may_install; then
    install_postgres || true
fi
if ! at_least "$postgres" "$(newest_postgres)"; then
    need "PostgreSQL $postgres or later" \
        "sudo apt-get install postgresql   (an older release of the distribution: https://apt.postgresql.org)"
fi
if [ "${BROKER:-kafka}" = redis ]; then
    ! has_redis && may_install && { install_redis || true; }
    has_redis || need "Redis" "sudo apt-get install redis-tools   (elsewhere: whatever brings redis-server)"
fi
if [ "${BROKER:-kafka}" = rabbitmq ]; then
    has rabbitmq-server || { may_install && { install_rabbitmq || true; }; }
    has rabbitmq-server || need "RabbitMQ" "sudo apt-get install rabbitmq-server"
fi
at_least "$rust" "$(cargo --version 2>/dev/null | cut -d ' ' -f 2)" ||
    need "Rust $rust or later" "curl -fsSL https://sh.rustup.rs | sh"
at_least "$go" "$(go env GOVERSION 2>/dev/null | sed 's/^go//')" ||
    need "Go $go or later" "https://go.dev/doc/install   (distributions have older ones)"
at_least "$java" "$(javac -version 2>&1 | sed -n 's/^javac //p')" ||
    need "JDK $java or later, with javac" "sudo apt-get install openjdk-17-jdk-headless"
at_least "$node" "$(node --version 2>/dev/null | sed 's/^v//')" && has npm ||
    need "Node.js $node or later, with npm" "https://nodejs.org/en/download   (distributions have older ones)"
has mvn || need "Maven" "sudo apt-get install maven"
# sqlx, ring and the like have parts in C.
has cc || need "a C compiler" "sudo apt-get install build-essential"
has flock && has setpriv || need "util-linux" "sudo apt-get install util-linux"

if [ -n "$missing" ]; then
    printf 'These are missing:%s\n' "$missing" >&2
    exit 1
fi
