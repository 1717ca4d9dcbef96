"""People, devices and the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from .devices import Device
from .factories import UserFactory


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Any:
    """Fail a test in whose output or log a token stands: nothing here may ever print one."""
    report = yield
    for name, text in report.sections:
        if "eyJ" in text and "shows_tokens" not in item.keywords:
            report.outcome = "failed"
            report.longrepr = f"A token stands in the {name.lower()}."
    return report


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
    """The same person's other device."""
    phone = Device(user, HTTP_USER_AGENT="Phone/1.0")
    assert phone.log_in().status_code == 200
    return phone


@pytest.fixture
def clock() -> Any:
    """A clock that stands still until the test moves it: `clock.shift(seconds)`."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def options(settings: Any) -> Any:
    """Set options of TOKEN_BLACKLIST for one test: `options(LEEWAY=timedelta(seconds=5))`."""

    def change(**changes: Any) -> None:
        settings.TOKEN_BLACKLIST = {**settings.TOKEN_BLACKLIST, **changes}

    return change
