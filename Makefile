# Everything a person types; `make` alone lists it. Needs Python 3.11 or newer with venv, and nothing else.
#
#   make setup PYTHON=python3.12                     another interpreter than python3
#   make setup TORCH_INDEX=<URL of a wheel index>    another build of torch than the default one (see the README)
PYTHON ?= python3
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SOURCES := wronglung harness handlers training benchmarks
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check bench load stubs clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/installed ## create .venv with the pinned packages

demo: setup ## serve the shipped models, evaluate them on phantoms, write results/demo/report.html
	wronglung serve --models encoder encoder-optout wronglung-1 --port 0 -- harness run harness/runs/demo.yaml

serve: setup ## serve the models of model_store on 127.0.0.1:8500 until Ctrl-C
	wronglung serve --models encoder encoder-optout wronglung-1

test: setup ## run every test; those that lack a tool are skipped and listed
	pytest -n 2 --dist loadgroup --no-loadscope-reorder $(PYTEST_ARGS)

check: setup ## lint, types, import rules, stub drift: quick enough for every save
	ruff check $(wildcard $(SOURCES)) tests
	ruff format --check $(wildcard $(SOURCES)) tests
	mypy
	lint-imports --no-logo
	pytest -q -m "not slow" tests/architecture

bench: setup ## measure what the parts cost and print the ratios
	python -m benchmarks

load: setup ## raise the load step by step for 60 s and name the knee; writes results/load/report.html
	wronglung serve --models encoder encoder-optout --port 0 -- python -m harness.load

stubs: setup ## generate the Python stubs from proto/
	python -m grpc_tools.protoc --proto_path=proto --python_out=. --pyi_out=. --grpc_python_out=. \
	  proto/wronglung/v1/alignment.proto
	python -m grpc_tools.protoc --proto_path=wronglung/torchserve=proto/torchserve \
	  --python_out=. --pyi_out=. --grpc_python_out=. wronglung/torchserve/inference.proto

clean: ## remove .venv, caches and build products; results/ stays
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find $(wildcard $(SOURCES)) tests -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'wronglung needs Python 3.11 or newer with venv (Debian, Ubuntu: the packages python3 and python3-venv).' >&2; \
	  echo 'If it has another name: make setup PYTHON=python3.12' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# torch first and by itself: from TORCH_INDEX only torch is taken, everything else comes from the usual index.
$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) setuptools wheel
	$(PIP_INSTALL) $(if $(TORCH_INDEX),--no-deps --index-url $(TORCH_INDEX)) torch
	$(PIP_INSTALL) --editable '.[serve,harness,load,trace,train,dev]'
	@touch $@
