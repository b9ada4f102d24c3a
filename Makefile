# make run   try it: installs, sample callers, one call in the terminal, a local server
# make test  installs with the development tools, then lint, types and all tests
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
# Commands start several times faster from compiled modules, and the tests start hundreds.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test install install-dev browser lint types tests check clean

run: install
	@$(BIN)/ivr demo

test: install-dev browser lint types check tests

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing; on Debian: apt install python3-venv"; exit 1; }

$(VENV)/.installed: $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@echo "installing …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[postgres,holidays]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@echo "installing with the development tools …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.installed

browser:
	@$(BIN)/python -m tests.browser.chromium

lint:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types:
	@$(BIN)/mypy

check:
	@$(BIN)/ivr check
	@$(BIN)/ivr test

tests:
	@$(BIN)/python -m pytest -n $(JOBS)

clean:
	rm -rf $(VENV) var
