# The two commands are `make run` and `make test`. `make` alone lists all.

# The system's state, its first port, what is downloaded and built, the broker, how many instances `patient` and
# `billing` have, and whether `make run` plays a clearing house beside them: each can be set, and systems with different
# homes and ports run beside each other.
export PMS_HOME ?= $(CURDIR)/.pms
export PMS_PORT_BASE ?= 7400
export PMS_CACHE ?= $(HOME)/.cache/pms
export BROKER ?= kafka
INSTANCES ?= 1
export PMS_INSTANCES ?= $(INSTANCES)
PAYER_SIMULATOR ?= 1
export PMS_PAYER_SIMULATOR ?= $(PAYER_SIMULATOR)
export CARGO_TARGET_DIR ?= $(PMS_CACHE)/target

MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

BIN := $(PMS_HOME)/bin
STEP := @tools/local/step.sh
LOCAL := tools/local/pms-local.sh
# Both print where they put what they made, at once when it is there already.
PARTS = PMS_RUNTIME_DIR=$$(dapr/runtime/build.sh) PMS_KAFKA_JARS=$$(tools/local/kafka/fetch.sh)

.DEFAULT_GOAL := help
.PHONY: help run stop status logs reset env journey build test e2e bench bench-growth bench-appointments bench-billing bench-analytics chaos chaos-negative verify-audit rotate-keys fmt lint
.PHONY: test-compose test-reproducible deny advisories sbom
.PHONY: prerequisites parts runtime kafka services test-services load web web-test test-cdk test-examples

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.* ## / { printf "  make %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build what is missing, start everything, show a visit
	@$(PARTS) PMS_BIN_DIR=$(BIN) $(BIN)/pms-local up

stop: ## stop everything; the data stays
	@$(LOCAL) down

status: ## show every part: process, port, health, memory
	@$(LOCAL) status

logs: ## follow the services' logs, or one part's: make logs PART=patient
	@$(LOCAL) logs $(PART)

reset: ## stop everything and delete the data (asks first; YES=1 does not)
	@$(LOCAL) reset $(if $(YES),--yes)

env: ## print PMS_URL, PMS_ADMIN_EMAIL, PMS_ADMIN_PASSWORD, for eval
	@$(LOCAL) env

journey: ## show a visit on the running system
	@$(LOCAL) journey

build: prerequisites ## build daprd, sentry, the CLI, the services and the page; fetch Kafka
	@$(MAKE) -j3 runtime kafka services web

test: prerequisites ## everything: formatting, lints, unit, service, browser, tidy and end-to-end tests
	cargo fmt --all --check
	@$(MAKE) -j3 runtime kafka test-services web deny test-compose test-reproducible
	cd dapr/runtime && go vet -pgo=off ./... && go test -count=1 -pgo=off ./...
	cd release/containers && go vet ./...
	cargo clippy --workspace --all-targets -- -D warnings
	@$(MAKE) web-test
	@$(MAKE) test-cdk
	@$(MAKE) test-examples
	cargo build -p chaos-checker
	$(PARTS) PMS_BIN_DIR=$(BIN)/debug cargo test --workspace --lib --bins --tests

test-examples: prerequisites ## small programs in Python and TypeScript beside the system
	@$(MAKE) -j3 runtime kafka test-services
	cargo build -p access-policy
	$(PARTS) PMS_BIN_DIR=$(BIN)/debug PMS_ACCESS=$(CARGO_TARGET_DIR)/debug/pms-access examples/test.sh

e2e: prerequisites ## the whole system end to end: make e2e BROKER=redis INSTANCES=2 ARGS=poison
	@$(MAKE) -j3 runtime kafka test-services web
	$(PARTS) PMS_BIN_DIR=$(BIN)/debug cargo test -p e2e -- $(ARGS)

bench: prerequisites ## measure speed and cost beside the floor: make bench ARGS="--only register-64,floor-64"
	@$(MAKE) -j3 runtime kafka load web
	@$(PARTS) PMS_BIN_DIR=$(BIN) $(CARGO_TARGET_DIR)/release/bench load $(ARGS)

bench-growth: prerequisites ## measure with 10 thousand to a million patients, and a backlog that drains
	@$(MAKE) -j3 runtime kafka load web
	@$(PARTS) PMS_BIN_DIR=$(BIN) $(CARGO_TARGET_DIR)/release/bench growth $(ARGS)

bench-appointments: prerequisites ## measure charts of different length, the search for free times, and bookings
	@$(MAKE) -j3 runtime kafka load web
	@$(PARTS) PMS_BIN_DIR=$(BIN) $(CARGO_TARGET_DIR)/release/bench appointments $(ARGS)

bench-billing: prerequisites ## measure payments beside the floor, many for one patient, and invoices by id
	@$(MAKE) -j3 runtime kafka load web
	@$(PARTS) PMS_BIN_DIR=$(BIN) $(CARGO_TARGET_DIR)/release/bench billing $(ARGS)

bench-analytics: prerequisites ## measure how soon figures show, what is asked of a year, who listens, and a backlog
	@$(MAKE) -j3 runtime kafka load web
	@$(PARTS) PMS_BIN_DIR=$(BIN) $(CARGO_TARGET_DIR)/release/bench analytics $(ARGS)

chaos: build ## kill every part under load, check what is left: make chaos ARGS="--seed 7 --writes 1000 --kills 5"
	cargo build --release -p chaos -p chaos-checker
	$(PARTS) PMS_BIN_DIR=$(BIN) $(CARGO_TARGET_DIR)/release/chaos $(ARGS)

chaos-negative: prerequisites ## break one mechanism after another: the checker must see each
	@$(MAKE) -j3 runtime kafka test-services web
	cargo build -p chaos -p chaos-checker
	$(PARTS) PMS_BIN_DIR=$(BIN)/debug $(CARGO_TARGET_DIR)/debug/chaos --negative --writes 400 --kills 4 --pause 3 $(ARGS)

verify-audit: ## verify the audit of every service, and print checkpoints to keep: make verify-audit ARGS="--since FILE"
	@cargo run -q --release -p audit-verifier -- verify --home $(PMS_HOME) --port $$(($(PMS_PORT_BASE) + 1)) $(ARGS)

rotate-keys: ## give auth another key to sign tokens with; if the present one is known to others: make rotate-keys ARGS=--compromised
	@$(LOCAL) rotate-keys $(ARGS)

web: ## build the page that the gateway serves
	$(STEP) web web/build.sh

web-test: ## check the page and try it in a browser
	$(STEP) web-test web/test.sh

test-cdk: ## check what is deployed to AWS, and try it on an emulator: make test-cdk EMULATOR=localstack
	$(STEP) test-cdk cdk/test.sh

test-compose: ## ask Compose and BuildKit whether they take docker-compose.yml and the Dockerfile; needs no Docker
	$(STEP) compose release/containers/check.sh

test-reproducible: ## compile a program twice, in two folders, and compare
	$(STEP) same release/reproducible.sh

deny: ## licences, sources and duplicates of what is built in
	$(STEP) deny release/deny.sh

advisories: ## ask the public databases what is known to be wrong with what is built in: STRICT=1 at a release
	@release/advisories.sh

sbom: ## say what each program is made of: target/sbom/<program>.cdx.json
	@release/sbom.sh

fmt: ## format the code
	cargo fmt --all
	gofmt -w dapr/runtime release/containers

lint: ## what `make test` checks without running anything
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cd dapr/runtime && go vet -pgo=off ./...
	cd release/containers && go vet ./...
	@$(MAKE) deny test-compose

prerequisites:
	@tools/local/prerequisites.sh
	@tools/local/claim.sh $(CARGO_TARGET_DIR)

runtime:
	$(STEP) runtime dapr/runtime/build.sh

kafka:
	$(STEP) kafka tools/local/kafka/fetch.sh

services:
	$(STEP) services tools/local/build.sh $(BIN) --release

load: services
	$(STEP) load cargo build --release -p load --bins

test-services:
	$(STEP) services tools/local/build.sh $(BIN)/debug
