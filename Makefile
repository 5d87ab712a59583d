# `make` alone says what there is. Every target sets up what it needs first; that takes no time when all is there.

.DEFAULT_GOAL := help
SHELL := /bin/sh
RUN := .venv/bin/python
CONCORDAT := .venv/bin/concordat
ARGS ?=
SIZE ?= 0
PROCESSES ?= 3

.PHONY: help setup demo journey test lint check-imports check-revocation check-disclosure check-matrix
.PHONY: check-tamper check-access bench-audit bench-decide mutation
.PHONY: screenshots browser up down status doctor bench bench-rpc bench-events faults lock clean

help: ## Say what there is.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing: .venv, the Python packages by hash, RabbitMQ.
	@deploy/setup.sh

demo: setup ## Start everything, with an invented partnership in it. SIZE=1000 makes as many cases more.
	@$(CONCORDAT) up --demo --size $(SIZE) $(ARGS)

journey: setup ## Walk the main job through the running demo, over HTTP alone.
	@$(RUN) -m tests.journey $(ARGS)

screenshots: browser ## Picture every page of the running demo, desktop and phone, into .run/screenshots.
	@$(RUN) -m tests.web.screenshots $(ARGS)

up: setup ## Start broker, database, services, gateway. ARGS="-c echo=3", "--cluster", "--foreground".
	@$(CONCORDAT) up $(ARGS)

status: setup ## Show every process.
	@$(CONCORDAT) status

doctor: setup ## Look for what is wrong with this machine or with what runs.
	@$(CONCORDAT) doctor

down: setup ## Stop everything.
	@$(CONCORDAT) down

browser: setup
	@BROWSER=1 deploy/setup.sh

test: browser ## Run the tests, on real brokers and databases. ARGS="-k name", PROCESSES=1.
	@$(RUN) -m pytest -q -n $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: setup ## Style, types, import rules, stale schemas and pages, compose file.
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@$(RUN) -m services.contracts.schemas --check
	@$(RUN) -m gateway.documents --check
	@.venv/bin/lint-imports
	@.venv/bin/yamllint --strict docker-compose.yml

check-imports: setup ## The import rules alone: who may know whom.
	@.venv/bin/lint-imports

check-revocation: setup ## After a narrowing nothing is given any more, under every fault. SHORT=1 for CI's form.
	@$(RUN) -m tests.checks.revocation $(ARGS)

check-disclosure: setup ## Every disclosure has its entry, exactly one. SHORT=1 for CI's form.
	@$(RUN) -m tests.checks.disclosure $(ARGS)

check-matrix: setup ## Every endpoint x role x relation x state answers as it should. SHORT=1 for CI's form.
	@$(RUN) -m tests.checks.matrix $(ARGS)

check-access: setup ## Decide who may see what twice, by the product and by the paper, and compare. SHORT=1 for CI's form.
	@$(RUN) -m tests.checks.access $(ARGS)

check-tamper: setup ## Change a log ten thousand times and count who notices. SHORT=1 for CI's form.
	@$(RUN) -W ignore -m tests.checks.tamper $(ARGS)

mutation: setup ## Change the policy in one place at a time: a test has to notice each. Slow, one process.
	@$(RUN) -m tests.checks.mutation $(ARGS)

bench: setup ## Case read, list, note, create, page: operations/s, latency, CPU, memory.
	@$(RUN) -m tests.bench.main_job $(ARGS)

bench-rpc: setup ## Calls: ours against bare py-amqp, stock nameko and FastStream.
	@$(RUN) -m tests.bench.rpc $(ARGS)

bench-events: setup ## Events: command to effect, against bare publish and consume.
	@$(RUN) -m tests.bench.events $(ARGS)

bench-audit: setup ## The log: its costs, questions at a million entries, faults of its way in. SHORT=1; ARGS=faults.
	@$(RUN) -W ignore -m tests.bench.auditing $(ARGS)

bench-decide: setup ## One decision in process: ours beside pycasbin and Cedar, the same answers first. SHORT=1.
	@$(RUN) -m tests.bench.deciding $(ARGS)

faults: setup ## Kill, freeze and starve every part under load and count what is lost. SHORT=1 for the short form.
	@$(RUN) -m tests.faults $(ARGS)

lock: ## Make the requirements files anew from pyproject.toml (needs uv).
	@deploy/lock.sh

clean: ## Stop everything and delete .run, .venv and caches.
	@if [ -x $(CONCORDAT) ] && [ -d .run ]; then $(CONCORDAT) down; fi
	@rm -rf .run .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -prune -exec rm -rf {} +
