PYTHON ?= python3
VENV := .venv
# The checkout's path is in the stamp's name: a moved or copied .venv is made anew.
INSTALLED := $(VENV)/installed$(subst /,-,$(CURDIR))

unexport PYTHONPATH PYTHONHOME

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## /  make \1  /p' $(MAKEFILE_LIST)

run: install ## Serve on an embedded PostgreSQL; PORT=8000
	@$(VENV)/bin/task-api dev

test: install ## Run the whole suite, with coverage
	$(VENV)/bin/coverage erase
	$(VENV)/bin/coverage run -m pytest -n auto --dist loadfile
	$(VENV)/bin/coverage combine --quiet
	$(VENV)/bin/coverage report

mutants: install ## Break the code in many ways; the suite must turn red for each
	$(VENV)/bin/python -m tests.mutants

bench: install ## Measure it beside PostgreSQL's own ceiling
	$(VENV)/bin/python -m bench load

bench-peers: install ## Measure it beside the same API on Fastify, and on an ORM
	PIP_CONSTRAINT=constraints.txt $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	npm ci --silent --no-audit --no-fund --prefix bench/peers/fastify
	$(VENV)/bin/python -m bench peers

bench-scale: install ## Measure it with a hundred times the rows
	$(VENV)/bin/python -m bench scale

bench-soak: install ## Measure its start, and its memory over a million requests
	$(VENV)/bin/python -m bench soak

manifest: install ## Record what db/policies/ decides, for the audit to find drift
	$(VENV)/bin/python -m tests.manifest

check: install ## Lint, format and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: install ## Put the code in its format
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

install: $(INSTALLED) ## Make .venv with everything in it

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(VENV)
	PIP_CONSTRAINT=constraints.txt $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# The newest versions that pass: run this, make test, commit.
constraints: ## Write constraints.txt anew, from the newest versions
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(VENV)/bin/python -m pip freeze --exclude-editable --exclude pip --exclude setuptools > constraints.txt

.PHONY: help run test mutants bench bench-peers bench-scale bench-soak manifest check format install constraints
