"""Sites with USE_TZ=False: times without a zone, in the zone of TIME_ZONE."""

import pytest

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

PAGES = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "token_blacklist.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]


@pytest.fixture
def host(new):
    return new(USE_TZ=False, TIME_ZONE="Asia/Tokyo")


def test_a_session_is_opened_used_refreshed_and_ended(host):
    statuses = host.run("""
        new_user()
        first = sign_in().json()
        second = refresh(first["refresh"]).json()
        again = refresh(first["refresh"])
        show(
            me(second["access"]).status_code,
            again.json()["refresh"] == second["refresh"],
            post("token/verify/", token=second["refresh"]).status_code,
            sign_out(second["refresh"]).status_code,
            me(second["access"]).status_code,
            refresh(second["refresh"]).status_code,
        )
    """)

    assert statuses == [200, True, 200, 200, 401, 401]


def test_expiry_and_the_flush_follow_the_clock_of_the_site(host):
    shown = host.run("""
        from django.utils import timezone
        from token_blacklist.models import FlushRun, OutstandingToken
        from token_blacklist.sessions.flush import is_overdue

        ada, now, minute = new_user(), timezone.now(), timedelta(minutes=1)
        for name, age in (("expired", minute), ("live", -minute)):
            OutstandingToken.objects.create(user=ada, session_id=name, expires_at=now - age)
        show([each.session_id for each in OutstandingToken.objects.live()])
        show([each.session_id for each in OutstandingToken.objects.live(now)])
        show([each.is_expired() for each in OutstandingToken.objects.order_by("pk")])
        call_command("flushexpiredtokens", verbosity=0)
        show([each.session_id for each in OutstandingToken.objects.all()])
        show(abs(FlushRun.objects.get().started_at - now) < minute, is_overdue())
    """)

    assert shown == [["live"], ["live"], [True, False], ["live"], True, False]


def test_the_pages_and_the_admin_work(new):
    host = new(USE_TZ=False, TIME_ZONE="Asia/Tokyo", MIDDLEWARE=PAGES)

    shown = host.run("""
        from django.utils import timezone
        from django.utils.formats import date_format
        from token_blacklist.models import OutstandingToken

        root = get_user_model().objects.create_superuser("root", password="pw")
        client.login(username="root", password="pw")
        row = OutstandingToken.objects.get()
        show(abs(row.created_at - timezone.now()) < timedelta(minutes=1))
        with_lists = "/admin/token_blacklist/"
        call_command("flushexpiredtokens", verbosity=0)
        for page in (f"outstandingtoken/", f"outstandingtoken/{row.pk}/change/",
                     "outstandingtoken/?state=expired", "blacklistedtoken/", "flushrun/"):
            response = client.get(with_lists + page)
            show(response.status_code)
        shown = client.get(f"{with_lists}outstandingtoken/{row.pk}/change/").content.decode()
        show(any(date_format(row.created_at, form) in shown for form in ("H:i", "P")))
    """)

    assert shown == [True, 200, 200, 200, 200, 200, True]


def test_the_feed_for_other_services_has_a_session_that_was_just_ended(host):
    shown = host.run("""
        from token_blacklist.services import revocations
        from token_blacklist.tokens import RefreshToken

        token = RefreshToken.for_user(new_user())
        token.blacklist()
        show(revocations.read().sessions == [token["sid"]])
    """)

    assert shown == [True]


def test_an_hour_that_the_clock_repeats_neither_ends_nor_prolongs_a_token(new):
    """On 2026-11-01, the clocks of New York go from 2:00 back to 1:00 (06:00 UTC)."""
    host = new(USE_TZ=False, TIME_ZONE="America/New_York")

    shown = host.run("""
        import time_machine

        new_user()
        with time_machine.travel(datetime(2026, 11, 1, 5, 55, tzinfo=UTC), tick=False) as clock:
            pair = refresh(sign_in().json()["refresh"]).json()
            for minutes in (0, 4, 10):
                clock.shift(60 * minutes)
                show(me(pair["access"]).status_code)
            show(refresh(pair["refresh"]).status_code)
    """)

    assert shown == [200, 200, 401, 200]


def test_the_sessions_of_simple_jwt_keep_their_expiry(new):
    """Simple JWT writes UTC without a zone, and a site with USE_TZ=False reads local time."""
    host = new(USE_TZ=False, TIME_ZONE="Asia/Tokyo", migrate=False)

    shown = host.run("""
        from django.db import connection
        from django.utils import timezone
        from token_blacklist.models import OutstandingToken

        call_command("migrate", "token_blacklist", "0001", verbosity=0)
        call_command("migrate", "auth", verbosity=0)
        ada, utc = new_user(), datetime.now(UTC).replace(tzinfo=None)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO token_blacklist_outstandingtoken"
                " (user_id, jti, token, created_at, expires_at) VALUES (%s, 'a', '', %s, %s)",
                [ada.pk, str(utc), str(utc + timedelta(hours=3))],
            )
        call_command("migrate", verbosity=0)
        session, now = OutstandingToken.objects.get(), timezone.now()
        show(abs(session.created_at - now) < timedelta(minutes=1))
        show(abs(session.expires_at - now - timedelta(hours=3)) < timedelta(minutes=1))
    """)

    assert shown == [True, True]


def test_a_time_with_a_zone_in_a_query_of_the_site_works(host):
    shown = host.run("""
        from token_blacklist.models import OutstandingToken

        new_user()
        sign_in()
        show(OutstandingToken.objects.filter(expires_at__gt=datetime.now(UTC)).count())
        show(OutstandingToken.objects.live(datetime.now(UTC)).count())
    """)

    assert shown == [1, 1]


def test_settings_from_code_without_the_zone_in_the_environment_work(new):
    """`settings.configure()` does not set TZ, so that the machine's own zone is another one."""
    host = new(USE_TZ=False, TIME_ZONE="Asia/Tokyo")
    (host.folder / "settings.py").write_text(
        (host.folder / "settings.py").read_text().replace("TIME_ZONE = ", "ZONE = ")
    )
    (host.folder / "sitecustomize.py").write_text(
        "import os, settings as given\n"
        "from django.conf import settings\n"
        "names = {name: getattr(given, name) for name in dir(given) if name.isupper()}\n"
        "settings.configure(**names, TIME_ZONE=given.ZONE)\n"
    )

    shown = host.run("""
        from token_blacklist.models import OutstandingToken

        new_user()
        pair = refresh(sign_in().json()["refresh"]).json()
        show(me(pair["access"]).status_code)
        call_command("flushexpiredtokens", verbosity=0)
        show(OutstandingToken.objects.live().count())
    """)

    assert shown == [200, 1]
