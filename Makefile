# What a laptop, the README and CI all call. Every target sets up .venv first; that costs a second when nothing changed.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench docs lock wheel clean
PYTHON ?=
ARGS ?=
bin := .venv/bin

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'
	@echo '  PYTHON=/path/to/python3.12 chooses the interpreter; ARGS="..." is passed on to demo, test, bench and lock'

setup: ## create or update .venv (1 to 4 minutes the first time, a fraction of a second after that)
	@PYTHON='$(PYTHON)' requirements/setup.sh

demo: setup ## the bundled example, end to end, on this machine's CPU
	$(bin)/judgefleet demo $(ARGS)

# Two files at a time: most of a slow test is waiting for processes to start. Files stay whole, so that an engine is shared.
test: setup ## all tests; ARGS='-m "not slow"' leaves out engines, clusters and browsers
	$(bin)/python -m pytest -q --durations=10 -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup ## format, lint, types and import rules
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

bench: setup ## the prefix cache, every mode of judging, and the pipeline against raw vLLM (about 15 minutes on two cores)
	$(bin)/python -m benchmarks $(ARGS)
	$(bin)/python -m benchmarks.modes
	$(bin)/python -m benchmarks.pipeline

docs: setup ## write docs/scorers.md from the catalogue of scorers
	$(bin)/python -m judges.describe > docs/scorers.md.new
	mv docs/scorers.md.new docs/scorers.md

lock: setup ## re-make requirements/lock.txt after a change of dependencies (ARGS=--upgrade for newer versions)
	requirements/make-lock.sh $(ARGS)

wheel: setup ## build dist/judgefleet-*.whl, the file that ray_cluster.yaml installs on its nodes
	rm -rf build dist
	$(bin)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist

clean: ## delete .venv, caches and build outputs (never scores or models)
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
