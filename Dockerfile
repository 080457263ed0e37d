# syntax=docker/dockerfile:1
# Every image of the system. docker-compose.yml builds them all; one of them by hand, for two architectures:
#
#   docker buildx build --platform linux/amd64,linux/arm64 --target app --build-arg APP=patient -t pms/patient .
#
# target   APP                               image
# app      auth, patient, billing,           pms/<APP>
#          analytics, migrate
# gateway  gateway                           pms/gateway, with the page of the staff
# local    local                             pms/local, which makes the secrets
# daprd                                      pms/daprd: the official sidecar with our components and configuration
# sentry                                     pms/sentry: the official authority
#
# All compile on the machine's own architecture, for the wanted one. A tag here is as exact as its publisher has them;
# the digests behind the tags are noted at a release (CONTRIBUTING.md).

ARG RUST_VERSION=1.95.0
ARG GO_VERSION=1.26.8
ARG NODE_VERSION=20.20.2
ARG DAPR_VERSION=1.18.2
# Whose daprd and sentry: `official`, or `own`, which are built from dapr/runtime (docs/adr/0038).
ARG DAPRD=official


FROM --platform=$BUILDPLATFORM rust:${RUST_VERSION}-slim-bookworm AS programs
ARG RUST_VERSION TARGETARCH SOURCE_DATE_EPOCH
# rust-toolchain.toml would have the tools of a developer, too.
ENV RUSTUP_TOOLCHAIN=${RUST_VERSION}
RUN <<'SH'
set -eu
case $TARGETARCH in
    amd64) machine=x86_64 compiler=gcc-x86-64-linux-gnu ;;
    arm64) machine=aarch64 compiler=gcc-aarch64-linux-gnu ;;
    *) echo "nothing is built for $TARGETARCH" >&2; exit 1 ;;
esac
apt-get update
# The part in C (mimalloc) wants a compiler, for the other architecture another one.
packages=gcc
[ "$(dpkg --print-architecture)" = "$TARGETARCH" ] || packages="gcc $compiler libc6-dev-$TARGETARCH-cross"
apt-get install -y --no-install-recommends libc6-dev $packages
rm -rf /var/lib/apt/lists/*
rustup target add "$machine-unknown-linux-gnu"
echo "$machine-unknown-linux-gnu" > /triple
SH
ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
WORKDIR /work
COPY Cargo.toml Cargo.lock ./
COPY proto proto
COPY docs/api docs/api
COPY dapr/access.yaml dapr/sentry.yaml dapr/
COPY crates crates
COPY services services
COPY tools tools
COPY tests tests
COPY release/compile.sh release/
# What was compiled before is kept from build to build, dependencies and all: a change compiles what it touches.
RUN --mount=type=cache,id=pms-cargo,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=pms-target-${TARGETARCH},target=/target,sharing=locked \
    CARGO_TARGET_DIR=/target sh release/compile.sh /out "$(cat /triple)"
# Where volumes are mounted: one that is new gets the owner of the folder that it covers.
RUN <<'SH'
set -eu
mkdir -p /folders/authority /folders/trust
for app in auth patient billing analytics gateway; do mkdir -p "/folders/volumes/$app-tokens"; done
for app in auth patient billing analytics; do
    mkdir -p "/folders/volumes/$app-secrets" "/folders/volumes/$app-database-secrets"
done
SH


FROM --platform=$BUILDPLATFORM node:${NODE_VERSION}-bookworm-slim AS page
WORKDIR /work/web
COPY web/package.json web/package-lock.json ./
RUN --mount=type=cache,id=pms-npm,target=/root/.npm npm ci --no-audit --no-fund
COPY web ./
RUN npm run -s build


FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-bookworm AS runtime
ARG TARGETARCH DAPR_VERSION
WORKDIR /work/dapr/runtime
COPY dapr/runtime/go.mod dapr/runtime/go.sum ./
COPY dapr/runtime ./
# As dapr/runtime/build.sh does it.
RUN --mount=type=cache,id=pms-go-modules,target=/go/pkg/mod,sharing=locked \
    --mount=type=cache,id=pms-go-build,target=/root/.cache/go-build,sharing=locked \
    for program in daprd sentry; do \
        CGO_ENABLED=0 GOARCH=${TARGETARCH} go build -trimpath \
            -ldflags "-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=${DAPR_VERSION}" \
            -o /out/$program ./cmd/$program || exit 1; \
    done


FROM gcr.io/distroless/cc-debian12:nonroot AS app
ARG APP
COPY --from=programs /out/entrypoint /entrypoint
COPY --from=programs /out/${APP} /app
USER 65532:65532
ENTRYPOINT ["/entrypoint", "run", "/app"]


FROM app AS gateway
COPY --from=page /work/web/dist /web


FROM app AS local
COPY --from=programs --chown=65532:65532 /folders /


FROM daprio/daprd:${DAPR_VERSION} AS daprd-official

FROM gcr.io/distroless/static-debian12:nonroot AS daprd-own
COPY --from=runtime /out/daprd /daprd

FROM daprd-${DAPRD} AS daprd
COPY --from=programs /out/entrypoint /entrypoint
COPY components /components
COPY dapr/resiliency.yaml dapr/containers.yaml /dapr/
COPY dapr/config /dapr/config
COPY dapr/subscriptions /dapr/subscriptions
# Where a component's file names one without a slash before it, such as `secrets/patient.json`.
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/entrypoint", "run", "/daprd"]


FROM daprio/sentry:${DAPR_VERSION} AS sentry-official

FROM gcr.io/distroless/static-debian12:nonroot AS sentry-own
COPY --from=runtime /out/sentry /sentry

FROM sentry-${DAPRD} AS sentry
COPY --from=programs /out/entrypoint /entrypoint
COPY --from=programs --chown=65532:65532 /folders/authority /authority
COPY dapr/sentry.yaml /sentry.yaml
USER 65532:65532
ENTRYPOINT ["/entrypoint", "run", "/sentry"]
