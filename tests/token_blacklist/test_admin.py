"""The admin of the app: permissions, search, filters, and ending sessions."""

import csv
import html
import io
import re
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.support.devices import TOKEN, Device
from tests.support.factories import (
    BlacklistedTokenFactory,
    OutstandingTokenFactory,
    UserFactory,
)
from tests.support.keys import signed_by
from tests.support.statements import NOT_COUNTED
from token_blacklist.admin import ending, export
from token_blacklist.keys.key_set import current_set
from token_blacklist.models import BlacklistedToken, FlushRun, OutstandingToken
from token_blacklist.tokens import AccessToken, RefreshToken

OUTSTANDING = "/admin/token_blacklist/outstandingtoken/"
BLACKLISTED = "/admin/token_blacklist/blacklistedtoken/"
FLUSHES = "/admin/token_blacklist/flushrun/"
REASON = "blacklistedtoken__reason__exact"
# The beginnings of headers and payloads. A CSRF token may have "eyJ" by chance.
TOKEN_PART = re.compile("eyJ(hbGci|0eXAi|raWQi|0b2tl)")


@pytest.fixture
def staff(db):
    """Return a client of a staff user with these permissions."""

    def make(*codenames):
        staff = UserFactory(is_staff=True)
        found = Permission.objects.filter(
            content_type__app_label="token_blacklist", codename__in=codenames
        )
        assert found.count() == len(codenames)
        staff.user_permissions.set(found)
        client = Client()
        client.force_login(staff)
        client.staff = staff
        return client

    return make


@pytest.fixture
def support(staff):
    return staff("view_outstandingtoken", "view_blacklistedtoken", "add_blacklistedtoken")


@pytest.fixture
def viewer(staff):
    return staff("view_outstandingtoken", "view_blacklistedtoken")


@pytest.fixture
def session(user):
    return OutstandingTokenFactory(user=user, ip_address="192.0.2.1")


def shown(answer):
    """Return the records on a list's page."""
    return list(answer.context["cl"].result_list)


def is_live(record):
    return OutstandingToken.objects.live().filter(pk=record.pk).exists()


def page_that_ends(**query):
    """Return the address of the confirmation page for the sessions that match the query."""
    return f"{OUTSTANDING}end/?{urlencode(query)}"


def every_url(record):
    """Return the URL of every admin page of the app, with its arguments."""
    entry = BlacklistedTokenFactory()
    run = FlushRun.objects.create(started_at=timezone.now())
    urls = []
    for model, pk in (
        (OutstandingToken, record.pk),
        (BlacklistedToken, entry.pk),
        (FlushRun, run.pk),
    ):
        for pattern in site.get_model_admin(model).urls:
            if pattern.name is None:  # Django's redirect of former URLs
                continue
            names = pattern.pattern.converters
            urls.append(reverse(f"admin:{pattern.name}", args=[pk] * len(names)))
    return urls


def autocomplete(field, model):
    return (
        f"/admin/autocomplete/?app_label=token_blacklist&model_name={model}&field_name={field}"
        "&term=a"
    )


class TestPermissions:
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_an_anonymous_visitor_is_redirected_to_the_sign_in_page(self, client, session, method):
        for url in every_url(session):
            answer = getattr(client, method)(url)
            assert answer.status_code == 302, url
            assert answer.headers["Location"].startswith("/admin/login/"), url

    def test_staff_with_view_permissions_cannot_revoke_sessions(self, staff, session):
        viewer = staff("view_outstandingtoken", "view_blacklistedtoken", "view_flushrun")
        action = {"action": "end_selected", "_selected_action": session.pk}

        assert viewer.get(OUTSTANDING).status_code == 200
        assert "end_selected" not in viewer.get(OUTSTANDING).text
        assert viewer.post(f"{OUTSTANDING}{session.pk}/end/").status_code == 403
        assert viewer.get(f"{OUTSTANDING}end/").status_code == 403
        assert viewer.post(page_that_ends(id=session.pk), {"confirmed": "yes"}).status_code == 403
        viewer.post(OUTSTANDING, action)
        assert viewer.get(f"{BLACKLISTED}add/").status_code == 403
        assert viewer.post(f"{FLUSHES}add/").status_code == 403
        assert is_live(session)

    def test_the_end_button_needs_a_post_with_a_csrf_token(self, support, session):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(support.staff)

        page = support.get(f"{OUTSTANDING}{session.pk}/end/")

        assert page.url == f"{OUTSTANDING}{session.pk}/change/"
        assert strict.post(f"{OUTSTANDING}{session.pk}/end/").status_code == 403
        assert is_live(session)

    def test_not_even_a_superuser_edits_or_deletes_records(self, session):
        entry = BlacklistedTokenFactory()
        client = Client()
        client.force_login(UserFactory(admin=True))

        for path in (f"{OUTSTANDING}{session.pk}", f"{BLACKLISTED}{entry.pk}"):
            assert client.post(f"{path}/change/", {"note": "x"}).status_code == 403
            assert client.post(f"{path}/delete/", {"post": "yes"}).status_code == 403


class TestSearch:
    def find(self, client, term, path=OUTSTANDING):
        return shown(client.get(path, {"q": term}))

    @pytest.fixture
    def signed_in(self, user):
        device = Device(user, REMOTE_ADDR="198.51.100.7")
        assert device.log_in().status_code == 200
        assert device.refresh().status_code == 200
        OutstandingTokenFactory.create_batch(2)
        return device

    def test_a_session_is_found_by_email_address_session_id_and_jti(self, support, signed_in, user):
        record = OutstandingToken.objects.get(user=user)
        terms = [
            user.email,
            user.email.upper(),
            user.email[:-3],
            f"  {user.email} ",
            "198.51.100.7",
            record.session_id,
            record.jti,
            f"{record.session_id}.77",
        ]

        assert [self.find(support, term) for term in terms] == [[record]] * len(terms)

    @pytest.mark.parametrize(
        "form",
        [
            "{refresh}",
            '"{access}"',
            '{{\n  "refresh": "{refresh}",\r\n  "access": "{access}"\n}}',
            "curl -H 'Authorization: Bearer {access}' https://example.com/api/me/",
            "https://example.com/?token={access}&x=1",
            "%7B%22refresh%22%3A%22{refresh}%22%7D",
            "my token is {access}.",
            "{access} {refresh}",
            "eyJhbGciOiJIUzI1NiJ9.broken.x {access}",
            "{user} {access}",
            "{wrapped}",
        ],
    )
    def test_a_token_anywhere_in_the_search_term_finds_its_session_and_is_not_shown(
        self, support, signed_in, user, form, clock
    ):
        clock.shift(3600)  # the access token has expired
        token = signed_in.access
        wrapped = "\n".join(token[at : at + 60] for at in range(0, len(token), 60))
        term = form.format(
            access=token, refresh=signed_in.refresh_token, user=user.email, wrapped=wrapped
        )
        record = OutstandingToken.objects.get(user=user)

        answer = support.get(OUTSTANDING, {"q": term, "o": "-1"}, follow=True)

        address = answer.redirect_chain[-1][0]
        assert f"q={record.session_id}" in address
        assert "o=-1" in address
        assert not TOKEN_PART.search(address + answer.text)
        assert shown(answer) == [record]

    @pytest.mark.parametrize("cut", [slice(0, 60), slice(5, None), slice(30, -9)])
    def test_a_part_of_a_token_is_not_shown_in_the_response(self, support, signed_in, cut):
        answer = support.get(OUTSTANDING, {"q": f'"{signed_in.access[cut]}"'}, follow=True)

        assert not TOKEN_PART.search(answer.redirect_chain[-1][0] + answer.text)

    @pytest.mark.parametrize("sid", ["\ud800", "\x00", None, "eyJ" + "x" * 20])
    def test_a_token_with_a_malformed_sid_is_no_server_error(self, support, sid):
        claims = {**AccessToken().payload, "sid": sid, "jti": sid}
        token = signed_by(current_set().keys[0], claims)

        answer = support.get(OUTSTANDING, {"q": f"Bearer {token}"}, follow=True)

        assert answer.status_code == 200
        assert shown(answer) == []
        assert not TOKEN_PART.search(answer.redirect_chain[-1][0] + answer.text)

    @pytest.mark.parametrize(
        "term",
        ["eyJ.eyJ.x", "999.999.1.1", "%", "\x00", "\ud800", "x" * 5000],
    )
    def test_a_malformed_search_term_finds_nothing(self, support, signed_in, term):
        path = f"{OUTSTANDING}?q={quote(term, errors='surrogatepass')}"
        answer = support.get(path, follow=True)

        assert answer.status_code == 200
        found = shown(answer)
        assert found == [] or "\x00" in term or "\ud800" in term

    @pytest.mark.parametrize("term", ["{email} Tablet", "tablet gadget", "192.0.2.7 TABLET"])
    def test_a_device_is_found_by_words_of_its_user_agent(self, support, user, term):
        tablet = OutstandingTokenFactory(
            user=user, user_agent="Gadget/2.0 (Tablet; big)", ip_address="192.0.2.7"
        )
        OutstandingTokenFactory(user=user, user_agent="Gadget/2.0 (Watch)", ip_address="192.0.2.7")

        assert self.find(support, term.format(email=user.email)) == [tablet]

    def test_the_blacklist_is_searched_in_the_same_way(self, support, signed_in, user):
        signed_in.log_out()
        entry = BlacklistedToken.objects.get()
        BlacklistedTokenFactory()

        for term in (user.email, entry.token.jti, "198.51.100.7"):
            assert self.find(support, term, BLACKLISTED) == [entry]
        answer = support.get(BLACKLISTED, {"q": signed_in.access}, follow=True)
        assert shown(answer) == [entry]
        assert not TOKEN.search(answer.text)

    def test_the_autocomplete_offers_live_sessions_only(self, support, user):
        live = OutstandingTokenFactory(user=user)
        OutstandingTokenFactory(user=user, expired=True)
        BlacklistedTokenFactory(token=OutstandingTokenFactory(user=user))

        url = autocomplete("token", "blacklistedtoken").replace("term=a", f"term={user.email}")

        answer = support.get(url)

        assert [found["id"] for found in answer.json()["results"]] == [str(live.pk)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "live"}, {"live"}),
        ({"state": "expired"}, {"expired"}),
        ({"state": "blacklisted"}, {"out", "reused"}),
        ({REASON: "reuse"}, {"reused"}),
        ({"device": "handheld"}, {"live"}),
        ({"device": "other", "state": "blacklisted"}, {"out", "reused"}),
        ({"state": "nonsense", REASON: "nonsense"}, set()),
    ],
)
def test_the_list_is_filtered_by_state_reason_and_device(support, query, expected):
    records = {
        "live": OutstandingTokenFactory(user_agent="Mobile Safari"),
        "expired": OutstandingTokenFactory(expired=True),
        "out": BlacklistedTokenFactory(reason="logout").token,
        "reused": BlacklistedTokenFactory(reason="reuse").token,
    }

    found = shown(support.get(OUTSTANDING, query))

    assert {name for name, record in records.items() if record in found} == expected


class TestEnding:
    def end(self, client, note="", **query):
        return client.post(page_that_ends(**query), {"note": note, "confirmed": "yes"})

    def count(self, client, **query):
        answer = client.get(page_that_ends(**query))
        return answer.context["sessions"], answer.context["users"]

    def choose(self, client, *records, address=OUTSTANDING, across=False, **more):
        """Send the list's form with these sessions checked, or all that match."""
        chosen = {"action": "end_selected", "_selected_action": [record.pk for record in records]}
        return client.post(address, chosen | {"select_across": int(across)} | more)

    def test_the_end_button_revokes_one_session_and_records_the_staff_user_and_reason(
        self, support, session
    ):
        other = OutstandingTokenFactory(user=session.user)

        answer = support.post(f"{OUTSTANDING}{session.pk}/end/")

        assert answer.status_code == 302
        assert not is_live(session)
        assert is_live(other)
        entry = session.blacklistedtoken
        assert (entry.reason, entry.blacklisted_by) == ("admin", support.staff)
        assert LogEntry.objects.get().user == support.staff

    def test_ending_a_revoked_or_deleted_session_changes_nothing(self, support):
        entry = BlacklistedTokenFactory(reason="logout")

        for pk in (entry.token.pk, 10**15):
            assert support.post(f"{OUTSTANDING}{pk}/end/").status_code == 302
        entry.refresh_from_db()
        assert entry.reason == "logout"
        assert not LogEntry.objects.exists()

    def test_the_confirmation_counts_exactly_the_sessions_that_are_then_revoked(
        self, support, user
    ):
        early, late = timezone.now() - timedelta(hours=5), timezone.now() - timedelta(hours=1)
        mine = OutstandingTokenFactory(user=user, ip_address="192.0.2.1", created_at=early)
        theirs = OutstandingTokenFactory(ip_address="192.0.2.1", created_at=late)
        far = OutstandingTokenFactory(ip_address="192.0.2.9", created_at=late)
        BlacklistedTokenFactory(token=OutstandingTokenFactory(ip_address="192.0.2.1"))
        between = {
            "created_at__gte": f"{early - timedelta(hours=1):%Y-%m-%d %H:%M:%S+00:00}",
            "created_at__lt": f"{early + timedelta(hours=1):%Y-%m-%d %H:%M:%S+00:00}",
        }

        assert self.count(support, q="192.0.2.1") == (2, 2)
        assert self.count(support, **between) == (1, 1)
        assert self.count(support, user=user.pk, q="192.0.2.9") == (0, 0)
        self.end(support, "between", **between)
        assert [is_live(record) for record in (mine, theirs, far)] == [False, True, True]
        self.end(support, "from there", q="192.0.2.1")
        assert [is_live(record) for record in (mine, theirs, far)] == [False, False, True]
        assert theirs.blacklistedtoken.note == "from there"
        assert LogEntry.objects.count() == 2

    def test_the_action_counts_and_revokes_the_selected_sessions(self, support, user):
        mine = OutstandingTokenFactory.create_batch(3, user=user)
        asked = self.choose(support, *mine[:2], index=0)

        assert (asked.context["sessions"], asked.context["users"]) == (2, 1)
        assert all(map(is_live, mine))
        answer = self.choose(support, *mine[:2], confirmed="yes", note="<lost>")

        assert answer.status_code == 302
        assert list(map(is_live, mine)) == [False, False, True]
        assert mine[0].blacklistedtoken.note == "<lost>"

    def test_the_action_revokes_all_sessions_that_match_the_search_and_the_filter(
        self, support, user
    ):
        mine = OutstandingTokenFactory.create_batch(3, user=user, user_agent="Mobile Safari")
        laptop, other = OutstandingTokenFactory(user=user), OutstandingTokenFactory()
        matching = f"{OUTSTANDING}?{urlencode({'q': user.email, 'device': 'handheld'})}"

        asked = self.choose(support, mine[0], address=matching, across=True, index=0)
        answer = self.choose(support, mine[0], address=matching, across=True, confirmed="yes")

        assert (asked.context["sessions"], asked.context["users"]) == (3, 1)
        assert (answer.status_code, answer.headers["Location"]) == (302, matching)
        assert list(map(is_live, [*mine, laptop, other])) == [False, False, False, True, True]

    def test_revoking_by_search_keeps_the_own_session_and_by_selection_does_not(self, support):
        own = OutstandingToken.objects.get(user=support.staff)
        other = OutstandingTokenFactory(user=support.staff)

        self.choose(support, own, across=True, confirmed="yes")
        assert (is_live(own), is_live(other)) == (True, False)
        assert self.end(support, created_at__gte="2020-01-01 00:00:00+00:00").status_code == 302
        assert is_live(own)
        self.choose(support, own, confirmed="yes")
        assert not is_live(own)

    def test_one_request_revokes_at_most_the_maximum_number_of_sessions(
        self, support, user, monkeypatch
    ):
        monkeypatch.setattr(ending, "MAX_SESSIONS_PER_REQUEST", 2)
        OutstandingTokenFactory.create_batch(5, user=user)

        left = []
        for _ in range(3):
            asked = support.get(page_that_ends(user=user.pk))
            assert ("More than 2 sessions match." in asked.text) == (len(left) < 2)
            self.end(support, user=user.pk)
            left.append(OutstandingToken.objects.live().filter(user=user).count())

        assert left == [3, 1, 0]
        assert self.count(support, user=user.pk) == (0, 0)

    @pytest.mark.parametrize(
        "query",
        [
            {"user": "x"},
            {"nonsense": "1"},
            {"user__password__startswith": "a"},
            {"created_at__gte": "tomorrow"},
        ],
    )
    def test_an_invalid_query_revokes_nothing(self, support, session, query):
        assert support.get(page_that_ends(**query)).status_code in {302, 400}
        assert self.end(support, **query).status_code in {302, 400}
        assert is_live(session)

    def test_an_id_out_of_range_matches_no_session(self, support, session):
        assert self.end(support, id="9" * 400).status_code in {302, 400}
        assert self.end(support, user="999999999999999999").status_code in {302, 400}
        assert is_live(session)


LEFT_OUT = "session of staff left out. Only a superuser can end it."


class TestSessionsOfStaff:
    """Otherwise support could sign superusers out again and again."""

    @pytest.fixture(params=[{"is_staff": True}, {"is_superuser": True}])
    def colleague(self, request):
        return OutstandingTokenFactory(user=UserFactory(**request.param), ip_address="192.0.2.1")

    @pytest.fixture
    def superuser(self, db):
        client = Client()
        client.force_login(UserFactory(admin=True))
        return client

    def end(self, client, **query):
        answer = client.post(page_that_ends(**query), {"confirmed": "yes"}, follow=True)
        return [str(message) for message in answer.context["messages"]]

    def test_the_end_button_gives_support_403(self, support, colleague):
        assert support.post(f"{OUTSTANDING}{colleague.pk}/end/").status_code == 403
        assert is_live(colleague)
        assert not LogEntry.objects.exists()

    def test_ending_many_skips_staff_with_a_message(self, support, colleague, session):
        asked = support.get(page_that_ends(q="192.0.2.1"))
        messages = self.end(support, q="192.0.2.1")

        assert (asked.context["sessions"], asked.context["users"]) == (1, 1)
        assert f"1 {LEFT_OUT}" in asked.text
        assert messages == [f"Ended 1 session of {session.user}.", f"1 {LEFT_OUT}"]
        assert (is_live(colleague), is_live(session)) == (True, False)
        assert LogEntry.objects.count() == 1

    def test_the_action_skips_staff(self, support, colleague, session):
        chosen = {"action": "end_selected", "_selected_action": [colleague.pk, session.pk]}
        asked = support.post(OUTSTANDING, chosen)

        answer = support.post(OUTSTANDING, chosen | {"confirmed": "yes"}, follow=True)

        assert asked.context["sessions"] == 1
        assert f"1 {LEFT_OUT}" in [str(message) for message in answer.context["messages"]]
        assert (is_live(colleague), is_live(session)) == (True, False)

    def test_support_cannot_add_a_blacklist_record(self, support, colleague):
        answer = support.post(f"{BLACKLISTED}add/", {"token": colleague.pk, "note": ""})

        assert answer.status_code == 200
        assert "Only a superuser can end sessions of staff." in answer.text
        assert is_live(colleague)

    def test_a_superuser_can_revoke_them_in_every_way(self, superuser, colleague):
        others = OutstandingTokenFactory.create_batch(2, user=colleague.user)

        superuser.post(f"{OUTSTANDING}{colleague.pk}/end/")
        superuser.post(f"{BLACKLISTED}add/", {"token": others[0].pk, "note": ""})
        self.end(superuser, user=colleague.user_id)

        assert not OutstandingToken.objects.live().filter(user=colleague.user).exists()

    def test_staff_can_revoke_their_own_sessions(self, support):
        mine = OutstandingTokenFactory.create_batch(3, user=support.staff)
        page = support.get(f"{OUTSTANDING}{mine[0].pk}/change/").text

        assert f"{mine[0].pk}/end/" in page
        assert f"end/?user={support.staff.pk}" in page
        assert support.post(f"{OUTSTANDING}{mine[0].pk}/end/").status_code == 302
        support.post(f"{BLACKLISTED}add/", {"token": mine[1].pk, "note": ""})
        assert self.end(support, id=mine[2].pk)[-1].startswith("Ended 1 session")
        assert not any(map(is_live, mine))

    def test_a_user_who_became_staff_after_the_confirmation_page_is_skipped(self, support, session):
        assert support.get(page_that_ends(user=session.user_id)).context["sessions"] == 1
        type(session.user).objects.filter(pk=session.user_id).update(is_staff=True)

        assert self.end(support, user=session.user_id) == [f"1 {LEFT_OUT}"]
        assert is_live(session)


class TestRedirects:
    """After ending sessions, staff return to the former page and read a message."""

    @pytest.fixture
    def session(self):
        user = UserFactory(email="ada@example.com")
        return OutstandingTokenFactory(user=user, ip_address="192.0.2.1", user_agent="curl/8.0")

    def press(self, client, page):
        """Press the page's first button that ends a session."""
        found = re.search(r'formaction="([^"]*/end/[^"]*)"', client.get(page).text)
        return client.post(html.unescape(found[1]), follow=True)

    def test_the_list_keeps_its_search_and_names_the_user_whose_session_ended(
        self, support, session
    ):
        query = "?q=ada%40example.com&state=live"

        answer = self.press(support, OUTSTANDING + query)

        assert not is_live(session)
        assert answer.redirect_chain == [(OUTSTANDING + query, 302)]
        said = [str(message) for message in answer.context["messages"]]
        assert said[0].startswith("Ended the session of ada@example.com: curl")
        assert said[0].endswith(", 192.0.2.1.")

    @pytest.mark.parametrize(
        "page", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x", "x"]
    )
    def test_the_next_parameter_never_redirects_to_another_site(self, support, session, page):
        one = support.post(f"{OUTSTANDING}{session.pk}/end/?{urlencode({'next': page})}")
        many = support.post(page_that_ends(id=session.pk, next=page), {"confirmed": "yes"})

        assert (one.status_code, one.headers["Location"]) == (302, OUTSTANDING)
        back = f"{OUTSTANDING}?id={session.pk}"
        assert (many.status_code, many.headers["Location"]) == (302, back)


def test_every_page_sends_fewer_than_ten_statements_for_lists_of_any_length(support, user):
    OutstandingTokenFactory.create_batch(10)
    for _ in range(10):
        BlacklistedTokenFactory(blacklisted_by=user)
    record, entry = OutstandingToken.objects.first(), BlacklistedToken.objects.first()
    pages = [
        "/admin/",
        OUTSTANDING,
        f"{OUTSTANDING}?q={user.email}",
        f"{OUTSTANDING}{record.pk}/change/",
        page_that_ends(q="192.0.2.1"),
        BLACKLISTED,
        f"{BLACKLISTED}add/",
        f"{BLACKLISTED}{entry.pk}/change/",
    ]
    sent = {}
    for page in pages:
        with CaptureQueriesContext(connection) as found:
            assert support.get(page).status_code == 200
        counted = [q for q in found if not q["sql"].startswith(NOT_COUNTED)]
        sent[page] = len(counted)

    assert max(sent.values()) < 10, sent


class TestExport:
    @pytest.fixture
    def rows(self):
        def read(client, path=OUTSTANDING, **query):
            answer = client.post(f"{path}csv/?{urlencode(query)}")
            assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
            return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

        return read

    def test_it_has_what_the_search_and_the_filters_show_and_is_logged(self, support, user, rows):
        record = OutstandingTokenFactory(
            user=user, ip_address="192.0.2.1", user_agent="Mobile Safari"
        )
        OutstandingTokenFactory(user=user)
        OutstandingTokenFactory(user_agent="Mobile Safari")

        (row,) = rows(support, q=user.email, device="handheld")

        assert row["user"] == user.email
        assert row["state"] == "live"
        assert row["ip_address"] == "192.0.2.1"
        assert row["session_id"] == record.session_id
        assert datetime.fromisoformat(row["signed_in"]) == record.created_at.replace(microsecond=0)
        entry = LogEntry.objects.get()
        assert entry.user == support.staff
        assert entry.change_message.startswith("Exported 1 rows. q=")

    @pytest.mark.parametrize("start", ["=", "@", "\t"])
    def test_a_spreadsheet_does_not_run_what_a_client_sent(self, support, user, rows, start):
        OutstandingTokenFactory(user=user, user_agent=f"{start}HYPERLINK(1)")

        (row,) = rows(support, q=user.email)

        assert row["user_agent"] == f"'{start}HYPERLINK(1)"

    def test_it_is_limited(self, support, rows, monkeypatch):
        monkeypatch.setattr(export, "MAX_EXPORTED_ROWS", 2)
        OutstandingTokenFactory.create_batch(3)

        assert len(rows(support)) == 2

    def test_it_needs_the_permission_and_a_post(self, staff, support):
        ender = staff("add_blacklistedtoken")

        assert ender.post(f"{OUTSTANDING}csv/").status_code == 403
        assert support.get(f"{OUTSTANDING}csv/").status_code == 403
        assert not LogEntry.objects.exists()

    def test_the_log_has_no_token(self, support, user):
        token = RefreshToken.for_user(user)

        support.post(f"{OUTSTANDING}csv/?{urlencode({'q': str(token)})}")

        assert LogEntry.objects.get().change_message == f"Exported 1 rows. q={token['sid']}"


def test_the_button_of_a_sessions_page_takes_a_note(support, session):
    page = f"{OUTSTANDING}{session.pk}/change/"
    url = f"{OUTSTANDING}{session.pk}/end/?next={page}"
    assert 'name="note"' in support.get(page).text

    too_long = support.post(url, {"note": "x" * 256}, follow=True)
    assert too_long.redirect_chain == [(page, 302)]
    assert "255" in str(next(iter(too_long.context["messages"])))
    assert is_live(session)

    support.post(url, {"note": "a stolen phone"})
    assert session.blacklistedtoken.note == "a stolen phone"
    assert LogEntry.objects.get().change_message == "Ended. a stolen phone"


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("203.0.113.0/24", {"203.0.113.7", "203.0.113.200"}),
        ("203.0.113.", {"203.0.113.7", "203.0.113.200"}),
        ("2001:db8::/32", {"2001:db8::7"}),
        ("203.0.113.0/99", set()),
    ],
)
def test_sessions_are_found_by_their_network(support, term, found):
    for address in ("203.0.113.7", "203.0.113.200", "203.0.11.3", "2001:db8::7", "2001:db9::7"):
        OutstandingTokenFactory(ip_address=address)

    assert {each.ip_address for each in shown(support.get(OUTSTANDING, {"q": term}))} == found
