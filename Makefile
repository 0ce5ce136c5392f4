# Everything here needs Python >= 3.11 and make, and nothing else: each target first installs into
# $(VENV) what it uses, at the versions in constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What the tests are installed with, and where they are without torch.
EXTRA := test
CORE := .venv-core

INSTALL := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet -c constraints.txt
PINS := pyproject.toml constraints.txt

# One worker a core: threads of BLAS and torch beside them would only wait for one another. Each takes
# tests that lie together, which share what they build, and helps the others when it has done.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n auto --dist worksteal

# One stamp for each set of packages, the smaller ones contained in the larger.
BASE := $(VENV)/.installed-base
TEST := $(VENV)/.installed-test
DEV := $(VENV)/.installed-dev
DOCS := $(VENV)/.installed-docs

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two installations into one environment at once would spoil it.
.NOTPARALLEL:
.PHONY: help demo test test-core slow test-all lint types docs benchmark wheel release clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(BASE)  ## simulate four sequences, draw a preview of them, find their units
	@mkdir -p demo
	$(BIN)/musim generate --units 5-30 --snr 10 --sequences 4 --out demo/demo.zarr --overwrite
	$(BIN)/musim preview demo/demo.zarr --out demo/demo.png
	$(BIN)/musim identify demo/demo.zarr --out demo/units.zarr --overwrite
	$(BIN)/musim report demo/units.zarr --sequence 0 --out demo/units.html
	@echo "The picture is at $(CURDIR)/demo/demo.png, the units found at $(CURDIR)/demo/units.html"

test: $(TEST)  ## run the tests, but for the slow ones
	$(PYTEST) -m "not slow"

test-core:  ## run those that need no torch, in an environment without it
	$(MAKE) test VENV=$(CORE) EXTRA=test-core

slow: $(TEST)  ## run the statistical tests; MUSIM_SLOW_SCALE=0.1 takes a tenth of the draws
	$(PYTEST) -m slow

test-all: $(TEST)  ## run both together; MUSIM_SLOW_SCALE as above
	$(PYTEST)

lint: $(DEV)  ## check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(DEV)  ## check types
	$(BIN)/pyright

docs: $(DOCS)  ## build the documentation into docs/site; MUSIM_DOCS_QUICK=1 takes smaller examples
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet \
		-b html docs docs/site
	@echo "The documentation is at $(CURDIR)/docs/site/index.html"

benchmark: $(BASE)  ## measure speed, and compare it with the last release's
	$(BIN)/python -m benchmarks.run

wheel: $(DEV)  ## build the wheel into dist/
	rm -rf build dist/*.whl
	$(BIN)/python -m build --wheel --outdir dist

release: $(DEV)  ## build what a release has: the sources, and the wheel from them, into dist/
	rm -rf build dist
	$(BIN)/python -m build --outdir dist

clean:  ## remove everything that the targets above made
	rm -rf $(VENV) $(CORE) build dist demo docs/auto docs/site musim.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"musim needs \
	Python >= 3.11, but $(PYTHON) is {v[0]}.{v[1]}: name another with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(BASE): $(PINS) | $(BIN)/python
	$(INSTALL) -e .
	@touch $(BASE)

$(TEST): $(PINS) | $(BIN)/python
	$(INSTALL) -e '.[$(EXTRA)]'
	@touch $(BASE) $(TEST)

$(DEV): $(PINS) | $(BIN)/python
	$(INSTALL) -e '.[dev]'
	@touch $(BASE) $(TEST) $(DOCS) $(DEV)

$(DOCS): $(PINS) | $(BIN)/python
	$(INSTALL) -e '.[docs]'
	@touch $(BASE) $(DOCS)
