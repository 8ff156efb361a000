# The commands of the README. Each makes ready what it needs; a second run needs no network.

PORT ?= 8000
PYTHON ?= python3
READY = $(PYTHON) tools/bootstrap.py
PY = .venv/bin/python
TEMPLATES = find daysheet -name '*.html' -print0
export DJANGO_SETTINGS_MODULE ?= daysheet.config.settings

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-slow bench check format assets screenshots clean

help: ## show this list
	@echo "Daysheet. Commands:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## a practice with a year of sample data, on http://127.0.0.1:8000 (PORT=... for another)
	@$(READY) run assets
	@DAYSHEET_HOME="$${DAYSHEET_HOME:-$(CURDIR)/.daysheet}" $(PY) -m daysheet demo --port "$(PORT)"

test: ## every test, with the journeys in a real browser (BROWSER=none leaves those out)
	@$(READY) dev assets browser
	@$(PY) -m pytest -n 2 --dist loadgroup $(if $(filter none,$(BROWSER)),-m "not browser")

test-fast: ## the tests of a few minutes: no browser, no servers killed, no long histories
	@$(READY) dev assets
	@$(PY) -m pytest -n 2 --dist loadgroup -m "not browser and not system"

test-slow: ## thousands of steps of random histories (HISTORY_STEPS=6000), races 50 times, faults FAULT_REPEATS=10 times
	@$(READY) dev
	@HISTORY_STEPS="$${HISTORY_STEPS:-6000}" FAULT_REPEATS="$${FAULT_REPEATS:-10}" \
		$(PY) -m pytest -n 2 --dist loadgroup tests/invariants tests/faults
	@TEST_WITHOUT_SCOPING=1 $(PY) -m pytest -n 2 --dist loadgroup -m "not browser" daysheet tests/architecture
	@FUZZ_SECONDS="$${FUZZ_SECONDS:-600}" $(PY) -m pytest -n 2 --dist loadgroup tests/fuzz

bench: ## every hot path beside plain SQL (SIZES=10000,100000,1000000 for the full run; see bench/README.md)
	@$(READY) dev assets
	@SIZES="$(SIZES)" BENCH_ONLY="$(BENCH_ONLY)" $(PY) -m bench

check: ## style, types, import order, templates, missing migrations
	@$(READY) dev assets
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy daysheet
	.venv/bin/lint-imports
	@$(TEMPLATES) | xargs -0 .venv/bin/djade --check --target-version 5.2
	$(PY) -m django makemigrations --check --dry-run

format: ## put Python and templates into their usual form
	@$(READY) dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	@$(TEMPLATES) | xargs -0 .venv/bin/djade --target-version 5.2

assets: ## build the style sheet and scripts
	@$(READY) run assets

screenshots: ## take the pictures of the documentation
	@$(READY) dev assets browser
	@$(PY) tools/screenshots.py

clean: ## remove everything that can be built again; keeps your data in .daysheet
	rm -rf .venv node_modules daysheet/web/static/built staticfiles test-output
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
