"""Saving a new password does not overwrite fields that changed while it was hashed."""

import pytest
from django.contrib.auth.forms import SetPasswordMixin, SetUnusablePasswordMixin
from django.contrib.auth.hashers import make_password

import accounts.passwords
from accounts.models import User
from tests.support.codes import path_in
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory

NEW_PASSWORD = "a new long password"
RIGHTS = {"is_active": False, "is_staff": False, "is_superuser": False}


@pytest.fixture
def compromised_admin(db):
    """An administrator whose account an attacker is using."""
    return UserFactory(admin=True)


@pytest.fixture
def while_hashing(monkeypatch):
    """Call `do` after a flow has read the user and before it saves."""

    def arrange(do):
        done = []

        def once():
            if not done:
                done.append(True)
                do()

        def hash_late(raw):
            once()
            return make_password(raw)

        def late(save):
            def save_late(form, user, *args, **options):
                once()
                return save(form, user, *args, **options)

            return save_late

        monkeypatch.setattr(accounts.passwords, "make_password", hash_late)
        for form in (SetPasswordMixin, SetUnusablePasswordMixin):
            monkeypatch.setattr(form, "set_password_and_save", late(form.set_password_and_save))

    return arrange


def rights_of(user):
    return User.objects.filter(pk=user.pk).values(*RIGHTS).get()


def take_away_the_rights(user):
    User.objects.filter(pk=user.pk).update(**RIGHTS)


def demote(user):
    User.objects.filter(pk=user.pk).update(is_staff=False, is_superuser=False)


def passwords_of(user):
    return [
        word for word in (PASSWORD, NEW_PASSWORD, "another one") if fresh(user).check_password(word)
    ]


def fresh(user):
    return User.objects.get(pk=user.pk)


def change_elsewhere(user):
    other = fresh(user)
    other.set_password("another one")
    other.save()


def choose(client, link):
    """Submit the form of the reset link, and follow its redirects."""
    form = client.get(link, follow=True).redirect_chain[-1][0]
    return client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}, follow=True)


NO_LONGER = "invalid"  # the key for allauth's page of an invalid link


@pytest.mark.pages
class TestThePasswordReset:
    @pytest.fixture
    def link(self, client, compromised_admin, mailoutbox):
        client.post("/password/reset/", {"email": compromised_admin.email})
        return path_in(mailoutbox[0])

    def test_does_not_undo_a_deactivation(self, client, compromised_admin, link, while_hashing):
        while_hashing(lambda: take_away_the_rights(compromised_admin))

        assert NO_LONGER in choose(client, link).text
        assert rights_of(compromised_admin) == RIGHTS
        assert passwords_of(compromised_admin) == [PASSWORD]
        assert Device(compromised_admin).log_in(password=NEW_PASSWORD).status_code == 401

    def test_does_not_restore_removed_permissions(
        self, client, compromised_admin, link, while_hashing
    ):
        while_hashing(lambda: demote(compromised_admin))

        assert choose(client, link).redirect_chain
        assert rights_of(compromised_admin) == {**RIGHTS, "is_active": True}
        assert passwords_of(compromised_admin) == [NEW_PASSWORD]

    def test_does_not_undo_a_new_password(self, client, compromised_admin, link, while_hashing):
        while_hashing(lambda: change_elsewhere(compromised_admin))

        assert NO_LONGER in choose(client, link).text
        assert passwords_of(compromised_admin) == ["another one"]

    def test_does_not_recreate_a_deleted_account(
        self, client, compromised_admin, link, while_hashing
    ):
        while_hashing(lambda: fresh(compromised_admin).delete())

        assert NO_LONGER in choose(client, link).text
        assert not User.objects.filter(email=compromised_admin.email).exists()

    def test_is_refused_to_a_user_deactivated_after_the_link_was_sent(
        self, client, compromised_admin, link
    ):
        take_away_the_rights(compromised_admin)

        assert NO_LONGER in client.get(link, follow=True).text


class TestTheAdminsPasswordForms:
    @pytest.mark.parametrize(
        "form",
        [
            {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
            {"usable_password": "false", "unset-password": "yes"},
        ],
    )
    def test_do_not_undo_a_deactivation(self, admin_client, compromised_admin, while_hashing, form):
        while_hashing(lambda: take_away_the_rights(compromised_admin))

        answer = admin_client.post(f"/admin/accounts/user/{compromised_admin.pk}/password/", form)

        assert answer.status_code == 302
        assert rights_of(compromised_admin) == RIGHTS
        assert PASSWORD not in passwords_of(compromised_admin)

    @pytest.mark.pages
    def test_do_not_restore_removed_permissions_of_staff(
        self, client, compromised_admin, while_hashing
    ):
        device = Device(compromised_admin)
        device.log_in()
        client.force_login(compromised_admin)
        while_hashing(lambda: take_away_the_rights(compromised_admin))

        answer = client.post(
            "/password/change/",
            {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        )

        assert answer.status_code == 302
        assert rights_of(compromised_admin) == RIGHTS
        assert passwords_of(compromised_admin) == [PASSWORD]
        assert device.refresh().status_code == 401
