# Vereda: two commands do everything: `make run` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: help run test fast check bench train cloud demo clean setup system lock

help: ## Show these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: system $(VENV)/.installed ## Install system libraries and the locked packages

system:
	@installers/linux/system-packages.sh

$(VENV)/.installed: locks/all.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/all.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## Start the clinic on this machine (no display: runs one case and saves screenshots)
	$(BIN)/vereda

cloud: setup ## Start the cloud on loopback with an embedded database
	$(BIN)/vereda-cloud

demo: setup ## Cloud and clinic together: one case goes up, one bundle comes down
	$(BIN)/python -m tests.e2e.demo

train: setup ## Fit, check, sign the default bundle from the clinical data sets
	$(BIN)/vereda-train

test: setup ## Every test
	$(BIN)/python -m pytest -n 2 --durations=15

fast: setup
	$(BIN)/python -m pytest -n 2 -q -m "not slow and not gui" tests/unit tests/contract

check: setup ## Format, lint, types, import contracts, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 -q -m "not slow and not gui" tests/unit tests/contract

bench: setup ## Figures, side by side with the peers
	$(BIN)/python -m benchmarks

lock: ## Resolve the lock file again (hashes, no addresses)
	uv pip compile pyproject.toml --python-version 3.11 --universal --all-extras --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header -q -o locks/all.txt

clean: ## Remove what was built; the clinic's data stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
