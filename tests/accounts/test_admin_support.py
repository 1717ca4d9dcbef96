"""The user page of the admin for a member of the group Support."""

import html
import re
from importlib import import_module
from types import SimpleNamespace

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from tests.support.devices import Device
from tests.support.factories import OutstandingTokenFactory, UserFactory
from token_blacklist.models import OutstandingToken

migration = import_module("accounts.migrations.0003_support_group")
RIGHTS = {
    "accounts.view_user",
    "accounts.send_password_link",
    "token_blacklist.view_outstandingtoken",
    "token_blacklist.view_blacklistedtoken",
    "token_blacklist.add_blacklistedtoken",
}


def rights(group):
    found = group.permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in found}


def staff(*names):
    """Return a client of a staff user with these permissions."""
    staff = UserFactory(is_staff=True)
    staff.user_permissions.set(
        Permission.objects.get(content_type__app_label=app, codename=codename)
        for app, _dot, codename in (name.partition(".") for name in names)
    )
    client = Client()
    client.force_login(staff)
    client.staff = staff
    return client


@pytest.fixture
def support(db):
    """A member of the group that the migration creates."""
    Group.objects.filter(name="Support").delete()
    migration.make_group(apps, SimpleNamespace(connection=connection))
    client = staff()
    client.staff.groups.add(Group.objects.get(name="Support"))
    return client


def page_of(user):
    return f"/admin/accounts/user/{user.pk}/change/"


def link_of(user):
    return f"/admin/accounts/user/{user.pk}/send-password-link/"


def said(answer):
    return [str(message) for message in answer.context["messages"]]


class TestTheGroup:
    def test_the_group_has_exactly_the_permissions_that_support_needs(self, support):
        assert rights(Group.objects.get(name="Support")) == RIGHTS

    def test_an_existing_group_of_that_name_keeps_its_permissions(self, db):
        Group.objects.filter(name="Support").delete()
        group = Group.objects.create(name="Support")

        migration.make_group(apps, SimpleNamespace(connection=connection))

        assert Group.objects.get(name="Support") == group
        assert not rights(group)

    @pytest.mark.slow
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("is_empty", [True, False])
    def test_migrate_creates_it_in_a_new_and_in_an_existing_database(self, is_empty):
        before = [("accounts", "0002_user_signed_out_at")]
        last = MigrationExecutor(connection).loader.graph.leaf_nodes("accounts")
        Group.objects.filter(name="Support").delete()
        MigrationExecutor(connection).migrate(before)
        Permission.objects.filter(codename="send_password_link").delete()
        if is_empty:  # Django creates permissions after the last migration
            Permission.objects.all().delete()

        executor = MigrationExecutor(connection)
        executor.migrate(last)
        for config in apps.get_app_configs():
            create_permissions(config, verbosity=0)

        expected = RIGHTS | {"post_office.view_email"}
        assert rights(Group.objects.get(name="Support")) == expected
        names = Permission.objects.values_list("content_type", "codename")
        assert len(names) == len(set(names))
        name = Permission.objects.get(codename="add_blacklistedtoken").name
        assert name == "Can add ended session"


class TestSessions:
    def buttons(self, client, user):
        found = re.findall(r'formaction="([^"]*/end/[^"]*)"', client.get(page_of(user)).text)
        return [html.unescape(action) for action in found]

    def test_each_has_a_link_and_an_end_button_that_returns_to_the_user(self, support, user):
        records = [
            OutstandingTokenFactory(user=user, user_agent="curl/8.0", ip_address=f"192.0.2.{n}")
            for n in (1, 2)
        ]
        other = OutstandingTokenFactory()

        text = support.get(page_of(user)).text
        actions = self.buttons(support, user)
        answer = support.post(actions[0], follow=True)

        for record in records:
            assert f"/outstandingtoken/{record.pk}/change/" in text
        assert len(actions) == 2
        assert answer.redirect_chain == [(page_of(user), 302)]
        assert f"Ended the session of {user.email}: curl" in said(answer)[0]
        assert OutstandingToken.objects.live().filter(user=user).count() == 1
        assert OutstandingToken.objects.live().filter(pk=other.pk).exists()

    def test_the_buttons_are_outside_the_form_of_the_user(self, user):
        """The Enter key in a field presses the first button of its form."""
        OutstandingTokenFactory(user=user)
        client = Client()
        client.force_login(UserFactory(admin=True))

        text = client.get(page_of(user)).text

        buttons = re.findall(r"<button[^>]*formaction[^>]*>", text)
        assert len(buttons) == 2
        assert all('form="user-actions"' in button for button in buttons)
        assert '<form id="user-actions" method="post" hidden>' in text

    @pytest.mark.parametrize("kind", [{"is_staff": True}, {"admin": True}])
    def test_only_superusers_see_end_buttons_for_staff(self, support, kind):
        colleague = UserFactory(**kind)
        record = OutstandingTokenFactory(user=colleague)
        superuser = Client()
        superuser.force_login(UserFactory(admin=True))

        text = support.get(page_of(colleague)).text

        assert f"/outstandingtoken/{record.pk}/change/" in text
        assert "End session" not in text
        assert "Sign out everywhere" not in text
        assert "Sign out everywhere" in superuser.get(page_of(colleague)).text

    def test_sign_out_everywhere_returns_to_the_user(self, support, user):
        OutstandingTokenFactory.create_batch(2, user=user)
        text = support.get(page_of(user)).text
        address = html.unescape(re.search(r'href="([^"]*end/\?user=[^"]*)"', text)[1])

        assert support.get(address).context["sessions"] == 2
        answer = support.post(address, {"confirmed": "yes"}, follow=True)

        assert answer.redirect_chain == [(page_of(user), 302)]
        assert said(answer) == [f"Ended 2 sessions of {user.email}."]
        assert not OutstandingToken.objects.live().filter(user=user).exists()


IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
DEVICES = {
    "safari": f"{IPHONE} Version/17.0 Mobile/15E148 Safari/604.1",
    "chrome": f"{IPHONE} CriOS/120.0 Mobile/15E148 Safari/604.1",
    "edge": "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/120 Safari/537.36 Edg/120",
}


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("iPhone", {"safari", "chrome"}),
        ("Safari on iOS", {"safari"}),
        ("Firefox", set()),
    ],
)
def test_a_device_is_found_by_its_name_in_the_list(support, term, found):
    records = {name: OutstandingTokenFactory(user_agent=agent) for name, agent in DEVICES.items()}

    answer = support.get("/admin/token_blacklist/outstandingtoken/", {"q": term})

    assert set(answer.context["cl"].result_list) == {records[name] for name in found}


class TestAPasswordResetLink:
    @pytest.mark.pages
    def test_the_user_gets_the_email_of_the_reset_page_and_it_is_logged(self, support, user):
        assert link_of(user) in support.get(page_of(user)).text
        answer = support.post(link_of(user), follow=True)

        assert answer.redirect_chain == [(page_of(user), 302)]
        assert said(answer) == [f"Sent a link for a new password to {user.email}."]
        (email,) = mail.outbox
        assert email.to == [user.email]
        link = re.search(r"http://testserver(/password/reset/\S+)", email.body)[1]
        assert Client().get(link, follow=True).status_code == 200
        assert link not in answer.text
        entry = LogEntry.objects.get()
        assert (entry.user, entry.object_id) == (support.staff, str(user.pk))
        assert entry.change_message == "Sent a link for a new password."

    @pytest.mark.parametrize(
        "others",
        [(), ("accounts.send_password_link",), ("accounts.view_user", "accounts.change_user")],
    )
    def test_the_action_needs_its_permission(self, user, others):
        client = staff(*others)

        assert client.post(link_of(user)).status_code == 403
        assert not mail.outbox
        assert not LogEntry.objects.exists()
        if len(others) > 1:
            assert link_of(user) not in client.get(page_of(user)).text

    def test_the_action_needs_a_post(self, support, user):
        assert support.get(link_of(user)).status_code in {403, 405}
        assert not mail.outbox

    @pytest.mark.parametrize("kind", [{"is_active": False}, {"password": "!"}])
    def test_a_user_who_cannot_reset_the_password_gets_no_link(self, support, kind):
        user = UserFactory()
        type(user).objects.filter(pk=user.pk).update(**kind)

        assert link_of(user) not in support.get(page_of(user)).text
        answer = support.post(link_of(user), follow=True)

        assert said(answer) == ["No link is sent to an inactive user or one without a password."]
        assert not mail.outbox

    @pytest.mark.pages
    def test_it_shares_its_rate_limit_with_the_reset_page(self, support, user, settings):
        settings.ACCOUNT_RATE_LIMITS = {"reset_password": "100/h/ip,2/h/key"}
        Client().post("/password/reset/", {"email": user.email})
        answers = [support.post(link_of(user), follow=True) for _ in range(2)]

        assert [said(answer)[0].startswith("Too many attempts") for answer in answers] == [
            False,
            True,
        ]
        assert len(mail.outbox) == 2


SECRET = "JBSWY3DPEHPK3PXP"
FACTORS = {
    "totp": {"secret": SECRET},
    "webauthn": {"name": "Work laptop", "credential": {"id": "a-credential"}},
    "recovery_codes": {"seed": "a-seed-of-codes", "used_mask": 0},
}


def with_factors(user, *types):
    for each in types or FACTORS:
        Authenticator.objects.create(user=user, type=each, data=FACTORS[each])
    return user


def removal_of(user):
    return f"/admin/accounts/user/{user.pk}/remove-second-factor/"


class TestHowAUserSignsIn:
    def test_the_page_shows_addresses_factors_and_accounts(self, support, user):
        with_factors(user)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        EmailAddress.objects.create(user=user, email="next@example.com")
        account = SocialAccount.objects.create(user=user, provider="google", uid="1234567")
        SocialToken.objects.create(account=account, token="a-social-token")

        text = support.get(page_of(user)).text

        assert f"{user.email}: verified" in text
        assert "next@example.com: not verified" in text
        for shown in ("Authenticator app", "Passkey “Work laptop”", "Recovery codes", "1234567"):
            assert shown in text
        for secret in (SECRET, "a-credential", "a-seed-of-codes", "a-social-token"):
            assert secret not in text


class TestALostSecondFactor:
    @pytest.fixture
    def helper(self, db):
        return staff("accounts.view_user", "accounts.remove_second_factor")

    def test_it_is_removed_after_a_confirmation_and_the_user_gets_an_email(self, helper, user):
        with_factors(user)
        other = with_factors(UserFactory(), "totp")

        assert removal_of(user) in helper.get(page_of(user)).text
        question = helper.get(removal_of(user))
        assert "Authenticator app" in question.text
        assert SECRET not in question.text
        answer = helper.post(removal_of(user), follow=True)

        assert answer.redirect_chain == [(page_of(user), 302)]
        assert said(answer) == [f"Removed the second factor of {user.email}."]
        assert set(Authenticator.objects.values_list("user", flat=True)) == {other.pk}
        (email,) = mail.outbox
        assert email.to == [user.email]
        assert "removed the second factor" in email.body
        assert "127.0.0.1" not in email.body  # the address of support
        entry = LogEntry.objects.get()
        assert (entry.user, entry.object_id) == (helper.staff, str(user.pk))
        assert entry.change_message == "Removed the second factor."
        assert Device(user).log_in().status_code == 200

    def test_one_already_removed_by_another_request_is_neither_logged_nor_mailed(
        self, helper, user
    ):
        answer = helper.post(removal_of(user), follow=True)

        assert said(answer) == ["This user has no second factor."]
        assert not mail.outbox
        assert not LogEntry.objects.exists()

    @pytest.mark.parametrize("kind", [{"is_staff": True}, {"admin": True}])
    def test_only_a_superuser_removes_that_of_staff(self, helper, kind):
        colleague = with_factors(UserFactory(**kind))
        superuser = Client()
        superuser.force_login(UserFactory(admin=True))

        assert removal_of(colleague) not in helper.get(page_of(colleague)).text
        assert helper.get(removal_of(colleague)).status_code == 403
        assert helper.post(removal_of(colleague)).status_code == 403
        assert Authenticator.objects.filter(user=colleague).count() == 3
        assert superuser.post(removal_of(colleague)).status_code == 302
        assert not Authenticator.objects.filter(user=colleague).exists()

    @pytest.mark.parametrize(
        "others", [(), ("accounts.remove_second_factor",), ("accounts.view_user",)]
    )
    def test_the_action_needs_its_permission(self, user, others):
        with_factors(user)
        client = staff(*others)

        for ask in (client.get, client.post):
            assert ask(removal_of(user)).status_code == 403
        assert Authenticator.objects.filter(user=user).count() == 3

    def test_the_group_support_has_no_permission_for_it(self, support, user):
        with_factors(user)

        assert removal_of(user) not in support.get(page_of(user)).text
        assert support.post(removal_of(user)).status_code == 403


class TestANewAddress:
    def change(self, user, email):
        client = Client()
        client.force_login(UserFactory(admin=True))
        data = {"email": email, "name": user.name, "is_active": "on"}
        assert client.post(page_of(user), data).status_code == 302

    @pytest.mark.pages
    def test_entered_by_support_replaces_all_others_and_is_not_verified(self, user):
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        before = user.email

        self.change(user, "New@example.com")

        rows = EmailAddress.objects.filter(user=user).values_list("email", "verified", "primary")
        assert list(rows) == [("new@example.com", False, True)]
        Client().post("/password/reset/", {"email": before})
        assert not [email for email in mail.outbox if "/password/reset/key" in email.body]
        Client().post("/password/reset/", {"email": "new@example.com"})
        assert mail.outbox[-1].to == ["new@example.com"]

    def test_the_same_address_stays_verified(self, user):
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)

        self.change(user, user.email)

        assert EmailAddress.objects.get(user=user).verified


def test_support_cannot_write_users_or_get_into_their_accounts(support, user):
    password = {"password1": "a new 4 words phrase", "password2": "a new 4 words phrase"}
    device = Device(user)
    assert device.log_in().status_code == 200

    for path, data in {
        f"{user.pk}/change/": {"email": "thief@example.com"},
        f"{user.pk}/password/": password,
        f"{user.pk}/delete/": {"post": "yes"},
        "add/": {"email": "new@example.com", **password},
    }.items():
        assert support.post(f"/admin/accounts/user/{path}", data).status_code == 403, path
    assert device.me().status_code == 200
