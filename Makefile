# Few verbs: run check test bench soak. Each sets up what it needs from the project's own files.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
STAMPS := .venv/.stamps

.PHONY: help run check test bench soak setup setup-dev lock clean

help:
	@echo "make run    the demo site; prints the address of the operator terminal"
	@echo "make test   everything the tests need, then the tests"
	@echo "make check  format, lint, types, import contracts"
	@echo "make bench  figures, each as a ratio to its limit"
	@echo "make soak   the long proofs"

run: setup
	.venv/bin/gate demo

check: setup-dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

test: setup-dev
	.ci/test

bench: setup-dev
	.venv/bin/gate bench

soak: setup-dev $(STAMPS)/soak
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} $(PY) -m pytest -m soak --override-ini addopts=-q --override-ini faulthandler_timeout=0 -p no:randomly --timeout 3600 tests/soak tests/integration

# Our own code is looked at each time (50 ms): an update brings new files, and a service may start where it cannot write.
setup: $(STAMPS)/run $(STAMPS)/pages
	@.ci/setup bytecode

setup-dev: $(STAMPS)/dev $(STAMPS)/pages $(STAMPS)/programs
	@.ci/setup bytecode

$(STAMPS)/venv:
	.ci/setup venv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: $(STAMPS)/venv requirements.lock requirements-setup.lock pyproject.toml .ci/setup
	.ci/setup run
	@touch $@

$(STAMPS)/dev: $(STAMPS)/venv requirements-dev.lock requirements-setup.lock pyproject.toml .ci/setup
	.ci/setup dev
	@touch $@ $(STAMPS)/run

$(STAMPS)/pages: $(STAMPS)/venv package-lock.json requirements-web.lock gate_service/web/vendor.py
	.ci/setup pages
	@touch $@

$(STAMPS)/soak: $(STAMPS)/dev requirements-soak.lock
	.ci/setup soak
	@touch $@

$(STAMPS)/programs: $(STAMPS)/venv
	.ci/setup programs
	@touch $@

lock: $(STAMPS)/venv
	.ci/setup lock

clean:
	rm -rf .venv node_modules gate_service/web/static/vendor
