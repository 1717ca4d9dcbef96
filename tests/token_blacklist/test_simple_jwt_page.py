"""Each statement of Simple JWT's documentation of its blacklist app, tested with this app."""

import os
import subprocess
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from tests.support.curl import path_with_curl
from tests.support.devices import user_id_claim
from tests.support.factories import BlacklistedTokenFactory, OutstandingTokenFactory, UserFactory
from token_blacklist.exceptions import TokenError
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.tokens import BlacklistMixin, RefreshToken, SlidingToken

pytestmark = pytest.mark.django_db


def test_to_use_the_app_include_it_in_installed_apps(settings):
    assert "token_blacklist" in settings.INSTALLED_APPS
    assert apps.is_installed("token_blacklist")


def test_migrate_runs_the_apps_migrations():
    tables = connection.introspection.table_names()

    assert {OutstandingToken._meta.db_table, BlacklistedToken._meta.db_table} <= set(tables)
    assert OutstandingToken._meta.db_table == "token_blacklist_outstandingtoken"
    assert BlacklistedToken._meta.db_table == "token_blacklist_blacklistedtoken"


@pytest.mark.parametrize("token_class", [RefreshToken, SlidingToken])
def test_generated_refresh_and_sliding_tokens_are_added_to_the_outstanding_list(user, token_class):
    token = token_class.for_user(user)

    record = OutstandingToken.objects.get()
    assert (record.user, record.jti) == (user, token["jti"])
    assert record.expires_at.timestamp() == token["exp"]


@pytest.mark.parametrize("token_class", [RefreshToken, SlidingToken])
def test_a_token_in_the_blacklist_is_not_considered_valid(user, token_class):
    encoded = str(token_class.for_user(user))
    token_class(encoded)
    BlacklistedTokenFactory(token=OutstandingToken.objects.get())

    with pytest.raises(TokenError, match="blacklisted"):
        token_class(encoded)


@pytest.mark.admin
def test_the_lists_are_two_models_and_both_have_admins():
    assert admin.site.is_registered(OutstandingToken)
    assert admin.site.is_registered(BlacklistedToken)


@pytest.mark.admin
def test_adding_a_blacklisted_token_in_the_admin_blacklists_the_token(client, device):
    support = UserFactory(admin=True)
    client.force_login(support)
    record = OutstandingToken.objects.get(user=device.user)
    listed = client.get("/admin/token_blacklist/outstandingtoken/", {"q": record.jti})
    assert record.session_id in listed.content.decode()

    answer = client.post("/admin/token_blacklist/blacklistedtoken/add/", {"token": record.pk})

    assert answer.status_code == HTTPStatus.FOUND
    entry = BlacklistedToken.objects.get()
    assert (entry.token, entry.reason, entry.blacklisted_by) == (record, "admin", support)
    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED


def test_the_blacklist_method_of_a_mixin_instance_blacklists_the_token(user):
    encoded = str(RefreshToken.for_user(user))
    token = RefreshToken(encoded)
    assert isinstance(token, BlacklistMixin)

    token.blacklist()

    with pytest.raises(TokenError):
        RefreshToken(encoded)


def test_blacklisting_creates_unique_outstanding_and_blacklist_records_for_the_jti(user):
    token = RefreshToken()
    token["user_id"] = user_id_claim(user)

    (first, is_new), (again, is_new_again) = token.blacklist(), token.blacklist()

    assert first == again
    assert (is_new, is_new_again) == (True, False)
    record = OutstandingToken.objects.get()
    assert (record.jti, record.user) == (token["jti"], user)
    assert BlacklistedToken.objects.get().token == record


def test_the_jti_is_read_from_the_claim_named_by_jti_claim(user, options):
    options(JTI_CLAIM="id")

    token = RefreshToken.for_user(user)

    assert "jti" not in token
    assert OutstandingToken.objects.get().jti == token["id"]
    token.blacklist()
    with pytest.raises(TokenError):
        RefreshToken(str(token))


def test_api_users_blacklist_a_token_by_sending_it_to_the_view(device):
    assert device.log_out().json() == {}

    assert (
        BlacklistedToken.objects.get().token.jti
        == RefreshToken(device.refresh_token, verify=False)["jti"]
    )
    assert device.refresh().status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.django_db(transaction=True)
@pytest.mark.process
def test_the_curl_call_of_the_page_blacklists_a_token(live_server, tmp_path):
    token = RefreshToken.for_user(UserFactory())
    call = f"""
        curl \\
          -X POST \\
          -H "Content-Type: application/json" \\
          -d '{{"refresh":"{token}"}}' \\
          {live_server.url}/api/token/blacklist/
    """

    answer = subprocess.run(
        ["sh", "-c", call],
        env={**os.environ, "PATH": path_with_curl(tmp_path)},
        capture_output=True,
        check=True,
        timeout=20,
    )

    assert answer.stdout == b"{}"
    assert BlacklistedToken.objects.get().token.jti == token["jti"]


def test_flushexpiredtokens_deletes_expired_tokens_from_both_lists(capsys):
    live = BlacklistedTokenFactory().token
    OutstandingTokenFactory(expired=True)
    BlacklistedTokenFactory(token__expired=True)

    call_command("flushexpiredtokens")

    assert OutstandingToken.objects.get() == live
    assert BlacklistedToken.objects.get().token == live
    assert "Deleted 2 expired tokens and 1 blacklist records in" in capsys.readouterr().out


def test_the_flush_keeps_tokens_that_the_leeway_still_accepts(options):
    options(LEEWAY=timedelta(seconds=60))
    OutstandingTokenFactory(expires_at=timezone.now() - timedelta(seconds=30))

    call_command("flushexpiredtokens")

    assert OutstandingToken.objects.exists()
