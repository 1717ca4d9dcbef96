"""The admin: access, the dashboard, and what each role may do."""

import html
import re
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from post_office.models import Email

from accounts.models import verify
from config.admin import dashboard, limits
from tests.support.codes import add_authenticator_app, totp
from tests.support.factories import (
    PASSWORD,
    BlacklistedTokenFactory,
    OutstandingTokenFactory,
    UserFactory,
)
from token_blacklist.models import BlacklistedToken, FlushRun, OutstandingToken
from token_blacklist.sessions import flush
from token_blacklist.tokens import RefreshToken

migration = import_module("accounts.migrations.0003_support_group")

User = get_user_model()


@pytest.fixture
def staff(client, db):
    """Return a client of a staff user with these permissions."""

    def make(*codenames):
        staff = UserFactory(is_staff=True)
        staff.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(staff)
        return client

    return make


def test_only_superusers_change_groups(staff, client):
    group = Group.objects.create(name="support")
    every = list(Permission.objects.values_list("codename", flat=True))
    colleague = staff(*every)
    pages = [
        reverse("admin:auth_group_add"),
        reverse("admin:auth_group_change", args=(group.pk,)),
        reverse("admin:auth_group_delete", args=(group.pk,)),
    ]
    permission = Permission.objects.get(codename="view_user")
    rights = {"name": "support", "permissions": [permission.pk], "post": "yes"}

    for page in pages:
        assert colleague.post(page, rights).status_code == 403
    assert Group.objects.get(name="support") == group
    assert not group.permissions.exists()
    client.force_login(UserFactory(admin=True))
    assert client.post(pages[1], rights).status_code == 302
    assert group.permissions.exists()


def test_the_dashboard_warns_if_the_flush_is_overdue(staff):
    support = staff("view_outstandingtoken")
    OutstandingTokenFactory(expires_at=timezone.now() - timedelta(hours=20))
    assert "The flush is overdue" not in support.get("/admin/").text

    OutstandingTokenFactory(expires_at=timezone.now() - timedelta(hours=30))
    assert "The flush is overdue" in support.get("/admin/").text

    flush.delete_expired()
    assert "The flush is overdue" not in support.get("/admin/").text


def test_the_dashboards_figures_need_the_permission_to_view_sessions(staff):
    assert "Live sessions" not in staff("view_flushrun").get("/admin/").text
    assert "Live sessions" in staff("view_outstandingtoken").get("/admin/").text


def test_each_figure_links_to_the_filtered_list_of_its_sessions(staff):
    long_ago = timezone.now() - timedelta(days=2)
    live = OutstandingTokenFactory()
    old = OutstandingTokenFactory(created_at=long_ago)
    out, reused = (BlacklistedTokenFactory(reason=reason) for reason in ("logout", "reuse"))
    BlacklistedToken.objects.filter(
        pk=BlacklistedTokenFactory(token__created_at=long_ago).pk
    ).update(blacklisted_at=long_ago)
    client = staff("view_outstandingtoken", "view_blacklistedtoken")

    own = OutstandingToken.objects.latest("pk")  # the sign-in to the admin

    text = client.get("/admin/").text
    figures = text[text.index('class="figures"') : text.index("</dl>")]
    links = map(html.unescape, re.findall(r'href="([^"]*)"', figures))
    shown = [list(client.get(link).context["cl"].result_list) for link in links]

    assert [set(records) for records in shown] == [
        {live, old, own},
        {live, out.token, reused.token, own},
        {out, reused},
        {reused},
    ]


@pytest.mark.pages
def test_the_admin_redirects_to_the_sites_sign_in_page_and_back(client, db):
    boss = UserFactory(admin=True)

    page = client.get("/admin/accounts/user/?q=ada", follow=True).redirect_chain[-1][0]
    answer = client.post(page, {"login": boss.email, "password": PASSWORD}, follow=True)

    assert page.startswith("/login/?next=")
    assert answer.redirect_chain[-1] == ("/admin/accounts/user/?q=ada", 302)
    assert answer.status_code == 200


@pytest.mark.pages
def test_the_admins_own_sign_in_form_is_disabled(client, db):
    form = {"username": UserFactory(admin=True).email, "password": PASSWORD}

    answer = client.post("/admin/login/", form)

    assert answer.headers["Location"].startswith("/login/?next=")
    assert client.get("/admin/").status_code == 302


@pytest.mark.pages
def test_a_sign_in_to_the_admin_needs_the_second_factor(client, db):
    boss = UserFactory(admin=True)
    secret = add_authenticator_app(boss)
    page = client.get("/admin/", follow=True).redirect_chain[-1][0]

    asked = client.post(page, {"login": boss.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 302
    answer = client.post(asked.headers["Location"], {"code": totp(secret)})

    assert answer.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.pages
class TestARequiredSecondFactor:
    @pytest.fixture
    def boss(self, client, db, settings):
        settings.ADMIN_REQUIRES_SECOND_FACTOR = True
        boss = UserFactory(admin=True)
        verify(boss)
        page = client.get("/admin/", follow=True).redirect_chain[-1][0]
        client.post(page, {"login": boss.email, "password": PASSWORD})
        return boss

    @pytest.mark.slow
    @pytest.mark.django_db(transaction=True)  # allauth sends its signal after the commit
    def test_staff_without_one_set_it_up_and_return_to_the_requested_page(self, client, boss):
        asked = client.get("/admin/accounts/user/?q=ada", follow=True)
        assert asked.redirect_chain == [("/2fa/", 302)]
        assert "The admin requires a second factor." in asked.text

        again = client.get("/2fa/totp/activate/").headers["Location"]  # asks for the password
        setup = client.post(again, {"password": PASSWORD}, follow=True)
        secret = setup.context["form"].secret
        done = client.post("/2fa/totp/activate/", {"code": totp(secret)}, follow=True)

        assert '<a href="/admin/accounts/user/?q=ada">Continue to the admin</a>' in done.text
        assert client.get("/admin/accounts/user/?q=ada").status_code == 200
        assert "Continue to the admin" not in client.get("/2fa/").text

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_every_admin_page_but_sign_out_redirects_to_its_set_up(self, client, boss, method):
        for address in ("/admin/", f"/admin/accounts/user/{boss.pk}/change/", "/admin/jsi18n/"):
            assert getattr(client, method)(address).headers["Location"] == "/2fa/"
        client.post("/admin/logout/")  # except signing out
        assert "_auth_user_id" not in client.session

    def test_a_user_who_is_not_staff_gets_403(self, client, user, settings):
        settings.ADMIN_REQUIRES_SECOND_FACTOR = True
        client.force_login(user)

        assert client.get("/admin/").status_code == 403

    def test_a_passkey_counts_and_recovery_codes_do_not(self, client, boss):
        Authenticator.objects.create(user=boss, type="recovery_codes", data={})
        assert client.get("/admin/").status_code == 302
        Authenticator.objects.create(user=boss, type="webauthn", data={"name": "key"})
        assert client.get("/admin/").status_code == 200


def addresses_of(model, pk):
    """Return the address of each page of a model's admin."""
    return [
        reverse(f"admin:{pattern.name}", args=[pk] * len(pattern.pattern.converters))
        for pattern in site._registry[model].urls
        if pattern.name is not None  # otherwise Django's redirect of former URLs
    ]


def every_autocomplete():
    """Return the autocomplete of each relation, of which only some are offered."""
    for model in site._registry:
        for field in model._meta.get_fields():
            if field.is_relation and not field.auto_created:
                app = model._meta.app_label
                yield (
                    f"/admin/autocomplete/?app_label={app}&model_name={model._meta.model_name}"
                    f"&field_name={field.name}&term="
                )


@pytest.mark.parametrize(("method", "is_staff"), [("get", True), ("post", True), ("get", False)])
def test_without_permissions_every_page_action_and_autocomplete_is_refused(
    client, user, method, is_staff
):
    entry = BlacklistedTokenFactory(token__user=user)
    keys = {
        OutstandingToken: entry.token_id,
        BlacklistedToken: entry.pk,
        FlushRun: FlushRun.objects.create(started_at=timezone.now()).pk,
        User: user.pk,
        Group: Group.objects.create(name="support").pk,
        Email: Email.objects.create(to="ada@example.com", from_email="a@example.com").pk,
    }
    other = OutstandingTokenFactory(user=user)
    ours = {"accounts", "auth", "post_office", "token_blacklist"}
    assert set(keys) == {model for model in site._registry if model._meta.app_label in ours}
    client.force_login(UserFactory(is_staff=is_staff))
    before, live = User.objects.count(), set(OutstandingToken.objects.live())
    assert other in live

    for model, pk in keys.items():
        for address in addresses_of(model, pk):
            assert getattr(client, method)(address).status_code in {403, 405}, address
        for action in (*dict(site._registry[model].get_action_choices(superuser())), "nonsense"):
            data = {"action": action, "_selected_action": [pk], "post": "yes", "confirmed": "yes"}
            assert client.post(addresses_of(model, pk)[0], data).status_code == 403
    for address in every_autocomplete():
        assert client.get(address).status_code == 403, address
    assert User.objects.count() == before
    assert set(OutstandingToken.objects.live()) == live


def superuser():
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True)
    return request


class TestColleagues:
    @pytest.fixture
    def support(self, staff):
        return staff("view_user", "change_user", "delete_user", "add_user")

    def change(self, client, member, **changes):
        page = f"/admin/accounts/user/{member.pk}/change/"
        return client.post(page, {"email": member.email, "name": "", "is_active": "on", **changes})

    def test_support_changes_and_deletes_a_customer(self, support, user):
        assert self.change(support, user, name="Ada").status_code == 302
        user.refresh_from_db()
        assert user.name == "Ada"
        answer = support.post(f"/admin/accounts/user/{user.pk}/delete/", {"post": "yes"})
        assert answer.status_code == 302
        assert not User.objects.filter(pk=user.pk).exists()

    def test_support_cannot_grant_staff_status_or_permissions(self, support, user):
        permission = Permission.objects.first()
        granted = {"is_staff": "on", "is_superuser": "on", "user_permissions": [permission.pk]}

        self.change(support, user, **granted)

        user.refresh_from_db()
        assert (user.is_staff, user.is_superuser) == (False, False)
        assert not user.user_permissions.exists()

    @pytest.mark.parametrize("kind", [{"is_staff": True}, {"admin": True}])
    def test_support_cannot_change_the_account_of_other_staff(self, support, kind):
        colleague = UserFactory(**kind)
        page = f"/admin/accounts/user/{colleague.pk}"
        password = {"password1": "a new 4 words phrase", "password2": "a new 4 words phrase"}

        assert support.get(f"{page}/change/").status_code == 200
        assert self.change(support, colleague, email="thief@example.com").status_code == 403
        assert support.post(f"{page}/password/", password).status_code == 403
        assert support.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
        together = {"action": "delete_selected", "_selected_action": colleague.pk, "post": "yes"}
        support.post("/admin/accounts/user/", together)
        colleague.refresh_from_db()
        assert colleague.email != "thief@example.com"
        assert colleague.check_password(PASSWORD)


@pytest.mark.parametrize("codenames", [("view_user",), ("view_user", "change_user"), "superuser"])
def test_no_page_shows_any_part_of_a_password_hash(staff, codenames):
    client = staff(*codenames)
    if codenames == "superuser":
        client.force_login(UserFactory(admin=True))
    user = UserFactory()
    _algorithm, *parts = user.password.split("$")

    for page in ("", f"{user.pk}/change/", f"{user.pk}/history/"):
        text = client.get(f"/admin/accounts/user/{page}").text
        assert user.email in text
        for part in parts:
            assert not any(part[at : at + 6] in text for at in range(len(part) - 6))


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("ada@", {"ada"}),
        ("ada love", {"ada"}),
        ("Lovelace", {"ada"}),
        ("velace", set()),
        ("@example.com", {"ada", "grace", "staff"}),
        ("\ud800", set()),
        ("", {"ada", "grace", "staff"}),
    ],
)
def test_users_are_found_by_the_beginning_of_their_address_or_name(staff, term, found):
    UserFactory(email="ada@example.com", name="Ada Lovelace")
    UserFactory(email="hopper@example.com", name="Grace Hopper")
    client = staff("view_user")
    names = {"Ada Lovelace": "ada", "Grace Hopper": "grace", "": "staff"}

    page = f"/admin/accounts/user/?q={quote(term, errors='surrogatepass')}"
    answer = client.get(page)

    shown = {names[user.name] for user in answer.context["cl"].result_list}
    assert shown == found or "\ud800" in term


@pytest.mark.parametrize("page", ["accounts/user", "auth/group"])
def test_a_token_pasted_into_any_admin_search_is_not_shown(user, page):
    token = str(RefreshToken.for_user(user))
    client = Client()
    client.force_login(UserFactory(admin=True))

    answer = client.get(f"/admin/{page}/", {"q": f'"{token}"'}, follow=True)

    assert answer.status_code == 200
    assert token[:20] not in answer.redirect_chain[-1][0] + answer.text


def test_every_link_that_the_group_support_sees_works(client, db):
    Group.objects.filter(name="Support").delete()  # a product may have changed it
    migration.make_group(apps, SimpleNamespace(connection=connection))
    colleague = UserFactory(is_staff=True)
    colleague.groups.add(Group.objects.get(name="Support"))
    client.force_login(colleague)
    BlacklistedTokenFactory(reason="admin", blacklisted_by=colleague)
    OutstandingTokenFactory(expires_at=timezone.now() - timedelta(hours=30))  # not flushed
    seen, ahead = set(), {"/admin/"}

    while ahead:
        address = ahead.pop()
        seen.add(address)
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, address
        # Without the queries of filters and orders.
        links = set(re.findall(r'href="(/admin/[^"#?]*)', answer.text))
        ahead |= {link for link in links if "logout" not in link} - seen

    assert {f"/admin/accounts/user/{colleague.pk}/change/"} <= seen


class TestTheTimeZone:
    def head(self, client):
        text = client.get("/admin/token_blacklist/outstandingtoken/").text
        return re.findall(r"Signed in \(([^)]*)\)", text)[0], text

    def test_times_are_in_the_zone_of_the_browser(self, staff):
        client = staff("view_outstandingtoken")
        OutstandingTokenFactory(created_at=datetime(2026, 1, 15, 23, 30, tzinfo=UTC))
        client.cookies["timezone"] = "Asia/Kathmandu"

        zone, text = self.head(client)

        assert zone == "UTC+0545"
        assert 'datetime="2026-01-16T05:15:00+05:45"' in text

    @pytest.mark.parametrize("cookie", ["../../etc/passwd", "Nowhere/Town"])
    def test_an_unknown_zone_is_ignored(self, staff, cookie):
        client = staff("view_outstandingtoken")
        client.cookies["timezone"] = cookie

        assert self.head(client)[0] == timezone.localtime().tzname()


class TestTheLastActivity:
    def test_it_is_that_of_the_users_sessions(self, staff, django_assert_num_queries):
        now = timezone.now().replace(microsecond=0)
        user, idle = UserFactory(), UserFactory()
        OutstandingTokenFactory(user=user, created_at=now - timedelta(days=5))
        OutstandingTokenFactory(
            user=user, created_at=now - timedelta(days=9), refreshed_at=now - timedelta(days=2)
        )
        client = staff("view_user")

        listed = client.get("/admin/accounts/user/").context["cl"].result_list

        active = {each: each.last_active_at for each in listed}
        assert (active[user], active[idle]) == (now - timedelta(days=2), None)

    def test_a_users_page_lists_ten_sessions_and_links_to_all(self, client, user):
        OutstandingTokenFactory.create_batch(11, user=user)
        ended = BlacklistedTokenFactory(token__user=user).token
        client.force_login(UserFactory(admin=True))

        text = client.get(f"/admin/accounts/user/{user.pk}/change/").text
        link = html.unescape(re.search(r'href="([^"]*outstandingtoken/\?user=[^"]*)"', text)[1])

        assert len(re.findall("/outstandingtoken/[0-9]+/change/", text)) == 10
        assert text.index("Sign out everywhere") < text.index('class="tb-sessions"')
        found = client.get(link).context["cl"].result_list
        assert len(found) == 12
        assert ended in found


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_statement_that_takes_too_long_is_stopped_and_explained(client, monkeypatch):
    def sleep(*args):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(30)")

    monkeypatch.setattr(limits, "STATEMENT_TIMEOUT", timedelta(milliseconds=50))
    monkeypatch.setattr(dashboard, "overview", sleep)
    client.force_login(UserFactory(admin=True))

    answer = client.get("/admin/")

    assert answer.status_code == 503
    assert "This took too long" in answer.text
    assert client.get("/admin/accounts/user/").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
