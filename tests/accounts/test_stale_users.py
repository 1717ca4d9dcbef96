"""What changed while a new password was hashed is not written back with the password."""

import pytest
from django.contrib.auth.forms import SetPasswordMixin, SetUnusablePasswordMixin
from django.contrib.auth.hashers import make_password

import accounts.passwords
from accounts.models import User
from tests.support.codes import path_in
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory

NEW = "a new long password"
RIGHTS = {"is_active": False, "is_staff": False, "is_superuser": False}


@pytest.fixture
def suspect(db):
    """An administrator whose account a thief is using."""
    return UserFactory(admin=True)


@pytest.fixture
def while_hashing(monkeypatch):
    """Do something between the moment a flow has read the user and the moment it saves."""

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
    return [word for word in (PASSWORD, NEW, "another one") if fresh(user).check_password(word)]


def fresh(user):
    return User.objects.get(pk=user.pk)


def change_elsewhere(user):
    other = fresh(user)
    other.set_password("another one")
    other.save()


def choose(client, link):
    """Send the form of the link, and follow where it leads."""
    form = client.get(link, follow=True).redirect_chain[-1][0]
    return client.post(form, {"password1": NEW, "password2": NEW}, follow=True)


NO_LONGER = "invalid"  # of allauth's page


class TestThePasswordReset:
    @pytest.fixture
    def link(self, client, suspect, mailoutbox):
        client.post("/password/reset/", {"email": suspect.email})
        return path_in(mailoutbox[0])

    def test_does_not_undo_a_deactivation(self, client, suspect, link, while_hashing):
        while_hashing(lambda: take_away_the_rights(suspect))

        assert NO_LONGER in choose(client, link).text
        assert rights_of(suspect) == RIGHTS
        assert passwords_of(suspect) == [PASSWORD]
        assert Device(suspect).log_in(password=NEW).status_code == 401

    def test_does_not_give_rights_back(self, client, suspect, link, while_hashing):
        while_hashing(lambda: demote(suspect))

        assert choose(client, link).redirect_chain
        assert rights_of(suspect) == {**RIGHTS, "is_active": True}
        assert passwords_of(suspect) == [NEW]

    def test_does_not_undo_a_new_password(self, client, suspect, link, while_hashing):
        while_hashing(lambda: change_elsewhere(suspect))

        assert NO_LONGER in choose(client, link).text
        assert passwords_of(suspect) == ["another one"]

    def test_does_not_bring_a_deleted_account_back(self, client, suspect, link, while_hashing):
        while_hashing(lambda: fresh(suspect).delete())

        assert NO_LONGER in choose(client, link).text
        assert not User.objects.filter(email=suspect.email).exists()

    def test_is_refused_to_who_was_deactivated_since_the_link_was_sent(self, client, suspect, link):
        take_away_the_rights(suspect)

        assert NO_LONGER in client.get(link, follow=True).text


class TestTheAdminsPasswordForms:
    @pytest.mark.parametrize(
        "form",
        [
            {"usable_password": "true", "password1": NEW, "password2": NEW},
            {"usable_password": "false", "unset-password": "yes"},
        ],
    )
    def test_do_not_undo_a_deactivation(self, admin_client, suspect, while_hashing, form):
        while_hashing(lambda: take_away_the_rights(suspect))

        answer = admin_client.post(f"/admin/accounts/user/{suspect.pk}/password/", form)

        assert answer.status_code == 302
        assert rights_of(suspect) == RIGHTS
        assert PASSWORD not in passwords_of(suspect)

    def test_do_not_give_staff_back_the_rights_that_they_had(self, client, suspect, while_hashing):
        device = Device(suspect)
        device.log_in()
        client.force_login(suspect)
        while_hashing(lambda: take_away_the_rights(suspect))

        answer = client.post(
            "/password/change/",
            {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW},
        )

        assert answer.status_code == 302
        assert rights_of(suspect) == RIGHTS
        assert passwords_of(suspect) == [PASSWORD]
        assert device.refresh().status_code == 401

    @pytest.mark.parametrize("page", ["accounts/user/add/", "accounts/user/{pk}/password/"])
    def test_list_the_rules_and_no_empty_one(self, admin_client, admin_user, page):
        answer = admin_client.get("/admin/" + page.format(pk=admin_user.pk), follow=True)

        assert answer.status_code == 200
        assert answer.text.count("<li>Your password can") == 3
        assert "<li></li>" not in answer.text
