"""A database router that reads from a replica, which lags behind."""

import pytest

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

ROUTER = """
class Router:
    def db_for_read(self, model, **hints):
        return "replica"

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, *args, **kwargs):
        return True

    def allow_migrate(self, db, *args, **kwargs):
        return db == "default"
"""


@pytest.fixture
def lagging(new, tmp_path, monkeypatch):
    """A project on SQLite whose replica is a copy of the file, made by `catch_up()`."""

    def database(name):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / name)}

    def make(**options):
        return new(
            files={
                "routers.py": ROUTER,
                "lag.py": """
import shutil
from django.db import connections


def catch_up():
    connections.close_all()
    shutil.copy("primary", "replica")
""",
            },
            DATABASES={"default": database("primary"), "replica": database("replica")},
            DATABASE_ROUTERS=["routers.Router"],
            TOKEN_BLACKLIST=options,
        )

    return make


def test_a_replica_that_lags_never_decides_a_refresh(lagging):
    shown = lagging().run("""
        import time_machine
        from lag import catch_up

        new_user()
        catch_up()
        first = sign_in().json()["refresh"]
        show(refresh(first).status_code)  # of a session that the replica does not have
        catch_up()
        second = sign_in().json()["refresh"]
        catch_up()
        pair = refresh(second).json()
        show(refresh(second).json() == pair)
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=30)):
            show(refresh(second).status_code, refresh(pair["refresh"]).status_code)
    """)

    assert shown == [200, True, 401, 401]


@pytest.mark.parametrize(
    "options",
    [
        {"ROTATE_REFRESH_TOKENS": False},
        {"REQUIRE_OUTSTANDING": False},
        {"USER_AUTHENTICATION_RULE": "rules.may"},
        {"USER_CLAIMS": "rules.claims"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_session_or_user_that_has_just_ended_is_refused_with_every_option(lagging, options):
    host = lagging(**options)
    (host.folder / "rules.py").write_text(
        "def may(user):\n    return not user.last_name\n"
        "def claims(user):\n    return {'name': user.username}\n"
    )

    shown = host.run("""
        from lag import catch_up
        ada = new_user()
        catch_up()
        ended, of_inactive, first = [sign_in().json()["refresh"] for _ in range(3)]
        catch_up()
        show(refresh(first).status_code)
        sign_out(ended)
        show(refresh(ended).status_code)
        ada.is_active, ada.last_name = False, "refused by the rule"
        ada.save()
        show(refresh(of_inactive).status_code)
    """)

    assert shown == [200, 401, 401]


def test_revoking_reads_from_where_rows_are_written(lagging):
    shown = lagging().run("""
        from lag import catch_up
        from token_blacklist.models import BlacklistedToken, OutstandingToken
        from token_blacklist.sessions.end import revoke_in_batches, revoke_user
        from token_blacklist.signals import token_blacklisted
        from token_blacklist.tokens import RefreshToken

        heard = []
        def hear(session_id, **kwargs):
            heard.append(session_id)
        token_blacklisted.connect(hear)
        ada = new_user()
        catch_up()
        token = RefreshToken.for_user(ada)
        show(revoke_user(ada, reason="admin"), heard == [token["sid"]])
        RefreshToken.for_user(ada)
        show(sum(revoke_in_batches(OutstandingToken.objects.all(), reason="admin")))
        RefreshToken.for_user(ada).blacklist()
        show(sum(revoke_in_batches(OutstandingToken.objects.using("replica"), reason="admin")))
        show(OutstandingToken.objects.live().using("default").count())
        RefreshToken(str(RefreshToken.for_user(ada))).blacklist()
        show(OutstandingToken.objects.live().using("default").count())
        client.login(username="ada", password="pw")
    """)

    assert shown == [1, True, 1, 0, 0, 0]
