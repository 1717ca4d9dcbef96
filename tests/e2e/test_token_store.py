"""An app whose tabs share a store of its own for the refresh token."""

import pytest

from tests.support.other_site import other_site
from tests.support.server import free_port, served
from tests.support.watched import unwatched_page

pytestmark = pytest.mark.browser

SHARED_STORE = """async ([api, credentials]) => {
  const { createSession, tokenTransport } = await import("/session.js");
  const store = {
    get: () => localStorage.getItem("refresh"),
    set: (token) => localStorage.setItem("refresh", token),
    delete: () => localStorage.removeItem("refresh"),
  };
  window.session = createSession({ baseUrl: api, transport: tokenTransport(store) });
  window.reasons = [];
  session.events.addEventListener("signedout", ({ detail }) => reasons.push(detail));
  if (credentials) await session.signIn(credentials);
}"""

REFRESHED_TOGETHER = """async () => {
  // Wake up at the same moment as the other tab, with a token that has expired.
  const { now } = Date;
  Date.now = () => now() + 300_000;
  await new Promise((go) => setTimeout(go, 1_000 - (now() % 1_000)));
  await session.me();
  return session.accessToken();
}"""


@pytest.fixture
def page(browser):
    with unwatched_page(browser) as page:
        yield page


@pytest.fixture
def app_and_django(tmp_path):
    """Start Django without rate limits, and the app's server; return both addresses."""
    port = free_port()
    app = f"http://127.0.0.1:{port}"
    with (
        served(tmp_path, CORS_ALLOWED_ORIGINS=app) as django,
        other_site(django, port, keeps_host=True),
    ):
        yield django, app


def test_tabs_that_share_a_token_store_have_one_session(page, app_and_django):
    django, app = app_and_django
    tabs = [page, page.context.new_page()]
    credentials = {"email": "demo@example.com", "password": "demo-password"}
    for tab, signs_in in zip(tabs, (credentials, None), strict=True):
        tab.goto(app)
        tab.evaluate(SHARED_STORE, [django, signs_in])
    refreshes = []
    page.context.on("requestfinished", lambda request: refreshes.append(request.url))

    tabs[1].evaluate("async () => { await session.resume() }")
    for tab in tabs:
        tab.evaluate(f"() => {{ window.woken = ({REFRESHED_TOGETHER})() }}")
    tokens = [tab.evaluate("() => woken") for tab in tabs]
    tabs[0].evaluate("() => session.signOut()")
    tabs[1].wait_for_function("() => reasons.length")

    assert tokens[0] == tokens[1]
    assert sum(url.endswith("/api/token/refresh/") for url in refreshes) == 2  # resume(), and one
    assert tabs[1].evaluate("() => [reasons, localStorage.length]") == [["here"], 0]
