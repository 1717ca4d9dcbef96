"""A thread's connection to PostgreSQL is kept between requests, and replaced if it broke."""

import pytest
from django.contrib.auth.models import Group
from django.db import close_old_connections, connection, connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper

from accounts.models import User

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def kept_connection():
    """Keep the connection between requests, as without DEBUG."""
    connection.close()
    before = connection.settings_dict["CONN_MAX_AGE"]
    connection.settings_dict["CONN_MAX_AGE"] = 600
    yield
    connection.settings_dict["CONN_MAX_AGE"] = before
    connection.close()


def ask(device):
    """Send a request; close old connections before and after it, as Django does in a server."""
    close_old_connections()
    status = device.me().status_code
    close_old_connections()
    return status, connection.connection.info.backend_pid


def end(backend):
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        assert cursor.fetchone()[0]
    other.close()


def test_a_kept_connection_serves_the_next_request_without_a_check_query(
    kept_connection, device, monkeypatch
):
    asked = []
    monkeypatch.setattr(DatabaseWrapper, "is_usable", asked.append)

    (first, backend), (second, same) = ask(device), ask(device)

    assert (first, second) == (200, 200)
    assert backend == same
    assert not asked


def test_a_connection_closed_by_the_server_is_replaced_without_an_error(kept_connection, device):
    _, backend = ask(device)
    end(backend)

    status, other = ask(device)

    assert status == 200
    assert other != backend


def test_a_connection_broken_during_a_request_is_replaced_for_the_next(kept_connection, device):
    _, backend = ask(device)

    def break_it(execute, *rest):
        end(backend)
        return execute(*rest)

    with connection.execute_wrapper(break_it):
        close_old_connections()
        assert device.me().status_code == 503
        close_old_connections()

    status, other = ask(device)
    assert status == 200
    assert other != backend


@pytest.fixture
def migrate():
    """Change a column's type, as the migration of the next release does."""
    length = User._meta.get_field("name").max_length

    def change(to):
        other = connections.create_connection("default")
        with other.cursor() as cursor:
            cursor.execute(f"ALTER TABLE accounts_user ALTER COLUMN name TYPE varchar({to})")
        other.close()

    yield lambda: change(length + 1)
    connection.close()
    change(length)


def test_a_migration_of_a_column_type_fails_no_request(kept_connection, device, migrate):
    for _ in range(8):  # until it is prepared
        ask(device)

    migrate()

    assert ask(device)[0] == 200


def test_a_stale_prepared_statement_in_a_transaction_fails_only_once(
    kept_connection, device, migrate
):
    for _ in range(8):
        list(User.objects.filter(pk=device.user.pk))
    migrate()

    with pytest.raises(Exception, match="cached plan"), transaction.atomic():
        list(User.objects.filter(pk=device.user.pk))

    close_old_connections()
    with transaction.atomic():
        assert list(User.objects.filter(pk=device.user.pk)) == [device.user]


def test_more_rows_than_the_parameter_limit_are_inserted_and_deleted():
    Group.objects.bulk_create(Group(name=f"group {number}") for number in range(2**16))

    Group.objects.all().delete()  # which first deletes what refers to them, by their keys

    assert not Group.objects.exists()
