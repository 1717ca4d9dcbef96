"""Every admin page at 1,000,000 sessions sends few statements, and none reads a whole table.

How many rows a page's statements read does not depend on the machine or what else it does; how
long they take is in docs/performance.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urljoin

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.crowd import OFFICE, TABLES, crowded
from tests.support.factories import UserFactory
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.tokens import RefreshToken

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgresql,
    pytest.mark.django_db,
]

OUTSTANDING = "/admin/token_blacklist/outstandingtoken/"
BLACKLISTED = "/admin/token_blacklist/blacklistedtoken/"
FLUSHES = "/admin/token_blacklist/flushrun/"
USERS = "/admin/accounts/user/"
AUTOCOMPLETE = "/admin/autocomplete/"
TRANSACTION = ("SAVEPOINT", "RELEASE", "SET LOCAL")  # of the time limit
BIG = set(TABLES.split(", "))
MAX_ROWS_READ = 250_000  # per page, of tables with 1,000,000 and 300,000 rows
LISTED = 1_000
# The page of a user also has groups, permissions, addresses, factors and connected accounts.
STATEMENTS = {"user": 13, "user with many": 13}
NOW = datetime(2026, 6, 15, 23, 50, tzinfo=UTC)  # late, when the most rows are "of today"


def days_ago(days):
    return f"{NOW - timedelta(days=days):%Y-%m-%d 00:00:00+00:00}"


def dates(field, since, until):
    return {f"{field}__gte": days_ago(since), f"{field}__lt": days_ago(until)}


def outstanding(**query):
    return OUTSTANDING, query


def blacklisted(**query):
    return BLACKLISTED, query


def users(**query):
    return USERS, query


def end(**query):
    return f"{OUTSTANDING}end/", query


def offered(term):
    return AUTOCOMPLETE, {
        "app_label": "token_blacklist",
        "model_name": "blacklistedtoken",
        "field_name": "token",
        "term": term,
    }


# In braces: of a session that is there.
PAGES = {
    "dashboard": ("/admin/", {}),
    "outstanding": outstanding(),
    "deep page": outstanding(p=LISTED // 100),
    "page beyond": outstanding(p=9_000),
    **{f"sorted by {n}": outstanding(o=n) for n in (2, 5, -5, 7, -7)},
    "by e-mail": outstanding(q="{email}"),
    "by the start of an e-mail": outstanding(q="customer4"),
    "by the e-mail of a user with many": outstanding(q="{first_email}"),
    "by session": outstanding(q="{session}"),
    "by a later jti": outstanding(q="{session}.3"),
    "by ip": outstanding(q="{ip}"),
    "by the ip of many": outstanding(q=OFFICE),
    "by network": outstanding(q="203.0.113.0/24"),
    "by a network of nearly all": outstanding(q="10.0.0.0/8"),
    "by a network of nobody": outstanding(q="192.0.2.0/24"),
    "by domain": outstanding(q="@example.com"),
    "by token": outstanding(q="{token}"),
    "by nothing": outstanding(q="nobody knows"),
    "by device": outstanding(q="iPhone"),
    "by the device of an ip of many": outstanding(q=f"{OFFICE} Windows"),
    "many, narrowed": outstanding(q=OFFICE, state="live", device="handheld"),
    **{f"state {state}": outstanding(state=state) for state in ("live", "blacklisted", "expired")},
    "handheld": outstanding(device="handheld"),
    "not handheld": outstanding(device="other"),
    "of a day": outstanding(**dates("created_at", 20, 19)),
    "of a month": outstanding(**dates("created_at", 31, -1)),
    "live, of an old day": outstanding(state="live", **dates("created_at", 29, 28)),
    "expired, of today": outstanding(state="expired", **dates("created_at", 0, -1)),
    "expired, handheld, sorted": outstanding(state="expired", device="handheld", o="4"),
    "reused, handheld": outstanding(blacklistedtoken__reason__exact="reuse", device="handheld"),
    "logged out, of a day": outstanding(
        blacklistedtoken__reason__exact="logout", **dates("created_at", 20, 19)
    ),
    "all at once": outstanding(
        q="{email}",
        state="blacklisted",
        blacklistedtoken__reason__exact="logout",
        device="other",
        o="-5",
    ),
    "contradiction": outstanding(state="live", blacklistedtoken__reason__exact="logout"),
    "session": (f"{OUTSTANDING}{{live}}/change/", {}),
    "ended session": (f"{OUTSTANDING}{{over}}/change/", {}),
    "ending": end(),
    "ending by ip": end(q=OFFICE),
    "ending by the device of an ip of many": end(q=f"{OFFICE} Windows"),
    "ending by device": end(q="iPhone"),
    "ending by an old day": end(**dates("created_at", 30, 29)),
    "ending all live, handheld": end(state="live", device="handheld"),
    "ending the selected sessions": end(id__in="{some}"),
    "ending the sessions of a user with many": end(user="{first}"),
    "blacklisted": blacklisted(),
    "blacklisted, deep page": blacklisted(p=LISTED // 100),
    **{f"blacklisted, sorted by {n}": blacklisted(o=n) for n in range(1, 7)},
    "blacklisted, logout": blacklisted(reason__exact="logout"),  # most of them
    "blacklisted, reuse": blacklisted(reason__exact="reuse"),  # the fewest
    "blacklisted on a day": blacklisted(**dates("blacklisted_at", 20, 19)),
    "reused on a day": blacklisted(reason__exact="reuse", **dates("blacklisted_at", 20, 19)),
    "blacklisted, by e-mail": blacklisted(q="{email}"),
    "blacklisted, by the ip of many": blacklisted(q=OFFICE),
    "blacklisted, by token": blacklisted(q="{token}"),
    "blacklisted, by device": blacklisted(q="iPhone"),
    "signed in within 24 hours": outstanding(created_at__gte=days_ago(1)),
    "reused within 24 hours": blacklisted(reason__exact="reuse", blacklisted_at__gte=days_ago(1)),
    "to blacklist": (f"{BLACKLISTED}add/", {}),
    "blacklist record": (f"{BLACKLISTED}{{entry}}/change/", {}),
    "autocomplete": offered(""),
    "autocomplete, by an ip of many": offered(OFFICE),
    "users": users(),
    "users, deep page": users(p=LISTED // 100),
    **{f"users, sorted by {n}": users(o=n) for n in range(1, 7)},
    "users, by e-mail": users(q="{email}"),
    "users, by the start of an e-mail": users(q="customer4"),
    "users, by domain": users(q="@example.com"),
    "users, by a domain of nobody": users(q="@example.org"),
    "users, by name": users(q="Person 42"),
    "the staff": users(is_staff__exact=1),
    "the inactive staff": users(is_staff__exact=1, is_active__exact=0),
    "user": (f"{USERS}{{user}}/change/", {}),
    "user with many": (f"{USERS}{{first}}/change/", {}),
    "flushes": (FLUSHES, {}),
}


@pytest.fixture(scope="module")
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def known(clock, django_db_setup, django_db_blocker):
    """The values of the names in braces in PAGES."""
    with django_db_blocker.unblock(), crowded(NOW):
        newest = OutstandingToken.objects.order_by("-pk").filter(user__gt=0).select_related("user")
        live = newest.live().exclude(ip_address=OFFICE)[1000]
        entry = BlacklistedToken.objects.order_by("-pk")[1000]
        first = get_user_model().objects.order_by("pk")[0]
        yield {
            "email": live.user.email,
            "user": live.user_id,
            "first": first.pk,
            "first_email": first.email,
            "session": live.session_id,
            "ip": live.ip_address,
            "token": str(RefreshToken.of_session(live)),
            "live": live.pk,
            "over": entry.token_id,
            "entry": entry.pk,
            "some": ",".join(map(str, newest.values_list("pk", flat=True)[:100])),
        }


@pytest.fixture
def support(db):
    """A client of a staff user with every permission, who is not a superuser."""
    return signed_in(is_staff=True)


@pytest.fixture
def superuser(db):
    return signed_in(admin=True)


def signed_in(**kind):
    staff = UserFactory(**kind)
    staff.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(staff)
    return client


def visit(client, address):
    """Return the statements of a page. A redirect's count as another page's."""
    for _ in range(3):
        with CaptureQueriesContext(connection) as sent:
            answer = client.get(address)
        if answer.status_code != 302:
            break
        assert len(sent) < 10
        address = urljoin(address, answer.headers["Location"])
    assert answer.status_code == 200, address
    return [each for each in sent.captured_queries if not each["sql"].startswith(TRANSACTION)]


def nodes(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def explained(sql):
    """Execute the statement again; return the nodes of its plan."""
    _, declares, select = sql.partition(" CURSOR FOR ")  # the statement of an iterator()
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + (select if declares else sql))
        return list(nodes(cursor.fetchone()[0][0]["Plan"]))


def rows_read(node):
    """Return how many rows of a table, or entries of its index, a node looked at."""
    if "Relation Name" not in node:
        return 0
    seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return seen * node["Actual Loops"]


@pytest.mark.parametrize("name", PAGES)
def test_an_admin_page_reads_few_rows_and_scans_no_large_table(support, known, name):
    path, query = PAGES[name]
    query = {key: str(value).format(**known) for key, value in query.items()}
    address = f"{path.format(**known)}?{urlencode(query)}"

    statements = visit(support, address)
    plan = [
        node
        for statement in statements
        if any(table in statement["sql"] for table in BIG)
        for node in explained(statement["sql"])
    ]
    scanned = {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}
    read = sum(map(rows_read, plan))
    taken = sum(float(statement["time"]) for statement in statements) * 1000
    print(f"{name}: {len(statements)} statements, {taken:.0f} ms, {read:.0f} rows")  # pytest -s
    assert plan
    assert len(statements) < STATEMENTS.get(name, 10)
    assert not scanned & BIG
    assert read < (MAX_ROWS_READ if name != "dashboard" else 2 * MAX_ROWS_READ)


@pytest.mark.parametrize("name", ["user", "dashboard", "outstanding"])
def test_a_superusers_page_sends_as_few_statements(superuser, known, name):
    sent = visit(superuser, PAGES[name][0].format(**known))

    assert len(sent) < STATEMENTS.get(name, 10)


def test_a_list_is_sortable_by_indexed_columns_only(support, known):
    by_id = [record.pk for record in support.get(OUTSTANDING).context["cl"].result_list]

    for column in range(1, 9):
        found = [r.pk for r in support.get(OUTSTANDING, {"o": column}).context["cl"].result_list]
        assert (found == by_id) == (column not in {5, 7}), column
