# make up    sets up .venv and starts the platform (ARGS="--time-scale 10" passes options on)
# make cloud the same as many processes, as on AWS
# make test  sets up .venv and runs every check
.DELETE_ON_ERROR:
.PHONY: up cloud test setup setup-dev format lint types imports contract browser screenshots docs docs-build node-clients engines deploy-checks pytest test-long test-engines coverage simulation mutations fuzz bench lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
FUZZ := $(VENV)/.fuzz-installed
DOCS := $(VENV)/.docs-installed
BROWSER := $(VENV)/.browser-installed
# The locks are complete, so installing resolves nothing: no release of anybody's can change what a clone gets.
INSTALL := $(BIN)/python -m pip install -q --no-deps
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where it is set, each of pytest's workers compiles all tests again, and each process all of src.
unexport PYTHONDONTWRITEBYTECODE

up: $(RUNTIME)
	@$(BIN)/tacos up $(ARGS)

# A platform of many processes on this machine, on what speaks as AWS does.
cloud: $(DEV) engines
	@$(BIN)/python -m tests.cloud

# Two at a time, once .venv is whole: types and docs leave a core to what is installed for the tests meanwhile.
test: $(DEV) $(DOCS)
	@$(MAKE) --no-print-directory --jobs=2 format lint types imports contract docs-build pytest
	@echo "All checks passed."

setup: $(RUNTIME)
setup-dev: $(DEV)

$(BIN)/python:
	@echo "Making $(VENV) …"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the platform needs (about half a minute the first time) …"
	@$(INSTALL) -r requirements.lock
	@$(INSTALL) --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "Installing what the checks need …"
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

$(FUZZ): requirements-fuzz.lock $(DEV)
	@$(INSTALL) -r requirements-fuzz.lock
	@touch $@

$(DOCS): requirements-docs.lock $(DEV)
	@$(INSTALL) -r requirements-docs.lock
	@touch $@

format: $(DEV)
	$(BIN)/ruff format --check src tests bench proto

lint: $(DEV)
	$(BIN)/ruff check src tests bench proto

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports --no-cache

contract: $(DEV)
	$(BIN)/buf lint
	$(BIN)/buf breaking --against proto/baseline.binpb
	$(BIN)/python proto/generate.py build/gen
	diff -r -x __pycache__ build/gen src/traffic_tacos/gen
	@rm -rf build/gen

# The clients of others that the end-to-end tests drive; without Node those tests are skipped.
NODE_CLIENTS := tests/node/node_modules/.package-lock.json
node-clients: $(NODE_CLIENTS)
$(NODE_CLIENTS): tests/node/package-lock.json
	@if command -v npm >/dev/null; then cd tests/node && npm ci --no-audit --no-fund --loglevel=error || \
		echo "npm could not install: the tests of clients under Node are skipped."; \
	else echo "There is no Node here: the tests of clients under Node are skipped."; fi

# What speaks as DynamoDB does, on this machine, in an environment of its own; without it those tests are skipped.
ENGINES := .venv-engines/.installed
engines: $(ENGINES)
$(ENGINES): requirements-engines.lock
	@echo "Installing the engines that the checks run on …"
	@rm -rf .venv-engines && $(PYTHON) -m venv .venv-engines
	@.venv-engines/bin/python -m pip install -q --no-deps -r requirements-engines.lock && touch $@ || \
		echo "They could not be installed: the tests on DynamoDB's emulators are skipped."

# What checks the files in deploy/, in an environment of its own; without it those tests are skipped.
DEPLOY := .venv-deploy/.installed
deploy-checks: $(DEPLOY)
$(DEPLOY): requirements-deploy.lock
	@echo "Installing what the files in deploy/ are checked with …"
	@rm -rf .venv-deploy && $(PYTHON) -m venv .venv-deploy
	@.venv-deploy/bin/python -m pip install -q --no-deps -r requirements-deploy.lock && touch $@ || \
		echo "It could not be installed: the checks of the files in deploy/ are skipped."

pytest: $(DEV) node-clients engines deploy-checks
	$(BIN)/pytest -n auto --dist worksteal

# What takes longer: whole race matrices, more kills, the largest plan; and on the emulators alone, writes whose answers
# are lost on the way and jobs in real time.
test-long: $(DEV) node-clients engines deploy-checks
	$(BIN)/pytest -n auto --dist worksteal -m long

test-engines: $(DEV) engines deploy-checks
	$(BIN)/pytest -n auto -m long tests/engines tests/conformance tests/deploy

# Which lines and branches the tests reach; tracing them takes more than twice the time.
coverage: $(DEV) node-clients
	$(BIN)/pytest -n auto --dist worksteal --ignore=tests/simulation --cov --cov-report=term:skip-covered

# Breaks the program in one place after the other, and shows which tests notice; about ten minutes.
mutations: $(DEV) node-clients engines
	nice $(BIN)/python -m tests.mutations

simulation: $(DEV)
	$(BIN)/python -m tests.simulation --seeds 2000

# What the tests of the pages need: Playwright, axe, and Debian's Chromium with fonts for Korean. Without them they are skipped.
browser: $(BROWSER) node-clients
$(BROWSER): requirements-browser.lock $(DEV)
	@$(INSTALL) -r requirements-browser.lock
	@command -v chromium >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get install -y --no-install-recommends chromium fonts-noto-cjk; \
	else echo "Please install chromium (and fonts-noto-cjk), so that the pages can be tested."; exit 1; fi
	@touch $@

# The pictures of the pages in the docs, taken anew.
screenshots: $(BROWSER)
	$(BIN)/python -m tests.browser.screenshots docs/pages

# Attacks a platform of its own for so many minutes.
MINUTES ?= 5
fuzz: $(FUZZ)
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

# The docs site on http://127.0.0.1:8000; its generated pages are written anew first.
docs: $(DOCS)
	$(BIN)/python -m tests.contract.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve --strict --dev-addr 127.0.0.1:8000

# Refuses a page that nothing leads to, and a link or an anchor that leads nowhere.
docs-build: $(DOCS)
	@mkdir -p build
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict 2>build/mkdocs.log || { cat build/mkdocs.log; exit 1; }

bench: $(DEV)
	$(BIN)/python -m bench

# Pins what pyproject.toml asks for, for every platform, by hash, with the extras asked for; no index address is written.
COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-header
lock: $(BIN)/python
	@$(INSTALL) uv==0.13.9
	$(COMPILE) pyproject.toml --group build -o requirements.lock
	$(COMPILE) pyproject.toml --group build --group dev --all-extras -c requirements.lock -o requirements-dev.lock
	$(COMPILE) pyproject.toml --group fuzz -c requirements-dev.lock -o requirements-fuzz.lock
	$(COMPILE) pyproject.toml --group browser -c requirements-dev.lock -o requirements-browser.lock
	$(COMPILE) pyproject.toml --group docs -c requirements-dev.lock -o requirements-docs.lock
	$(COMPILE) --group engines -o requirements-engines.lock
	$(COMPILE) --group deploy -o requirements-deploy.lock
	$(COMPILE) pyproject.toml --all-extras -c requirements-dev.lock -o requirements-container.lock

clean:
	rm -rf $(VENV) .venv-engines .venv-deploy build .tacos .mypy_cache .ruff_cache .pytest_cache .coverage
