# The commands for developers. `make help` lists them.
PORT ?= 8000
PY := .venv/bin/python
export NAME DIR ACCENT SENDER
# Some images turn bytecode caching off, which slows down the hundreds of test processes.
unexport PYTHONDONTWRITEBYTECODE
# On SQLite, even if the environment names another database.
PYTEST = env -u DATABASE_URL $(PY) -m pytest
COMPILE := uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header -p 3.11
LOCALES := --locale de --locale es --add-location file --no-obsolete --no-wrap \
    --ignore .venv --ignore build --ignore benchmarks --ignore tests --ignore staticfiles

.PHONY: help run deploy check test test-long compose-test clients adoption hosts package screenshots bench bench-quick compare lint format translations new lock setup setup-dev setup-browser

help: ## List these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: setup ## Install what is missing and serve http://localhost:8000 (PORT=8001 changes the port)
	@$(PY) manage.py demo --port '$(PORT)'
	@$(PY) manage.py runserver '127.0.0.1:$(PORT)'

deploy: ## Update the compose project here; the old version serves until the new one is ready
	@sh deploy/update.sh

check: PY := $(if $(DJANGO),build/django-$(DJANGO)/bin/python,$(PY))
check: setup-dev ## Run the quick tests, in under a minute (DJANGO=6.1 runs them on this Django)
	@$(if $(DJANGO),sh scripts/django.sh '$(DJANGO)')
	$(PYTEST) --numprocesses=logical --dist=worksteal -m "not (process or browser or slow)"

test: setup-dev setup-browser ## Run all tests: SQLite, PostgreSQL and a browser (7 to 15 minutes)
	@$(PY) -m tests

test-long: setup-dev ## Run many more races, state machines and generated requests (half an hour)
	@$(PY) -m tests --long

compose-test: setup-dev ## Test the compose project: start, update, backup, restore (needs Docker; ten minutes)
	$(PYTEST) --maxfail=1 -vv --capture=no --timeout=600 tests/compose/operations.py

clients: setup-dev ## Generate a TypeScript and a Python client and run a session with each (needs npm)
	@env -u DATABASE_URL $(PY) -m tests.clients

adoption: setup-dev ## Run Simple JWT's own tests against this app (fetches them; a minute)
	@$(PY) -m tests.adoption

hosts: setup-dev ## Run sites with dj-rest-auth and djoser, the real packages (fetches them; a minute)
	@$(PY) -m tests.hosts

package: setup-dev ## Build the app as a package and test it in an empty environment (a minute)
	@$(PY) -m tests.package

screenshots: setup-dev setup-browser ## Take the screenshots in docs/images
	SCREENSHOTS=docs/images $(PYTEST) tests/e2e/test_screenshots.py

bench: setup-dev ## Measure beside the alternatives and write docs/performance.md (half an hour)
	$(PY) -W ignore -m benchmarks

bench-quick: setup-dev ## The four operations beside Simple JWT; prints and writes no file (two minutes)
	$(PY) -W ignore -m benchmarks --quick operations

compare: setup-dev ## Run the same requests against the alternatives and write docs/comparison.md (ten minutes)
	@$(PY) -W ignore -m benchmarks.compare

lint: setup-dev ## Check formatting, lint, types, import rules, templates, migrations, the API schema
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy .
	.venv/bin/lint-imports
	$(PY) -m djlint --check --lint --quiet templates token_blacklist/templates
	.venv/bin/hadolint Dockerfile
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/ci.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check --fail-level WARNING
	$(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null

format: setup-dev ## Format code and templates
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .
	$(PY) -m djlint --reformat --quiet templates token_blacklist/templates

translations: setup-dev ## Update the translation catalogs from the source and compile them (needs gettext)
	@command -v msgfmt >/dev/null || { echo "gettext was not found. Install it: apt install gettext" >&2; exit 1; }
	@$(PY) manage.py makemessages $(LOCALES)
	@$(PY) manage.py makemessages $(LOCALES) --domain djangojs --ignore docs
	@$(PY) manage.py compilemessages

new: setup ## Create a product: make new NAME="Acme Portal" DIR=../acme [ACCENT='#a61e4d' SENDER=...]
	@$(PY) scripts/new.py

lock: ## Compile the lock files from pyproject.toml (needs uv)
	$(COMPILE) --all-extras --group site pyproject.toml -o requirements.txt
	$(COMPILE) --all-extras --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	$(COMPILE) -c requirements-dev.txt tests/clients/requirements.in -o tests/clients/requirements.txt
	$(COMPILE) -c requirements-dev.txt benchmarks/compare/requirements.in \
	    -o benchmarks/compare/requirements.txt
	$(COMPILE) -c requirements-dev.txt tests/adoption/requirements.in -o tests/adoption/requirements.txt
	$(COMPILE) -c requirements-dev.txt tests/hosts/requirements.in -o tests/hosts/requirements.txt
	$(COMPILE) -c requirements-dev.txt tests/package/requirements.in -o tests/package/requirements.txt

setup:
	@sh scripts/setup.sh requirements.txt

setup-dev: setup
	@sh scripts/setup.sh requirements-dev.txt

setup-browser: setup-dev
	@sh scripts/chromium.sh
