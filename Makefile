# Everything works from a bare clone with python3, its venv module and make.

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet
PYTEST_WORKERS ?= 2

.PHONY: demo test lint bench docs clean

demo: $(VENV)/.core  ## run the main study on its default: table, figure
	$(VENV)/bin/ornstein linear --out runs/demo

test: $(VENV)/.test  ## the whole suite
	@# Compiled once, for the many processes that tests start.
	$(PYTHON) -m compileall -q -j 2 src
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n $(PYTEST_WORKERS) --dist worksteal

lint: $(VENV)/.test  ## style, types, layers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright
	$(VENV)/bin/lint-imports

bench: $(VENV)/.bench  ## every claim about speed, side by side in one run
	$(PYTHON) -m benchmarks

docs: $(VENV)/.docs  ## HTML in docs/_build
	$(PYTHON) -m sphinx -W -q -b html docs docs/_build

clean:
	rm -rf $(VENV) docs/_build docs/api docs/jupyter_execute .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	python3 -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -c constraints.txt -e .
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -c constraints.txt -e '.[dev,cluster]'
	touch $@ $(VENV)/.core

$(VENV)/.bench: pyproject.toml constraints.txt | $(VENV)/.test
	$(PIP) install -c constraints.txt -e '.[bench]'
	touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -c constraints.txt -e '.[docs,networks]'
	touch $@
