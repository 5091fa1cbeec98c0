# Vereda: two commands do everything: `make run` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEB_LEVEL ?= 6
COMPILE := uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: help run test fast check package package-test packaging-tools bench train retrain release monitor cloud demo clean setup system servers trust lock

help: ## Show these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: system $(VENV)/.everything ## Install system libraries and every locked package

system:
	@installers/linux/system-packages.sh

define install
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the packages of $(1) (once)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(1)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
endef

$(VENV)/.clinic: locks/clinic.txt pyproject.toml
	$(call install,locks/clinic.txt)

$(VENV)/.everything: locks/everything.txt pyproject.toml
	$(call install,locks/everything.txt)

run: system $(VENV)/.clinic ## Start the clinic on this machine (no display: runs one case and saves screenshots)
	$(BIN)/vereda --demo

cloud: system $(VENV)/.clinic ## Start the cloud on loopback with an embedded database (ARGS="--repository FOLDER")
	$(BIN)/vereda-cloud --dev-issuer $(ARGS)

demo: system $(VENV)/.clinic ## Cloud and clinic together: one case goes up, one bundle comes down
	$(BIN)/python deploy/demo.py

train: setup ## Fit, check, sign the default bundle from the clinical data sets
	$(BIN)/vereda-train

retrain: setup ## New cases of the lake to a signed candidate and its report (ARGS="--dry-run" tells)
	$(BIN)/vereda-train retrain $(ARGS)

release: setup ## The approved candidate to the clinics by stages; run it every hour (ARGS="RUN --metrics ADDRESS")
	$(BIN)/vereda-train release $(ARGS)

monitor: setup ## Drift, performance and triggers of yesterday (ARGS="--retrain" acts on a trigger)
	$(BIN)/vereda-train monitor $(ARGS)

test: setup $(if $(CI),,servers) ## Every test; those that cannot run here are listed with the reason
	$(BIN)/python -m pytest -n 2 -rs --durations=15

servers: # what the suite starts for itself; without one of these its tests are skipped
	@installers/linux/system-packages.sh --tests
	@.ci/node || true
	@.ci/lake || true

fast: setup
	$(BIN)/python -m pytest -n 2 -q -m "not slow and not gui" tests/unit tests/contract

check: setup ## Format, lint, types, import contracts, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 -q -m "not slow and not gui" tests/unit tests/contract

package: setup packaging-tools ## The frozen application, the deb and the MSI, in dist
	$(BIN)/python -m installers.frozen
	$(BIN)/python -m installers.linux --level $(DEB_LEVEL)
	$(BIN)/python -m installers.windows

package-test: package ## Install, run, upgrade and remove what `make package` made
	$(BIN)/python -m pytest -q --durations=10 tests/packaging

packaging-tools:
	@installers/linux/system-packages.sh packaging

bench: setup ## Figures, side by side with the peers
	$(BIN)/python -m benchmarks

trust: setup ## Carry out every attack on the bundles and write docs/trust.md
	PYTHONPATH=.:tests $(BIN)/python tests/faults/model_bundles/trust_page.py docs/trust.md

lock: ## Resolve the lock files again (hashes, no addresses)
	$(COMPILE) --all-extras -o locks/everything.txt
	$(COMPILE) --extra desktop --extra cloud --extra build -c locks/everything.txt -o locks/clinic.txt
	sed -i -E 's/[[:space:]]+$$//' locks/*.txt

clean: ## Remove what was built; the clinic's data stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
