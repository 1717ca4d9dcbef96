"""Sites that copied the app's folder into a package of theirs."""

import pytest

pytestmark = pytest.mark.process

CODE = """
from django.core.checks import run_checks
from django.utils.translation import gettext, override

new_user()
first = sign_in().json()
second = refresh(first["refresh"]).json()
show(me(second["access"]).status_code, sign_out(second["refresh"]).status_code)
show(me(second["access"]).status_code, [str(found) for found in run_checks()])
call_command("flushexpiredtokens", verbosity=0)
call_command("endsessions", all=True, verbosity=0)
call_command("makemigrations", check_changes=True, verbosity=0)
client.force_login(get_user_model().objects.create_superuser("boss", password="pw"))
for page in ("outstandingtoken/", "outstandingtoken/1/change/", "blacklistedtoken/", "flushrun/"):
    show(client.get(f"/admin/token_blacklist/{page}").status_code)
with override("de"):
    show(gettext("Token is blacklisted"))
"""


def test_everything_works_there(new):
    app = "vendor.token_blacklist"
    host = new(
        package="vendor",
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            f"{app}.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        AUTH_PASSWORD_VALIDATORS=[
            {"NAME": f"{app}.password_validation.RevokeSessionsValidator"},
        ],
    )

    shown = host.run(CODE)

    assert shown == [200, 200, 401, [], 200, 200, 200, 200, "Das Token ist gesperrt"]
