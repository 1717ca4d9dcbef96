"""An app that another server serves: which ways to the API work in a browser, and which do not."""

from contextlib import ExitStack

import pytest
from playwright.sync_api import Error

from tests.support.other_site import other_site
from tests.support.server import free_port, served

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.django_db(transaction=True)]

EMAIL, PASSWORD = "demo@example.com", "demo-password"

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
  const held = await post("/api/token/refresh/", { refresh: "x" });
  return { me: me.email, out: out.status, after: after.status, held };
}"""

SESSION_JS = """async ([email, password]) => {
  const { signIn, signOut, request, resume } = await import("/session.js");
  const before = document.cookie;
  await signIn(email, password);
  const me = await request("/api/me/");
  await resume();
  const scripts = document.cookie;
  await signOut();
  return { before, me: me.email, scripts };
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
    context = browser.new_context()
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def serve(tmp_path):
    """Start Django, and the app's server; give Django's address and the app's port."""
    with ExitStack() as running:

        def start(keeps_host=True, **variables):
            port = free_port()
            variables = {name: value.format(port=port) for name, value in variables.items()}
            django = running.enter_context(served(tmp_path, **variables))
            running.enter_context(other_site(django, port, keeps_host=keeps_host))
            return django, port

        yield start


NAMED = {"CORS_ALLOWED_ORIGINS": "http://127.0.0.1:{port},http://localhost:{port}"}
SAME_OR_CROSS_SITE = pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost"]
)  # Django: 127.0.0.1


@SAME_OR_CROSS_SITE
def test_bearer_tokens_work_from_an_origin_that_is_named(page, serve, host):
    django, port = serve(**NAMED, THROTTLE_REFRESH="1/hour")
    page.goto(f"http://{host}:{port}/")

    told = page.evaluate(BEARER, [django, EMAIL, PASSWORD])

    held = told.pop("held")
    assert told == {"me": EMAIL, "out": 200, "after": 401}
    assert (held["status"], held["code"]) == (429, "throttled")
    assert 0 < int(held["wait"]) <= 3600
    assert held["id"]


@SAME_OR_CROSS_SITE
def test_the_cookie_is_not_for_another_origin_even_on_the_same_site(page, serve, host):
    django, port = serve(**NAMED)
    page.goto(f"http://{host}:{port}/")

    assert page.evaluate(WITH_CREDENTIALS, django) == "TypeError"


@pytest.mark.parametrize(
    ("keeps_host", "variables"),
    [(True, {}), (False, {"CSRF_TRUSTED_ORIGINS": "http://localhost:{port}"})],
)
def test_the_cookie_works_where_the_apps_server_forwards_the_api(
    page, serve, keeps_host, variables
):
    _django, port = serve(keeps_host=keeps_host, **variables)
    page.goto(f"http://localhost:{port}/")

    told = page.evaluate(SESSION_JS, [EMAIL, PASSWORD])

    assert told["before"] == ""
    assert told["me"] == EMAIL
    assert told["scripts"].startswith("csrftoken=")
    assert "refresh" not in told["scripts"]


def test_a_proxy_that_replaces_the_host_needs_the_apps_origin_to_be_trusted(page, serve):
    _django, port = serve(keeps_host=False)
    page.goto(f"http://localhost:{port}/")

    with pytest.raises(Error, match="This page was open for too long"):
        page.evaluate(SESSION_JS, [EMAIL, PASSWORD])
