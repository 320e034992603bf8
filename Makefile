# SPDX-License-Identifier: Apache-2.0
# Needs Debian 12 or later with python3-venv, make and git; each target sets up the rest by itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=

# An environment belongs to this place and these pins: a copied checkout or a new lock gets a fresh one.
RUNTIME := $(VENV)/runtime-$(shell (pwd; cat requirements/runtime.txt) | cksum | cut -d' ' -f1)
DEV := $(RUNTIME)-dev-$(shell cksum < requirements/dev.txt | cut -d' ' -f1)
PACKAGE := $(RUNTIME)-package
OIDC_FOLDER := tests/identity/oidc_provider
OIDC_PROVIDER := $(OIDC_FOLDER)/node_modules/.package-lock.json

# What would put code or packages from elsewhere into the environment, or switch assertions off; and what would have
# each of the hundreds of processes that the tests start compile all modules anew.
unexport PYTHONPATH PYTHONHOME PYTHONOPTIMIZE PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT MYPYPATH PYTHONDONTWRITEBYTECODE

.PHONY: help ready demo test unit stories bench lint format lock clean system
.DELETE_ON_ERROR:
.NOTPARALLEL: # each part takes both cores, and tests that assert a promised time run beside nothing else

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

demo: $(PACKAGE) ## Simulate three countries and serve their nodes and the hub; flags by ARGS="--nodes 4"
	@$(BIN)/megagenome demo $(ARGS)

# What ARGS names may be of either part.
test: $(if $(ARGS),ready lint,lint unit stories) ## Check style, types and imports, then run every test; flags by ARGS="tests/kernel -x"
	$(if $(ARGS),$(BIN)/pytest $(ARGS))

unit: system $(DEV) ## Run the unit tests, on two cores; flags by ARGS="tests/kernel -x"
	$(BIN)/pytest -m unit --numprocesses 2 --dist worksteal $(ARGS)

# ARGS may name none of one kind, of which pytest says 5.
stories: ready ## Run the others, on two cores, then by itself what asserts a promised time; flags likewise
	$(BIN)/pytest -m 'not unit and not promise' --numprocesses 2 --dist worksteal $(ARGS) || [ $$? = 5 ]
	$(BIN)/pytest -m promise $(ARGS) || [ $$? = 5 ]

ready: system $(OIDC_PROVIDER) $(DEV) ## Install all that the tests need

bench: system $(DEV) ## Measure every claim of speed against its peer
	$(BIN)/python -m benchmarks $(ARGS)

lint: $(DEV) ## Check style, types and imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV) ## Write the house style into the files
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Relocking starts from the present pins; ARGS=--upgrade takes the newest, ARGS="--upgrade-package NAME" one of them.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header $(ARGS)
LOCK = $(COMPILE) pyproject.toml --group build
lock: $(DEV) ## Pin all dependencies anew in requirements/
	$(LOCK) --output-file requirements/runtime.txt
	$(LOCK) --extra dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
	$(COMPILE) --group compiler --output-file requirements/compiler.txt

clean: ## Remove the environment and all caches; no genome is touched
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache $(OIDC_FOLDER)/node_modules
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(RUNTIME): requirements/runtime.txt
	@$(PYTHON) -c 'import sys; sys.exit("Megagenome needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	@echo "Installing the pinned dependencies into $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes --requirement requirements/runtime.txt
	@touch $@

# The part in C needs a compiler; where none works, one comes as a wheel of 100 MB.
$(PACKAGE): pyproject.toml hatch_build.py $(wildcard src/megagenome/kernel/native/*.c) $(RUNTIME)
	@echo '#include <string.h>' | cc -E - > /dev/null 2>&1 || { echo "Installing a C compiler into $(VENV) ..."; \
		$(PIP) install --require-hashes --requirement requirements/compiler.txt; }
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(PACKAGE)
	@echo "Installing the pinned tools of developers ..."
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@touch $@

# The OpenID provider that tests sign in by, as its lock pins it: by content, from whichever registry npm uses.
$(OIDC_PROVIDER): $(OIDC_FOLDER)/package-lock.json
	@echo "Installing npm's oidc-provider for the tests ..."
	@cd $(OIDC_FOLDER) && npm ci --silent
	@touch $@

# Real components that tests and benchmarks compare with. Package lists are brought up to date only when that helps.
SYSTEM := bcftools chromium nodejs npm plink2 samtools
INSTALL := apt-get install --yes --no-install-recommends
system:
	@for program in $(SYSTEM); do [ -x /usr/bin/$$program ] || missing="$$missing $$program"; done; \
	ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || missing="$$missing postgresql"; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then \
		echo "The tests need$$missing; run: sudo apt-get update && sudo $(INSTALL)$$missing" >&2; exit 1; fi; \
	echo "Installing$$missing ..."; export DEBIAN_FRONTEND=noninteractive; \
	$(INSTALL) $$missing > /dev/null 2>&1 || { apt-get update && $(INSTALL) $$missing; }
