# The commands for this project itself, which a product does not have.
export NAME DIR ACCENT SENDER ORIGIN KEEP

.PHONY: new test-elsewhere clients frontends adoption hosts package screenshots bench bench-quick compare setup-django

new: setup-dev ## Create a product: make new NAME="Acme Portal" DIR=../acme [ACCENT= SENDER= ORIGIN= KEEP=all]
	@$(PY) scripts/new.py

test-elsewhere: setup-dev ## Run the tests of copies, other sites and products (half an hour)
	@$(PY) -m tests --elsewhere

clients: setup-dev ## Generate a Python client from the API descriptions and run a session with it
	@env -u DATABASE_URL $(PY) -m tests.clients

adoption: setup-dev ## Run Simple JWT's own tests against this app (fetches them; a minute)
	@$(PY) -m tests.adoption

hosts: setup-dev ## Run sites with dj-rest-auth and djoser, the real packages (fetches them; a minute)
	@$(PY) -m tests.hosts

package: setup-dev ## Build and test the packages of the app and both clients (needs npm; six minutes)
	@$(call needs,npm,apt install npm)
	@$(PY) -m tests.package

frontends: setup-dev setup-browser ## Drive the example app in Chromium behind Caddy, nginx and Vite (needs npm; five minutes)
	@$(call needs,npm,apt install npm)
	$(PYTEST) tests/frontends/stories.py tests/frontends/test_layouts.py

screenshots: setup-dev setup-browser ## Take the screenshots in docs/images
	SCREENSHOTS=docs/images $(PYTEST) tests/e2e/test_screenshots.py

bench: setup-dev ## Measure beside the alternatives and write docs/performance.md (half an hour)
	$(PY) -W ignore -m benchmarks

bench-quick: setup-dev ## The four operations beside Simple JWT; prints and writes no file (two minutes)
	$(PY) -W ignore -m benchmarks --quick operations

compare: setup-dev ## Run the same requests against the alternatives and write docs/comparison.md (ten minutes)
	@$(PY) -W ignore -m benchmarks.compare

lock::
	$(COMPILE) -c requirements-dev.txt --group clients/python/pyproject.toml:dev \
	    clients/python/pyproject.toml -o clients/python/requirements.txt
	$(COMPILE) -c requirements-dev.txt tests/clients/requirements.in -o tests/clients/requirements.txt
	$(COMPILE) -c requirements-dev.txt benchmarks/compare/requirements.in \
	    -o benchmarks/compare/requirements.txt
	$(COMPILE) -c requirements-dev.txt tests/adoption/requirements.in -o tests/adoption/requirements.txt
	$(COMPILE) -c requirements-dev.txt tests/hosts/requirements.in -o tests/hosts/requirements.txt
	$(COMPILE) -c requirements-dev.txt tests/package/requirements.in -o tests/package/requirements.txt

# `make check DJANGO=6.1` runs the quick tests on that version of Django.
ifdef DJANGO
check: PY := build/django-$(DJANGO)/bin/python
check: setup-django
endif

setup-django: setup-dev
	@sh scripts/django.sh '$(DJANGO)'
