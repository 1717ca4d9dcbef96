"""An app on another host than the API, as in the table of docs/frontends.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Error

from tests.support.other_site import other_site
from tests.support.production import wait_for
from tests.support.server import free_port, served
from tests.support.watched import unwatched_page

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "demo@example.com", "demo-password"
SESSION = """async ([options, email, password]) => {
  const { createSession, tokenTransport } = await import("/session.js");
  const store = { get: () => localStorage.getItem("refresh"), delete: () => localStorage.clear(),
                  set: (token) => localStorage.setItem("refresh", token) };
  const transports = { memory: () => tokenTransport(), store: () => tokenTransport(store) };
  const transport = transports[options.tokens]?.();
  const session = createSession({ baseUrl: options.api, ...(transport && { transport }) });
  if (email) await session.signIn({ email, password });
  else await session.resume();
  const me = await session.me();
  return { email: me.email, stores: JSON.stringify([{...localStorage}, document.cookie]) };
}"""
SIGN_UP = """async ([api, email, password]) => {
  const { createSession, tokenTransport } = await import("/session.js");
  window.session = createSession(api ? { baseUrl: api, transport: tokenTransport() } : {});
  return await session.signUp({ email, password });
}"""
VERIFY = """async (code) => {
  await session.verifyEmail(code);
  return (await session.me()).email;
}"""
SAME_SITE, OTHER_SITE = "http://app.example.localhost", "http://app.another.localhost"


class Api(NamedTuple):
    url: str
    port: int
    rewriting: int
    mails: Path


@pytest.fixture
def page(browser):
    with unwatched_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """The API on a host of its own, the ports of the app without and with rewrites, the e-mails."""
    folder, port, rewriting = tmp_path_factory.mktemp("api"), free_port(), free_port()
    mails = folder / "mails"
    mails.mkdir()
    variables = {
        "ALLOWED_HOSTS": "api.example.localhost,127.0.0.1",
        "CORS_ALLOWED_ORIGINS": f"{SAME_SITE}:{port},{OTHER_SITE}:{port}",
        "CSRF_TRUSTED_ORIGINS": f"{SAME_SITE}:{rewriting}",
        "ACCOUNT_EMAIL_VERIFICATION": "mandatory",
        "EMAIL_URL": f"filemail:///{mails}",
        "EMAILS_SENT_BY": "web",
    }
    with (
        served(folder, **variables) as django,
        other_site(django, port, keeps_host=True),
        other_site(django, rewriting, keeps_host=False),
    ):
        yield Api(django.replace("127.0.0.1", "api.example.localhost"), port, rewriting, mails)


@pytest.fixture(params=[SAME_SITE, OTHER_SITE])
def app(api, page, request):
    page.goto(f"{request.param}:{api.port}")
    return page


def test_tokens_in_memory_work_until_the_page_is_reloaded(app, api):
    options = {"api": api.url, "tokens": "memory"}
    found = app.evaluate(SESSION, [options, EMAIL, PASSWORD])
    app.reload()

    assert found["email"] == EMAIL
    assert "eyJ" not in found["stores"]
    with pytest.raises(Error, match="The session has ended"):
        app.evaluate(SESSION, [options, "", ""])


def test_tokens_in_a_store_survive_a_reload_and_scripts_can_read_them(app, api):
    options = {"api": api.url, "tokens": "store"}
    found = app.evaluate(SESSION, [options, EMAIL, PASSWORD])
    app.reload()

    assert "eyJ" in found["stores"]
    assert app.evaluate(SESSION, [options, "", ""])["email"] == EMAIL


def test_the_cookie_does_not_work(app, api):
    with pytest.raises(Error):
        app.evaluate(SESSION, [{"api": api.url}, EMAIL, PASSWORD])
    assert app.context.cookies() == []


def test_a_new_user_verifies_the_address(app, api):
    email = f"{app.url.split('.')[1]}@example.com"

    assert app.evaluate(SIGN_UP, [api.url, email, PASSWORD]) == "verify_email"
    assert app.evaluate(VERIFY, code_in(text_for(api.mails, email))) == email


def test_behind_a_rewrite_the_cookie_works_and_e_mails_have_the_host_of_django(page, api):
    page.goto(f"{SAME_SITE}:{api.rewriting}")

    assert page.evaluate(SIGN_UP, ["", "rewritten@example.com", PASSWORD]) == "verify_email"
    text = text_for(api.mails, "rewritten@example.com")
    assert page.evaluate(VERIFY, code_in(text)) == "rewritten@example.com"
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["refresh_token"]["domain"] == "app.example.localhost"
    assert set(re.findall(r"http://([\w.]+)", text)) == {"127.0.0.1"}


def code_in(text):
    """Return the code of an e-mail, which has a line of its own."""
    return re.search(r"(?m)^[A-Z0-9]+-[A-Z0-9-]+$", text)[0]


def text_for(mails, email):
    """Return the e-mail to this address, when it has been sent."""

    def found():
        texts = [path.read_text(encoding="utf-8") for path in mails.iterdir()]
        return [text for text in texts if f"To: {email}" in text]

    wait_for(found)
    return found()[0]
