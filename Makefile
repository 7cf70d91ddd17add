# Every target prepares what it needs (.ci/bootstrap), so each works in a fresh clone on a fresh Debian, as root.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis

core_tests := $(wildcard tests/unit/test_core_*.py tests/unit/test_script_*.py)

.DEFAULT_GOAL := help
.PHONY: help demo test check checks bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: ## hear a warm handoff: a private Asterisk, real phones, four scenes (cold 3 minutes, warm half a minute)
	@.ci/bootstrap demo
	asterisk-warm demo

test: ## the whole suite, against Asterisk 22 and 16
	@.ci/bootstrap check
	@# Most of getting the rest ready is waiting: it goes beside the checks.
	@.ci/bootstrap test >.cache/ready.log 2>&1 & getting_ready=$$!; \
	$(MAKE) --no-print-directory checks; checked=$$?; \
	wait $$getting_ready; ready=$$?; cat .cache/ready.log; \
	exit $$((checked || ready))
	@# The images are built beside the rest, which waits more than it works; so three Asterisks go beside each other. That
	@# may disturb what is measured: what failed is proved again, alone.
	@nice pytest -m docker -o cache_dir=.cache/pytest-docker >.cache/docker.log 2>&1 & images=$$!; \
	pytest -n 3 --dist loadgroup -m "real and not docker" \
		|| pytest --last-failed --last-failed-no-failures none -m "real and not docker"; tested=$$?; \
	wait $$images; built=$$?; cat .cache/docker.log; \
	exit $$((tested || built))

check: ## format, lint, types, import contracts, unit and property tests with complete coverage of the core
	@.ci/bootstrap check
	@$(MAKE) --no-print-directory checks

checks:
	ruff format --check
	ruff check
	mypy
	lint-imports --no-logo --cache-dir .cache/import-linter
	@# Watching which lines are run takes twice the time: only these are, and they come to all of the core.
	pytest -n 3 --dist worksteal --cov --cov-report= $(core_tests)
	coverage report --include='asterisk_warm/core/*' --fail-under=100
	pytest -n 3 --dist worksteal -m "not real and not docker" $(core_tests:%=--ignore=%)

bench: ## the handoff gap, measured from RTP beside Asterisk's own transfer; the daemon's CPU and memory
	@.ci/bootstrap bench
	python -m asterisk_warm.lab.bench

clean: ## remove everything make made here
	@! grep -F " $(CURDIR)/" /proc/self/mounts || { echo "a lab is still running here"; exit 1; }
	rm -rf .venv .cache build dist *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
