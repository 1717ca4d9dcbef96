"""The database fails before or after each statement: no token is consumed.

The same request sent again has the result that it would have had without the fault.
"""

from contextlib import contextmanager
from http import HTTPStatus

import pytest
from django.db import OperationalError, connection, connections

from tests.support.devices import Device
from token_blacklist.models import BlacklistedToken, OutstandingToken

pytestmark = pytest.mark.django_db(transaction=True)


def cut_the_connection():
    """Close this connection on the server's side, as a restart does."""
    pid = connection.connection.info.backend_pid
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()


def fail():
    raise OperationalError("the disk is full")


@contextmanager
def fault(action, at, when):
    """Call `action` before or after the nth statement, counted from 1."""
    count = 0

    def wrapper(execute, sql, params, many, context):
        nonlocal count
        count += 1
        if count == at and when == "before":
            action()
        result = execute(sql, params, many, context)
        if count == at and when == "after":
            action()
            if action is cut_the_connection:
                fail()  # the answer on its way back is lost with the connection
        return result

    with connection.execute_wrapper(wrapper):
        yield
    assert count >= at, "the operation has fewer statements than that"


class Operations:
    """Each method returns (the request, a check that it succeeded)."""

    @staticmethod
    def login(device):
        return device.log_in, lambda: device.me().status_code == HTTPStatus.OK

    @staticmethod
    def refresh(device):
        old = device.refresh_token
        return (
            lambda: device.refresh(old),
            lambda: (
                OutstandingToken.objects.get(user=device.user).generation == 1
                and device.refresh().status_code == HTTPStatus.OK
            ),
        )

    @staticmethod
    def logout(device):
        return device.log_out, lambda: BlacklistedToken.objects.get().reason == "logout"

    @staticmethod
    def me(device):
        return device.me, lambda: device.refresh().status_code == HTTPStatus.OK

    @staticmethod
    def verify(device):
        return lambda: device.verify(
            device.refresh_token
        ), lambda: device.refresh().status_code == HTTPStatus.OK

    @staticmethod
    def logout_all(device):
        header = {"HTTP_AUTHORIZATION": f"Bearer {device.access}"}
        return lambda: device.http.delete(
            "/api/sessions/?all=true", **header
        ), lambda: BlacklistedToken.objects.get().reason == "logout_all"

    @staticmethod
    def password(device):
        phone = Device(device.user)
        phone.log_in()
        old = device.refresh_token
        return (
            lambda: device.change_password("another long sentence"),
            lambda: (
                phone.refresh().status_code == HTTPStatus.UNAUTHORIZED
                and Device(device.user).refresh(old).status_code == HTTPStatus.UNAUTHORIZED
                and device.refresh().status_code == HTTPStatus.OK
            ),
        )


STATEMENTS = [
    ("login", 1),
    ("login", 2),
    ("refresh", 1),
    ("logout", 1),
    *(("logout_all", at) for at in (1, 2)),
    *(("password", at) for at in (1, 2, 3, 4)),
    ("me", 1),
    ("verify", 1),
]


@pytest.mark.parametrize(
    "action", [fail, pytest.param(cut_the_connection, marks=pytest.mark.postgresql)]
)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("operation", "at"), STATEMENTS)
def test_the_same_request_succeeds_after_a_fault(device, operation, at, when, action):
    request, succeeded = getattr(Operations, operation)(device)

    with fault(action, at, when):
        answer = request()
    connection.close()

    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["code"] == "unavailable"
    assert answer["Retry-After"] == "1"
    again = request()
    assert again.status_code == HTTPStatus.OK
    assert succeeded()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_reuse_is_detected_after_a_fault_during_its_detection(device, at, when):
    oldest = device.refresh_token
    device.refresh()
    device.refresh()

    with fault(fail, at, when):
        assert device.refresh(oldest).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    connection.close()

    assert device.refresh(oldest).status_code == HTTPStatus.UNAUTHORIZED
    assert BlacklistedToken.objects.get().reason == "reuse"
    assert Device(device.user).refresh(device.refresh_token).status_code == HTTPStatus.UNAUTHORIZED
