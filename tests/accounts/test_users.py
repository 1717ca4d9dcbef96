"""A user who is deactivated or deleted is signed out everywhere, and stays so."""

from http import HTTPStatus

import pytest

from accounts.models import User
from tests.support.devices import Device
from tests.support.factories import OutstandingTokenFactory, UserFactory
from tests.support.statements import statements
from token_blacklist.models import BlacklistedToken, OutstandingToken


def reasons():
    return set(BlacklistedToken.objects.values_list("reason", flat=True))


def save(user, **fields):
    user.is_active = False
    user.save(**fields)


DEACTIVATIONS = {
    "save": save,
    "save that field": lambda user: save(user, update_fields=["is_active"]),
    "update_or_create": lambda user: User.objects.update_or_create(
        pk=user.pk, defaults={"is_active": False}
    ),
}
DELETIONS = {
    "the user": lambda user: user.delete(),
    "a queryset": lambda user: User.objects.filter(email=user.email).delete(),
    "an ordered queryset": lambda user: User.objects.order_by("email").all().delete(),
}


@pytest.fixture
def admin_form(admin_client):
    def submit(user, **changes):
        fields = {"email": user.email, "name": user.name, "is_active": "on", **changes}
        fields = {name: value for name, value in fields.items() if value is not None}
        answer = admin_client.post(f"/admin/accounts/user/{user.pk}/change/", fields)
        assert answer.status_code == HTTPStatus.FOUND

    return submit


@pytest.mark.parametrize("deactivate", DEACTIVATIONS.values(), ids=DEACTIVATIONS)
def test_sessions_revoked_by_a_deactivation_stay_revoked_after_reactivation(
    user, device, phone, deactivate
):
    deactivate(user)
    assert device.me().status_code == HTTPStatus.UNAUTHORIZED
    assert reasons() == {"deactivated"}

    user.refresh_from_db()
    user.is_active = True
    user.save()

    assert device.me().status_code == phone.refresh().status_code == HTTPStatus.UNAUTHORIZED
    assert device.log_in().status_code == HTTPStatus.OK
    assert device.me().status_code == HTTPStatus.OK


def test_deactivating_one_user_does_not_affect_others(user, device):
    other = Device(UserFactory())
    other.log_in()

    save(user)

    assert other.refresh().status_code == other.me().status_code == HTTPStatus.OK


def test_deactivation_in_the_admins_form_revokes_the_sessions(user, device, admin_form):
    admin_form(user, name="Still here")
    assert device.me().status_code == HTTPStatus.OK

    admin_form(user, is_active=None)

    assert reasons() == {"deactivated"}
    assert device.refresh().json()["code"] == "no_active_account"


@pytest.mark.parametrize("delete", DELETIONS.values(), ids=DELETIONS)
def test_a_deleted_users_tokens_are_refused_for_a_new_user_with_the_same_id_and_address(
    user, device, delete
):
    delete(user)
    assert device.me().status_code == HTTPStatus.UNAUTHORIZED
    assert reasons() == {"deactivated"}

    UserFactory(pk=device.user.pk or OutstandingToken.objects.get().pk, email=user.email)

    assert device.refresh().status_code == device.me().status_code == HTTPStatus.UNAUTHORIZED


def test_a_failed_deletion_revokes_no_session(user, device, monkeypatch):
    monkeypatch.setattr("django.db.models.deletion.Collector.delete", lambda self: 1 / 0)

    for delete in (user.delete, User.objects.filter(pk=user.pk).delete):
        with pytest.raises(ZeroDivisionError):
            delete()

    assert device.me().status_code == HTTPStatus.OK


class TestStatements:
    def test_of_a_deactivation_is_one_insert_for_any_number_of_sessions(self, user, device):
        OutstandingTokenFactory.create_batch(30, user=user)

        with statements("UPDATE", "INSERT"):
            save(user)


def test_a_name_change_does_not_undo_a_concurrent_deactivation_or_password_change(
    device, monkeypatch
):
    def overtaken(serializer, value):
        User.objects.update(is_active=False, password="!")
        return value

    monkeypatch.setattr("accounts.serializers.MeSerializer.validate_name", overtaken, raising=False)

    device.http.patch("/api/me/", {"name": "Ada"}, format="json", **device.bearer)

    user = User.objects.get()
    assert (user.name, user.is_active, user.password) == ("Ada", False, "!")
