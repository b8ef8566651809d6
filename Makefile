PYTHON ?= python3
VENV := .venv
# The checkout's path is in the stamps' names: a moved or copied .venv is made anew.
RUNNABLE := $(VENV)/runnable$(subst /,-,$(CURDIR))
INSTALLED := $(VENV)/installed$(subst /,-,$(CURDIR))
# Where everything is installed already, running does not take it away.
RUNNING := $(firstword $(wildcard $(INSTALLED)) $(RUNNABLE))
NEWEST := .venv-newest
# In the order of tests/conftest.py, which begins with what takes longest.
SIDE_BY_SIDE := -n auto --dist loadfile --no-loadscope-reorder
NPM_CI := npm ci --loglevel=error --no-audit --no-fund

# Without bytecode on the disk, each of the many processes of the suite would compile the program anew.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

help: ## Say what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z0-9-]*\):.*## /  make \1  /p' $(MAKEFILE_LIST)

run: $(RUNNING) ## Serve on an embedded PostgreSQL; PORT=8000
	@$(VENV)/bin/task-api dev

slow: install ## Run what is slow in the suite; with Node.js, Better Auth as well
	$(VENV)/bin/pytest $(SIDE_BY_SIDE) -m slow

# Measuring takes half as long again, so make test does without.
coverage: install ## Run the suite but for what is slow, and say what of api/ it has not reached
	$(VENV)/bin/coverage erase
	$(VENV)/bin/coverage run -m pytest $(SIDE_BY_SIDE) -m "not slow"
	$(VENV)/bin/coverage combine --quiet
	$(VENV)/bin/coverage report

demo: $(RUNNING) ## Serve a page with Better Auth, and the API beside it; PORT=3000 API_PORT=8000
	@$(NPM_CI) --prefix clients/typescript
	@$(NPM_CI) --prefix examples/web
	@node examples/web/demo.mjs

test: install ## Run the suite but for what is slow
	$(VENV)/bin/pytest $(SIDE_BY_SIDE) -m "not slow"

# 15 is the distribution's (apt-get install postgresql-15).
test-postgres: install ## Run the suite on another PostgreSQL; VERSION=15, 17 or 18
	TEST_POSTGRES=$(VERSION) $(VENV)/bin/pytest $(SIDE_BY_SIDE) -m "not slow"

# What a pooler can change: tokens, headers and the commands of the owner are the same behind it.
test-pooler: install ## Run what goes over HTTP through PgBouncer (apt-get install pgbouncer)
	TEST_POOLER=pgbouncer $(VENV)/bin/pytest $(SIDE_BY_SIDE) -m "not slow" tests/isolation tests/database tests/idempotency tests/tasks tests/commands --ignore=tests/commands/test_migrate.py

mutants: install ## Break the code in many ways; the suite must turn red for each
	$(VENV)/bin/python -m tests.mutants

# npm writes this file last.
%/node_modules/.package-lock.json: %/package-lock.json
	$(NPM_CI) --prefix $*
	@touch $@

PACKAGES := $(patsubst %,%/node_modules/.package-lock.json,clients/typescript examples/web tests/e2e)

packages: $(PACKAGES) ## Install what the client, the page and its tests need of npm

client: install clients/typescript/node_modules/.package-lock.json ## Check the TypeScript client, and test it against the real server
	npm --prefix clients/typescript run check
	npm --prefix clients/typescript test

e2e: install $(PACKAGES) ## Drive the page in a headless Chromium
	npm --prefix examples/web run check
	npm --prefix examples/web test
	npm --prefix tests/e2e run check
	npm --prefix tests/e2e test

bench: install ## Measure it beside PostgreSQL's own ceiling
	$(VENV)/bin/python -m bench load

bench-peers: install ## Measure it beside the same API on Fastify, and on an ORM
	PIP_CONSTRAINT=constraints.txt $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	$(NPM_CI) --prefix bench/peers/fastify
	$(VENV)/bin/python -m bench peers

bench-scale: install ## Measure it with a hundred times the rows
	$(VENV)/bin/python -m bench scale

bench-soak: install ## Measure its start, and its memory over a million requests
	$(VENV)/bin/python -m bench soak

bench-endure: install ## Measure it for a quarter of an hour, at four fifths of what it can do, with and without a greedy user
	$(VENV)/bin/python -m bench endure

manifest: install ## Record what db/policies/ decides, and what of it the statements need
	$(VENV)/bin/python -m tests.manifest

evidence: install ## Record in SECURITY.md which tests prove its rows
	$(VENV)/bin/python -m tests.evidence

openapi: install ## Record the document that front ends make their types from
	$(VENV)/bin/python -m tests.openapi
	$(NPM_CI) --prefix clients/typescript
	npm --prefix clients/typescript run generate

check: install ## Lint, format and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: install ## Put the code in its format
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

install: $(INSTALLED) ## Make .venv with everything in it

$(RUNNABLE): pyproject.toml constraints.txt
	@$(fresh_venv)
	@echo "Installing what running needs into $(VENV): about 50 packages, 190 MB, a minute or two."
	@$(pip_install) '.[embedded]'
	@touch $@

# What running needs is kept, if it is there.
$(INSTALLED): pyproject.toml constraints.txt
	@[ $(RUNNABLE) -nt pyproject.toml ] && [ $(RUNNABLE) -nt constraints.txt ] || { $(fresh_venv); }
	@echo "Installing what the tests need into $(VENV): about 120 packages, 530 MB, two to four minutes."
	@$(pip_install) '.[dev]'
	@touch $(RUNNABLE) $@

define fresh_venv
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")' && $(PYTHON) -m venv --clear $(VENV)
endef

# pip shows its progress to a person, and says nothing to a log.
define pip_install
quiet=--quiet; if [ -t 1 ]; then quiet=; fi; \
	PIP_CONSTRAINT=constraints.txt $(VENV)/bin/python -m pip install $$quiet --disable-pip-version-check --editable
endef

# The newest versions within the bounds: run this, make test, commit.
constraints: ## Write constraints.txt anew, from the newest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(VENV)/bin/python -m pip freeze --exclude-editable --exclude pip --exclude setuptools > constraints.txt

# What passes here may be allowed: raise the bound in pyproject.toml, then make constraints.
newest: ## Run the suite, or TESTS=, with the newest of everything, whatever the upper bounds
	$(PYTHON) -m venv --clear $(NEWEST)
	$(NEWEST)/bin/python -m tests.newest > $(NEWEST)/requirements.txt
	$(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(NEWEST)/requirements.txt
	$(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@$(NEWEST)/bin/python -m pip freeze --exclude-editable --exclude pip --exclude setuptools > $(NEWEST)/newest.txt
	@echo "Newer than constraints.txt (>), which has (<):"
	@diff constraints.txt $(NEWEST)/newest.txt | grep '^[<>]' || echo "  nothing"
	$(NEWEST)/bin/python -m pytest $(SIDE_BY_SIDE) -m "not slow" $(TESTS)

.PHONY: help run demo test slow coverage test-postgres test-pooler packages client e2e mutants bench bench-peers bench-scale bench-soak bench-endure manifest evidence openapi check format install constraints newest
