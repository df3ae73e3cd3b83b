# Everything is set up from the machine's python3 (3.10 to 3.13). PYTHON=3.10, PYTHON=python3.12 or a path chooses
# another; another version than python3's lives in .venv-X.Y, beside .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
JOBS ?= 2
ARGS ?=

FOUND := $(shell .ci/find-python "$(PYTHON)")
VERSION := $(word 2,$(FOUND))
VENV ?= .venv$(if $(filter $(VERSION),$(word 2,$(shell .ci/find-python python3))),,-$(VERSION))
BIN := $(VENV)/bin
READY := $(VENV)/ready-$(word 3,$(FOUND))

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z0-9]*\):.*## /  make \1\t/p' Makefile | expand -t 20

.PHONY: venv
venv: $(READY) ## create .venv with everything in it, pinned
$(READY): pyproject.toml $(wildcard constraints/*.txt) .ci/make-venv
	@test -n "$(FOUND)" || { echo "PYTHON=$(PYTHON): no working Python 3.10 to 3.13 with venv found" >&2; exit 1; }
	@.ci/make-venv "$(word 1,$(FOUND))" "$(VENV)"
	@rm -f "$(VENV)"/ready-*; touch "$@"

.PHONY: demo
demo: $(READY) ## the main job: train, export, run in Lava, count activity and energy
	@$(BIN)/mlsnn demo $(ARGS)

.PHONY: test
test: $(READY) ## run the tests (JOBS=2 at a time; ARGS goes to pytest)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

.PHONY: test310
test310: ## run the tests on Python 3.10, where Lava's own pins rule
	@if .ci/find-python 3.10 >/dev/null; then \
		$(MAKE) --no-print-directory test PYTHON=3.10; \
	else \
		echo "no Python 3.10 found: the tests on 3.10 did not run"; \
	fi

LEAN := .venv-lean-$(VERSION)
LEAN_READY := $(LEAN)/ready-$(word 3,$(FOUND))
LEAN_TESTS := tests/energy tests/loihi2 tests/netx tests/nir tests/sim tests/test_kinds.py

.PHONY: leanvenv
leanvenv: $(LEAN_READY) ## create .venv-lean-X.Y, without torch
$(LEAN_READY): pyproject.toml $(wildcard constraints/*.txt) .ci/make-venv .ci/without-torch.py
	@test -n "$(FOUND)" || { echo "PYTHON=$(PYTHON): no working Python 3.10 to 3.13 with venv found" >&2; exit 1; }
	@.ci/make-venv "$(word 1,$(FOUND))" "$(LEAN)" without-torch
	@rm -f "$(LEAN)"/ready-*; touch "$@"

.PHONY: lean
lean: $(LEAN_READY) ## test what runs networks where torch is not installed: make lean PYTHON=3.13
	@$(LEAN)/bin/python -m pytest -n $(JOBS) --dist loadfile $(LEAN_TESTS) $(ARGS)

.PHONY: lint
lint: $(READY) ## ruff (lint and format) and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

.PHONY: docs
docs: $(READY) ## build the site into site/, and serve it with ARGS=serve
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs $(or $(ARGS),build) --strict

.PHONY: shipped
shipped: $(READY) ## train the nets of netx_exports/ again
	@$(BIN)/mlsnn shipped $(ARGS)

.PHONY: clean
clean: ## remove the environments and all that builds, tests and runs leave behind
	@rm -rf .venv .venv-* build dist out runs site lightning_logs .pytest_cache .hypothesis .mypy_cache .ruff_cache *.egg-info
	@find . -path ./.git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
