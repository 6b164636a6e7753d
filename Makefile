# Everything a machine needs to run, test and measure Bedside. `make` alone lists the targets.
# The only assumption is Debian with Python >= 3.11; apt is used where it may be used.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.ONESHELL:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix web_client --loglevel=error
COMPILE := ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade
MODULES := web_client/node_modules
# Directories are listed too: theirs is the time that changes when a file goes away.
WEB := $(shell find web_client -mindepth 1 \( -name node_modules -o -name dist \) -prune -o -print)

# What the system must have: command, then package. Running: the voice of spoken announcements.
# A cluster: Redis with its sentinel, a TURN server, a reverse proxy. Testing: browsers, a telephone,
# a scripted telephone company, and the other reverse proxy.
RUN_SYSTEM := espeak-ng:espeak-ng
CLUSTER_SYSTEM := redis-server:redis-server redis-sentinel:redis-sentinel turnserver:coturn \
	caddy:caddy
TEST_SYSTEM := $(CLUSTER_SYSTEM) chromium:chromium firefox-esr:firefox-esr baresip:baresip \
	sipp:sip-tester nginx:nginx-light

.PHONY: help setup demo cluster test soak check bench lock wheel protocol prompts format clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand --tabs=18

setup: $(STAMPS)/system $(STAMPS)/project web_client/dist/join.html ## what running needs: .venv/ and the built browser app

demo: setup ## the server on http://localhost:8080 with a visit to try (ARGS="--port 9000 --json")
	@exec $(BIN)/bedside demo $(ARGS)

# It ends when make is killed, too, and takes everything it has started with it.
cluster: setup $(STAMPS)/cluster ## two nodes with all they stand on, on http://localhost:8080 (ARGS="--port 9000 --json")
	@exec setpriv --pdeathsig TERM $(BIN)/python -m deploy.local $(ARGS)

test: setup $(STAMPS)/test ## every test, in real browsers too (ARGS="tests/rooms -k admit")
	@$(NPM) test
	scripts/run_tests $(BIN)/pytest $(ARGS)

soak: setup $(STAMPS)/test ## the tests that take minutes each (ARGS="-k redis")
	@$(BIN)/pytest -m soak tests/soak $(ARGS)

check: setup $(STAMPS)/test ## lint, types, import rules, generated files
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NPM) run check
	$(BIN)/python -m server.protocol_docs --check
	$(BIN)/python -m server.env_example --check
	$(BIN)/pytest --quiet tests/test_architecture.py

protocol: $(STAMPS)/project $(MODULES)/.package-lock.json ## PROTOCOL.md, the browser app's types and deploy/env.example, from the server's tables
	@$(BIN)/python -m server.protocol_docs
	$(BIN)/python -m server.env_example

prompts: $(STAMPS)/system $(STAMPS)/project ## the spoken announcements that come with the software
	@$(BIN)/python scripts/make_recordings.py

format: $(STAMPS)/test ## put every file into the house layout
	@$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	$(NPM) run format

bench: setup $(STAMPS)/test ## the benchmarks: JSON on stdout, a table on stderr (ARGS="media_join")
	@$(BIN)/python -m bench $(ARGS)

wheel: setup ## dist/bedside-*.whl, the browser app inside
	@$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# The test set is resolved first, over everything, so that what is tested is what runs.
lock: $(BIN)/python ## pin what requirements/*.in ask for, with hashes
	@$(PIP) "uv>=0.13,<1"
	cd requirements
	$(COMPILE) run.in build.in test.in --output-file test.txt
	$(COMPILE) --constraints test.txt run.in --output-file run.txt
	$(COMPILE) --constraints test.txt build.in --output-file build.txt

clean: ## forget everything that was built here
	@rm -rf $(VENV) web_client/node_modules web_client/dist dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@scripts/make_venv "$(PYTHON)" "$(VENV)"

$(STAMPS)/system: scripts/system_packages | $(BIN)/python
	@scripts/system_packages $(RUN_SYSTEM)
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements/run.txt requirements/build.txt | $(BIN)/python
	@echo "Installing Bedside's requirements …" >&2
	$(PIP) --require-hashes --requirement requirements/run.txt --requirement requirements/build.txt
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/project: $(STAMPS)/run pyproject.toml README.md LICENSE scripts/wheel_hook.py
	@$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(MODULES)/.package-lock.json: web_client/package-lock.json $(STAMPS)/run
	@echo "Installing what builds the browser app …" >&2
	$(NPM) ci >&2
	touch $@

web_client/dist/join.html: $(MODULES)/.package-lock.json $(WEB)
	@echo "Building the browser app …" >&2
	$(NPM) run build >&2
	touch $@

$(STAMPS)/cluster: scripts/system_packages | $(BIN)/python
	@scripts/system_packages $(CLUSTER_SYSTEM)
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/test: requirements/test.txt $(STAMPS)/run scripts/system_packages
	@scripts/system_packages $(TEST_SYSTEM)
	$(PIP) --require-hashes --requirement requirements/test.txt
	touch $@
