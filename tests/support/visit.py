"""Print what visitors, users and staff see: pages, the API's description, e-mails, `make run`.

`python -m tests.support.visit` needs a migrated database in DATABASE_URL.
"""

from __future__ import annotations

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.background import run_once  # noqa: E402
from tests.support.factories import PASSWORD, UserFactory  # noqa: E402
from tests.support.server import free_port  # noqa: E402

ERRORS = ["/400/", "/403/", "/403_csrf/", "/404/", "/429/", "/500/", "/503/"]
API = ["/api/docs/", "/api/schema/", "/_allauth/openapi.json"]
VISITOR = ["/", "/login/", "/signup/", "/password/reset/", "/admin/login/", *ERRORS, *API]
USER = ["/", "/account/", "/email/", "/password/change/", "/2fa/", "/2fa/totp/activate/"]
STAFF = ["/", "/admin/", "/admin/accounts/user/", "/admin/token_blacklist/outstandingtoken/"]


def visit(client: Client, paths: list[str]) -> None:
    for path in paths:
        page = client.get(path, headers={"accept": "text/html, */*"}, follow=True)
        sys.stdout.write(f"\n--- {path}\n{page.text}\n")


def main() -> None:
    """Print everything. At the end, Django's console backend prints the e-mails."""
    call_command("demo", port=str(free_port()))
    visitor, user, staff = (Client(raise_request_exception=False) for _each in range(3))
    visit(visitor, VISITOR)
    Client().post("/signup/", {"email": "new@example.com", "password1": PASSWORD})
    for email in ("new@example.com", "nobody@example.com"):
        visitor.post("/password/reset/", {"email": email})
    user.force_login(UserFactory())
    visit(user, USER)
    change = {"oldpassword": PASSWORD, "password1": "another-pass-phrase"}
    user.post("/password/change/", change | {"password2": change["password1"]})
    staff.force_login(UserFactory(admin=True))
    visit(staff, STAFF)
    run_once()


if __name__ == "__main__":
    main()
