# Bootstrap only: everything else is an invoke task (`.venv/bin/invoke --list`).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# What to install besides the runtime: any of dev, train, peers, parquet, browser, fuzz, docs.
EXTRAS ?= dev
# How long `make fuzz` runs each fuzzer.
MINUTES ?= 1
comma := ,
VENV := .venv
# More than there are processors: many tests wait for a process of their own, or for an answer that got lost.
WORKERS := $(shell expr $$(nproc) + 2)
# Files in the order of tests/conftest.py: the longest first, lest one of them runs alone at the end.
PYTEST = $(VENV)/bin/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help demo test test-slow setup lint coverage fuzz docs

help: ## Show this menu
	@grep -E '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18
	@echo
	@echo "  Everything else: $(VENV)/bin/invoke --list"

demo: ## Set up, build the firmware for QEMU, run the HIL test, show the result
	@tools/setup.sh
	@$(VENV)/bin/invoke demo

test: ## Set up with TensorFlow and run the test suite
	@tools/setup.sh dev train peers parquet
	@$(PYTEST) -m "not slow"

test-slow: ## Run the tests that `make test` leaves out for their length
	@tools/setup.sh dev train peers parquet docs
	@$(PYTEST) -m slow

setup: ## Install what is needed for development (EXTRAS=dev,train,peers,parquet for all)
	@tools/setup.sh $(subst $(comma), ,$(EXTRAS))
	@echo "Ready. Next: $(VENV)/bin/invoke --list"

lint: ## Check style and types of Python and C, and that every board compiles without a warning
	@tools/setup.sh dev
	@tools/lint.sh

coverage: ## Report which lines of the portable C the tests run; at least 95 % must
	@tools/setup.sh dev
	@$(VENV)/bin/python tools/coverage_c.py

docs: ## Build the documentation as a site, every link checked
	@tools/setup.sh docs
	@$(VENV)/bin/python tools/check_links.py
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet --strict --config-file tools/site/mkdocs.yml
	@echo "Built: build/site/index.html (searchable behind: $(VENV)/bin/python -m http.server --directory build/site)"

fuzz: ## Run each fuzzer for a while (MINUTES=1)
	@tools/setup.sh dev fuzz
	@$(VENV)/bin/invoke fuzz --minutes $(MINUTES)
