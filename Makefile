# `make` alone says what there is. Every target sets up what it needs first; that takes no time when all is there.

.DEFAULT_GOAL := help
SHELL := /bin/sh
RUN := .venv/bin/python
CONCORDAT := .venv/bin/concordat
ARGS ?=

.PHONY: help setup demo test lint check-imports up down status doctor bench-rpc bench-events faults lock clean

help: ## Say what there is.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing: .venv, the Python packages by hash, RabbitMQ.
	@deploy/setup.sh

demo: setup ## Start everything on this machine and say what one can do with it.
	@$(CONCORDAT) up --demo $(ARGS)

up: setup ## Start broker, database, services, gateway. ARGS="-c echo=3", "--cluster", "--foreground".
	@$(CONCORDAT) up $(ARGS)

status: setup ## Show every process.
	@$(CONCORDAT) status

doctor: setup ## Look for what is wrong with this machine or with what runs.
	@$(CONCORDAT) doctor

down: setup ## Stop everything.
	@$(CONCORDAT) down

test: setup ## Run the tests, on a real broker and a real database. ARGS="-k name".
	@$(RUN) -m pytest $(ARGS)

lint: setup ## Style, types, import rules, stale schemas, compose file.
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@$(RUN) -m services.contracts.schemas --check
	@.venv/bin/lint-imports
	@.venv/bin/yamllint --strict docker-compose.yml

check-imports: setup ## The import rules alone: who may know whom.
	@.venv/bin/lint-imports

bench-rpc: setup ## Calls: ours against bare py-amqp, stock nameko and FastStream.
	@$(RUN) -m tests.bench.rpc $(ARGS)

bench-events: setup ## Events: command to effect, against bare publish and consume.
	@$(RUN) -m tests.bench.events $(ARGS)

faults: setup ## Kill, freeze and starve every part under load and count what is lost. SHORT=1 for the short form.
	@$(RUN) -m tests.faults $(ARGS)

lock: ## Make the requirements files anew from pyproject.toml (needs uv).
	@deploy/lock.sh

clean: ## Stop everything and delete .run, .venv and caches.
	@if [ -x $(CONCORDAT) ] && [ -d .run ]; then $(CONCORDAT) down; fi
	@rm -rf .run .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -prune -exec rm -rf {} +
