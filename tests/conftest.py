"""The selection and order of the tests, and shared fixtures."""

from __future__ import annotations

import gc
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.conf import settings
from django.urls import resolve
from django.utils import timezone

from .support.devices import Device
from .support.factories import UserFactory
from .support.parts import PARTS, REMOVED
from .support.schema import copied

ON_POSTGRESQL = "postgresql" in settings.DATABASES["default"]["ENGINE"]
LONG = ("browser", "process", "slow")
SET_UP_ONCE = (
    "adoption/test_swap.py",
    "deploy/test_machine.py",
    "frontends/test_proxies.py",
    "test_second_service.py",
    "test_memory.py",
    "test_metrics.py",
    "test_admin_at_a_million.py",
    "test_recipes.py",
    "test_many_machines.py",
    "test_monitoring.py",
    "test_other_origins.py",
    "test_static.py",
    "test_gunicorn.py",
)
# One release and one server are theirs together.
OF_ONE_RELEASE = (
    "deploy/test_commands.py",
    "deploy/test_proxies.py",
    "deploy/test_slow_clients.py",
)

# What the database can change: statements, locks, constraints, migrations, and what is on disk.
# Files beyond these run on PostgreSQL only with the marker `postgresql`.
ON_BOTH_DATABASES = (
    "races/",
    "faults/",
    "properties/",
    "token_blacklist/test_admin.py",
    "token_blacklist/test_budgets.py",
    "token_blacklist/test_endsessions.py",
    "token_blacklist/test_flush.py",
    "token_blacklist/test_middleware.py",
    "token_blacklist/test_migrations.py",
    "token_blacklist/test_outages.py",
    "token_blacklist/test_restore.py",
    "token_blacklist/test_revocation.py",
    "token_blacklist/test_rotation.py",
    "token_blacklist/test_sign_in.py",
    "token_blacklist/services/test_revocations.py",
    "accounts/test_activity.py",
    "accounts/test_admin_support.py",
    "accounts/test_data.py",
    "accounts/test_deletion.py",
    "accounts/test_outbox.py",
    "accounts/test_overtaken.py",
    "accounts/test_saving_users.py",
    "accounts/test_sign_in.py",
    "accounts/test_stale_users.py",
    "accounts/test_stored_secrets.py",
    "accounts/test_users.py",
    "api/test_hostile_allauth_input.py",
    "api/test_hostile_input.py",  # PostgreSQL refuses texts that SQLite stores
    "config/test_admin_at_a_million.py",
    "config/test_commands.py",
    "config/test_migrate.py",
    "config/test_new_columns.py",
    "config/test_outage.py",
    "deploy/test_backup.py",
    "deploy/test_commands.py",
    "machines/",
    "adoption/test_swap.py",
    "hosts/test_models.py",
    "hosts/test_querysets.py",
)


def pytest_configure(config: pytest.Config) -> None:
    for part, file in PARTS.items():
        config.addinivalue_line("markers", f"{part}: a part that a product may remove, with {file}")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests of removed parts or of the other database; start long ones first."""
    wanted, pointless = [], []
    for item in items:
        (wanted if belongs_here(item) else pointless).append(item)
    config.hook.pytest_deselected(items=pointless)
    items[:] = sorted(wanted, key=lambda item: not any(map(item.get_closest_marker, LONG)))


def pytest_collection_finish() -> None:
    """Exclude the modules and tests from garbage collections, which saves a tenth of the time."""
    gc.collect()
    gc.freeze()


def belongs_here(item: Any) -> bool:
    if any(map(item.get_closest_marker, REMOVED)):
        return False
    if item.get_closest_marker("postgresql") or not ON_POSTGRESQL:
        return bool(item.get_closest_marker("postgresql")) == ON_POSTGRESQL
    uses_it = item.get_closest_marker("django_db") or {"django_db_setup", "new"} & {
        *item.fixturenames  # `new` is that of tests/hosts/
    }
    file = item.path.relative_to(Path(__file__).parent).as_posix()
    return bool(uses_it) and file.startswith(ON_BOTH_DATABASES)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist=loadscope`, run the tests of files with a long set-up in one process per file.

    pytest-xdist's own `loadgroup` does nothing with this version of pytest.
    """
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if file.endswith(OF_ONE_RELEASE):
                return "deploy"
            return file if file.endswith(SET_UP_ONCE) else nodeid

    return Scheduling(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Any:
    """Fail a test with a token in its output or log: the project must never print one."""
    report = yield
    for name, text in report.sections:
        if "eyJ" in text and "shows_tokens" not in item.keywords:
            report.outcome = "failed"
            report.longrepr = f"The {name.lower()} contains a token."
    return report


@pytest.fixture(scope="session")
def django_db_setup(
    request: Any, tmp_path_factory: Any, django_test_environment: None, django_db_blocker: Any
) -> Any:
    """Make the database. The processes of one run share the migrations, which take seconds."""
    shares = hasattr(request.config, "workerinput")  # in a process of pytest-xdist
    folder = tmp_path_factory.getbasetemp().parent if shares else tmp_path_factory.mktemp("schema")
    process = request.config.workerinput["workerid"] if shares else "alone"
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(copied(folder, process))
        yield
        with django_db_blocker.unblock():
            stack.close()


@pytest.fixture
def user(db: Any) -> Any:
    return UserFactory()


@pytest.fixture
def device(user: Any) -> Device:
    """A device that is signed in."""
    device = Device(user)
    assert device.log_in().status_code == 200
    return device


@pytest.fixture
def phone(user: Any) -> Device:
    """Another device of the same user."""
    phone = Device(user, HTTP_USER_AGENT="Phone/1.0")
    assert phone.log_in().status_code == 200
    return phone


@pytest.fixture
def browser(user: Any) -> Device:
    """A browser that has loaded a page and with it the CSRF cookie."""
    browser = Device(user, enforce_csrf_checks=True)
    browser.http.cookies["csrftoken"] = "a" * 32
    return browser


@pytest.fixture
def clock() -> Any:
    """A clock that stands still until the test moves it: `clock.shift(seconds)`.

    A flush reads it as the time of the database, too.
    """
    with (
        patch("token_blacklist.sessions.flush.database_time", timezone.now),
        time_machine.travel(datetime.now(UTC), tick=False) as time_traveler,
    ):
        yield time_traveler


@pytest.fixture
def verify_by_code(settings: Any) -> None:
    """Require verification of the e-mail address by a code, as outside DEBUG."""
    resolve("/admin/")  # loads the URLs first: with these settings they lack a page of other tests
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True


@pytest.fixture
def options(settings: Any) -> Any:
    """Set options of TOKEN_BLACKLIST for one test: `options(LEEWAY=timedelta(seconds=5))`."""

    def change(**changes: Any) -> None:
        settings.TOKEN_BLACKLIST = {**settings.TOKEN_BLACKLIST, **changes}

    return change
