"""What was changed since a user was read is not written back with the user."""

import pytest
from django.contrib.auth.forms import SetPasswordMixin
from django.contrib.auth.management.commands import changepassword
from django.core.management import call_command
from django.db import DatabaseError, transaction

from accounts.admin import UserAdmin
from accounts.models import User
from accounts.revocation import StaleUser
from tests.accounts.test_password_reset import ask, choose, link_in
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory

NEW = "a new long password"
RIGHTS = {"is_active": False, "is_staff": False, "is_superuser": False}


@pytest.fixture
def suspect(db):
    """An administrator whose account a thief is using."""
    return UserFactory(admin=True)


@pytest.fixture
def while_saving(monkeypatch):
    """Do something between the moment a form has read the user and the moment it saves."""

    def arrange(do):
        save = SetPasswordMixin.set_password_and_save

        def late(form, user, *args, **options):
            do()
            return save(form, user, *args, **options)

        monkeypatch.setattr(SetPasswordMixin, "set_password_and_save", late)

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


class TestThePasswordReset:
    @pytest.fixture
    def link(self, client, suspect, mailoutbox):
        ask(client, suspect.email)
        return link_in(mailoutbox[0])

    def test_does_not_undo_a_deactivation(self, client, suspect, link, while_saving):
        while_saving(lambda: take_away_the_rights(suspect))

        answer = choose(client, link, NEW)

        assert answer.status_code == 200
        assert "This link no longer works" in answer.text
        assert rights_of(suspect) == RIGHTS
        assert passwords_of(suspect) == [PASSWORD]
        assert Device(suspect).log_in(password=NEW).status_code == 401

    def test_does_not_give_rights_back(self, client, suspect, link, while_saving):
        while_saving(lambda: demote(suspect))

        assert choose(client, link, NEW).status_code == 302
        assert rights_of(suspect) == {**RIGHTS, "is_active": True}
        assert passwords_of(suspect) == [NEW]

    def test_does_not_undo_a_new_password(self, client, suspect, link, while_saving):
        while_saving(lambda: change_elsewhere(suspect))

        assert "This link no longer works" in choose(client, link, NEW).text
        assert passwords_of(suspect) == ["another one"]

    def test_does_not_bring_a_deleted_account_back(self, client, suspect, link, while_saving):
        while_saving(lambda: fresh(suspect).delete())

        assert "This link no longer works" in choose(client, link, NEW).text
        assert not User.objects.filter(email=suspect.email).exists()

    def test_is_refused_to_who_was_deactivated_since_the_link_was_sent(self, client, suspect, link):
        take_away_the_rights(suspect)

        assert "This link no longer works" in client.get(link, follow=True).text


class TestTheAdminsPasswordForm:
    def change(self, client, user):
        return client.post(
            f"/admin/accounts/user/{user.pk}/password/",
            {"usable_password": "true", "password1": NEW, "password2": NEW},
            follow=True,
        )

    def test_does_not_undo_a_deactivation(self, admin_client, suspect, while_saving):
        while_saving(lambda: take_away_the_rights(suspect))

        answer = self.change(admin_client, suspect)

        assert answer.redirect_chain[0][0] == f"/admin/accounts/user/{suspect.pk}/password/"
        assert "The account was changed at the same time." in answer.text
        assert rights_of(suspect) == RIGHTS
        assert passwords_of(suspect) == [PASSWORD]

    def test_gives_a_deactivated_user_a_new_password(self, admin_client, suspect):
        take_away_the_rights(suspect)

        self.change(admin_client, suspect)

        assert rights_of(suspect) == RIGHTS
        assert passwords_of(suspect) == [NEW]

    def test_of_the_admins_own_is_400_where_another_was_quicker(
        self, admin_client, admin_user, while_saving
    ):
        admin_user.set_password(PASSWORD)
        admin_user.save()
        admin_client.force_login(admin_user)
        while_saving(lambda: change_elsewhere(admin_user))

        answer = admin_client.post(
            "/admin/password_change/",
            {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW},
        )

        assert answer.status_code == 400
        assert passwords_of(admin_user) == ["another one"]


def test_the_command_does_not_give_rights_back(suspect, monkeypatch, capsys):
    def type_slowly(*args, **kwargs):
        demote(suspect)
        return NEW

    monkeypatch.setattr(changepassword.getpass, "getpass", type_slowly)

    call_command("changepassword", suspect.email)

    assert rights_of(suspect) == {**RIGHTS, "is_active": True}
    assert passwords_of(suspect) == [NEW]


def test_the_admins_form_writes_what_it_changed_alone(admin_client, suspect, monkeypatch):
    save = UserAdmin.save_model

    def late(self, request, obj, form, change):
        take_away_the_rights(suspect)
        save(self, request, obj, form, change)

    monkeypatch.setattr(UserAdmin, "save_model", late)
    form = {"email": suspect.email, "name": "Ada", "is_active": "on", "is_staff": "on"}

    answer = admin_client.post(
        f"/admin/accounts/user/{suspect.pk}/change/", {**form, "is_superuser": "on"}
    )

    assert answer.status_code == 302
    assert rights_of(suspect) == RIGHTS
    assert fresh(suspect).name == "Ada"


class TestSaving:
    def test_writes_what_was_changed_alone(self, suspect):
        mine = fresh(suspect)
        take_away_the_rights(suspect)

        mine.name = "Ada"
        mine.save()

        assert rights_of(suspect) == RIGHTS
        assert fresh(suspect).name == "Ada"

    def test_writes_again_what_was_changed_twice(self, suspect):
        mine = fresh(suspect)
        for name in ("Ada", "Grace", "Ada"):
            mine.name = name
            mine.save()
            assert fresh(suspect).name == name

    def test_a_password_that_was_set_before_another_field_was_read_is_still_new(self, suspect):
        device = Device(suspect)
        device.log_in()
        mine = fresh(suspect)
        mine.set_password(NEW)
        mine.refresh_from_db(fields=["name"])

        mine.save()

        assert passwords_of(suspect) == [NEW]
        assert device.me().status_code == 401

    def test_a_password_replaces_the_one_that_was_read(self, suspect):
        mine = fresh(suspect)
        change_elsewhere(suspect)

        mine.set_password(NEW)
        with pytest.raises(StaleUser):
            mine.save()

        assert passwords_of(suspect) == ["another one"]

    def test_does_not_bring_a_deleted_user_back(self, suspect):
        mine = fresh(suspect)
        suspect.delete()

        mine.name = "Ada"
        with pytest.raises(DatabaseError), transaction.atomic():
            mine.save()

        assert not User.objects.filter(email=mine.email).exists()

    def test_a_copy_is_a_row_of_its_own(self, suspect):
        mine = fresh(suspect)
        mine.pk, mine.email = None, "copy@example.com"
        mine.save()

        assert fresh(mine).is_superuser
        assert mine.pk != suspect.pk
