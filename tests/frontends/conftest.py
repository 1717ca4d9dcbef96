"""The app behind each proxy, and browsers for it; an error in a browser fails the test."""

from __future__ import annotations

import subprocess

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support import chromium
from tests.support import deployment as files
from tests.support.checkout import bare_environment, copy_into, lend_packages
from tests.support.watched import TIMEOUT, watched

from .serving import KINDS, USERS, Site, build, django, in_front

SETTINGS = {"vite": {"DEBUG": "True", "NUM_PROXIES": "0"}}  # the others are outside DEBUG


@pytest.fixture(scope="session")
def browser():
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def dist():
    return build()


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A copy of the project with its static files, as in the image."""
    folder = lend_packages(copy_into(tmp_path_factory.mktemp("project")))
    (static,) = (line for word, line in files.dockerfile() if "collectstatic" in line)
    env = bare_environment(ENV_FILE="")
    subprocess.run(["sh", "-c", static], cwd=folder, env=env, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session", params=KINDS)
def site(request, dist, project, tmp_path_factory):
    kind = request.param
    folder = tmp_path_factory.mktemp(kind)
    folder.chmod(0o755)
    mails = folder / "mails"
    mails.mkdir()
    variables = {"EMAIL_URL": f"filemail:///{mails}", **SETTINGS.get(kind, {})}
    with (
        django(project, folder, **variables) as upstream,
        in_front(kind, upstream, dist, folder) as url,
    ):
        users = iter([f"user{n}@example.com" for n in range(USERS)])
        yield Site(kind, url, upstream, mails, users)


@pytest.fixture
def browsers(browser, site, request):
    with watched(browser, site.url, request.node, ignore_https_errors=True) as make:
        yield make


@pytest.fixture
def context(browsers):
    return browsers()


@pytest.fixture
def page(context):
    page = context.new_page()
    page.goto("/")
    return page


@pytest.fixture
def email(site):
    """The address of a user who has no session."""
    return next(site.users)
