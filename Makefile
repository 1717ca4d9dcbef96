# The commands for developers. `make help` lists them.
PORT ?= 8000
export VERSION
PY := .venv/bin/python
# Some images turn bytecode caching off, which slows down the hundreds of test processes.
unexport PYTHONDONTWRITEBYTECODE
# On SQLite, even if the environment names another database.
PYTEST = env -u DATABASE_URL $(PY) -m pytest
COMPILE := uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header -p 3.11
LOCALES := --locale de --locale es --add-location file --no-obsolete --no-wrap \
    --ignore .venv --ignore build --ignore benchmarks --ignore clients --ignore tests --ignore staticfiles
# $(call needs,COMMAND,HOW TO INSTALL IT): one sentence if the command is not there.
needs = command -v $(1) >/dev/null || { echo "$(1) was not found. Install it, for example: $(2)" >&2; exit 1; }

.PHONY: help run deploy check test test-long compose-test lint format translations update lock setup setup-dev setup-browser

help: ## List these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: setup ## Install what is missing and serve http://localhost:8000 (PORT=8001 changes the port)
	@$(PY) manage.py demo --port '$(PORT)'
	@$(PY) manage.py runserver '127.0.0.1:$(PORT)'

deploy: ## Update the compose project here; the old version serves until the new one is ready
	@sh deploy/update.sh

check: setup-dev ## Run the quick tests, in about a minute
	$(PYTEST) --numprocesses=logical --dist=worksteal -m "not (process or browser or slow)"

test: setup-dev setup-browser ## Run the tests: SQLite, PostgreSQL and a browser (16 minutes on two processors)
	@$(PY) -m tests

test-long: setup-dev ## Run many more races, state machines and generated requests (half an hour)
	@$(PY) -m tests --long

compose-test: setup-dev ## Test the compose project: start, update, backup, restore (needs Docker; ten minutes)
	@$(call needs,docker,the package of docs.docker.com/engine/install)
	$(PYTEST) --maxfail=1 -vv --capture=no --timeout=600 tests/compose/operations.py

lint: setup-dev ## Check formatting, lint, types, import rules, templates, migrations, the API schema
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy .
	.venv/bin/lint-imports
	$(PY) -m djlint --check --lint --quiet templates token_blacklist/templates
	.venv/bin/hadolint Dockerfile
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check --fail-level WARNING
	$(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null

format: setup-dev ## Format code and templates
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .
	$(PY) -m djlint --reformat --quiet templates token_blacklist/templates

translations: setup-dev ## Update the translation catalogs from the source and compile them (needs gettext)
	@$(call needs,msgfmt,apt install gettext)
	@$(PY) manage.py makemessages $(LOCALES)
	@$(PY) manage.py makemessages $(LOCALES) --domain djangojs --ignore docs
	@$(PY) manage.py compilemessages

update: setup-dev ## Take over the newest version of the project that this product was made from
	@$(PY) scripts/update.py

lock:: ## Compile the lock files from pyproject.toml (needs uv)
	@$(call needs,uv,pipx install uv)
	$(COMPILE) --all-extras --group site pyproject.toml -o requirements.txt
	$(COMPILE) --all-extras --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt

setup:
	@sh scripts/setup.sh requirements.txt

setup-dev: setup
	@sh scripts/setup.sh requirements-dev.txt

setup-browser: setup-dev
	@sh scripts/chromium.sh

-include starter.mk
