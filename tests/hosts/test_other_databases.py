"""MySQL, MariaDB and Oracle are refused by `check`, without a connection.

tests/token_blacklist/test_migrations.py proves that `migrate` refuses them before any change.
"""

import subprocess
import sys

import pytest

from tests.support.checkout import ROOT, bare_environment
from token_blacklist.checks import check_database

# The drivers are not installed. These have what Django needs to load its backend.
DRIVERS = """
import sys
from unittest.mock import MagicMock

class Error(Exception):
    pass

def driver(name, **more):
    found = MagicMock(connect=MagicMock(side_effect=Error("no server")), **more)
    for kind in ("Data", "Operational", "Integrity", "Internal", "Programming", "NotSupported",
                 "Database", "Interface"):
        setattr(found, f"{kind}Error", Error)
    found.Error = Error
    sys.modules[name] = found

driver("MySQLdb", version_info=(2, 2, 7, "final", 0), __version__="2.2.7")
sys.modules["MySQLdb.constants"] = MagicMock()
sys.modules["MySQLdb.converters"] = MagicMock(conversions={})
driver("oracledb", __version__="3.4.0", version="3.4.0")
"""
SITE = """
import django
from django.conf import settings
from django.core.management import execute_from_command_line

settings.configure(
    SECRET_KEY="only-for-the-tests-" * 4,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "token_blacklist"],
    DATABASES={"default": {"ENGINE": sys.argv.pop(1), "NAME": "site", "HOST": "127.0.0.1"}},
)
execute_from_command_line(sys.argv)
"""


@pytest.mark.process
@pytest.mark.parametrize(("engine", "name"), [("mysql", "MySQL or MariaDB"), ("oracle", "Oracle")])
def test_another_database_is_refused_with_what_is_supported(engine, name):
    done = subprocess.run(
        [sys.executable, "-c", DRIVERS + SITE, f"django.db.backends.{engine}", "check"],
        env=bare_environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert f"(token_blacklist.E023) The database of token_blacklist is {name}." in done.stderr
    assert "HINT: Use PostgreSQL or SQLite, which are supported" in done.stderr
    assert "Traceback" not in done.stderr


class SessionsElsewhere:
    """A router that sends the app's models to a database of their own."""

    def db_for_write(self, model, **hints):
        return "sessions" if model._meta.app_label == "token_blacklist" else None


def test_sessions_in_a_database_without_the_users_are_an_error(settings):
    settings.DATABASE_ROUTERS = [f"{__name__}.SessionsElsewhere"]

    (error,) = check_database()

    assert error.id == "token_blacklist.E034"
    assert "'sessions'" in error.msg
    assert "'default'" in error.msg
