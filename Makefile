# Everything sets itself up: only Python ≥ 3.11, make and a package registry are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUN_READY := $(VENV)/.ready-run
DEV_READY := $(VENV)/.ready-dev
unexport PYTHONDONTWRITEBYTECODE # it would have every run and each of its children compile the same again

.DEFAULT_GOAL := help
.PHONY: help demo test torture explore lint bench lock clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUN_READY): requirements.lock | $(BIN)/python
	$(PIP) --require-hashes -r requirements.lock
	@touch $@

$(DEV_READY): requirements-dev.lock $(RUN_READY)
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(RUN_READY)  ## print the embedded example into out/demo
	$(BIN)/python cli.py demo --out out/demo

test: $(DEV_READY)  ## run the tests
	$(BIN)/python -m pytest -n auto $(ARGS)

torture: $(DEV_READY)  ## kill runs 200 times, and see that nothing is lost
	TILEPRESS_KILLS=200 $(BIN)/python -m pytest -n auto tests/test_torture.py $(ARGS)

explore: $(DEV_READY)  ## try the properties with examples nobody has seen
	$(BIN)/python -m pytest -n auto -m hypothesis --hypothesis-profile explore $(ARGS)

lint: $(DEV_READY)  ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV_READY)  ## time and memory against peers
	$(BIN)/python -m bench.packing
	$(BIN)/python -m bench.night
	$(BIN)/python -m bench.mockups
	$(BIN)/python -m bench.sections
	$(BIN)/python -m bench $(ARGS)

lock: $(DEV_READY)  ## pin dependencies anew from pyproject.toml
	$(PIP) uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --python-version 3.11 --all-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --python-version 3.11 --all-extras -c requirements.lock --group dev pyproject.toml -o requirements-dev.lock

clean:  ## remove what was built and installed
	rm -rf $(VENV) build dist out *.egg-info
