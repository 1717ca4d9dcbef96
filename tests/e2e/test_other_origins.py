"""A single-page app on another origin: which kinds of access to the API work in a browser."""

from contextlib import ExitStack

import pytest
from playwright.sync_api import Error

from tests.support.factories import PASSWORD
from tests.support.other_site import other_site
from tests.support.server import free_port, served
from tests.support.watched import unwatched_page

pytestmark = pytest.mark.browser

BEARER = """async ([api, email, password]) => {
  const post = async (path, body) => {
    const answer = await fetch(api + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: answer.status, wait: answer.headers.get("Retry-After"),
             id: answer.headers.get("X-Request-ID"), ...(await answer.json()) };
  };
  const first = await post("/api/token/", { email, password });
  const next = await post("/api/token/refresh/", { refresh: first.refresh });
  const headers = { Authorization: `Bearer ${next.access}` };
  const me = await (await fetch(api + "/api/me/", { headers })).json();
  const out = await post("/api/token/blacklist/", { refresh: next.refresh });
  const after = await fetch(api + "/api/me/", { headers });
  return { me: me.email, out: out.status, after: after.status };
}"""

HELD = """async (api) => {
  const answer = await fetch(`${api}/api/token/refresh/`, { method: "POST" });
  const [wait, id] = ["Retry-After", "X-Request-ID"].map((name) => answer.headers.get(name));
  return { status: answer.status, wait, id };
}"""

SESSION_JS = """async ([email, password]) => {
  const { createSession } = await import("/session.js");
  const session = createSession();
  const before = document.cookie;
  await session.signIn({ email, password });
  const me = await session.me();
  await session.resume();
  const scripts = document.cookie;
  await session.signOut();
  return { before, me: me.email, scripts };
}"""

IN_COOKIE = """async ([api, path, body]) => {
  const answer = await fetch(api + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": "" },
    body: JSON.stringify(body),
  });
  return (await answer.json()).detail;
}"""

WITH_CREDENTIALS = """async (api) => {
  try {
    await fetch(`${api}/api/token/csrf/`, { credentials: "include" });
    return "readable";
  } catch (error) {
    return error.name;
  }
}"""


@pytest.fixture
def page(browser):
    with unwatched_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """Start Django, which allows the app's origins, and the app's server.

    Return Django's address, and the app's on the same site and on another.
    """
    port = free_port()
    origins = [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]
    variables = {
        "CORS_ALLOWED_ORIGINS": ",".join(origins),
        "RATE_LIMITS": "True",
        "THROTTLE_REFRESH": "2/h/ip",
    }
    with (
        served(tmp_path_factory.mktemp("named"), **variables) as django,
        other_site(django, port, keeps_host=True),
    ):
        yield django, origins


@pytest.fixture
def forwarded(live_server):
    """Start the app's server, which proxies /api/ to Django; return the app's address."""
    with ExitStack() as running:

        def start(*, keeps_host):
            port = free_port()
            django = live_server.url.replace("localhost", "127.0.0.1")
            running.enter_context(other_site(django, port, keeps_host=keeps_host))
            return f"http://localhost:{port}"

        yield start


def test_bearer_tokens_work_from_an_allowed_cors_origin(page, named):
    django, origins = named
    for origin in origins:
        page.goto(origin)
        told = page.evaluate(BEARER, [django, "demo@example.com", "demo-password"])
        assert told == {"me": "demo@example.com", "out": 200, "after": 401}

    held = page.evaluate(HELD, django)

    assert held["status"] == 429
    assert 0 < int(held["wait"]) <= 3600
    assert held["id"]


def test_the_cookie_does_not_work_from_another_origin_of_the_same_site(page, named):
    django, origins = named
    for origin in origins:
        page.goto(origin)

        assert page.evaluate(WITH_CREDENTIALS, django) == "TypeError"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/token/", {"transport": "cookie"}),
        ("/api/token/blacklist/", {}),
    ],
)
def test_a_developer_reads_why_the_cookie_does_not_work_from_another_origin(
    page, named, path, body
):
    django, origins = named
    for origin in origins:
        page.goto(origin)

        assert "does not work from another origin" in page.evaluate(IN_COOKIE, [django, path, body])


@pytest.mark.parametrize("keeps_host", [True, False])
def test_the_cookie_works_if_the_apps_server_proxies_the_api(
    page, forwarded, user, settings, keeps_host
):
    app = forwarded(keeps_host=keeps_host)
    if not keeps_host:
        settings.CSRF_TRUSTED_ORIGINS = [app]
    page.goto(app)

    told = page.evaluate(SESSION_JS, [user.email, PASSWORD])

    assert told["before"] == ""
    assert told["me"] == user.email
    assert told["scripts"].startswith("csrftoken=")
    assert "refresh" not in told["scripts"]


def test_a_proxy_that_changes_the_host_needs_csrf_trusted_origins(page, forwarded, user):
    page.goto(forwarded(keeps_host=False))

    with pytest.raises(Error, match="This page was open for too long"):
        page.evaluate(SESSION_JS, [user.email, PASSWORD])
