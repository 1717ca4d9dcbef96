"""Sites with a second admin site: each has links to itself alone."""

import pytest

pytestmark = [pytest.mark.process, pytest.mark.elsewhere]

URLS = """
from django.contrib import admin
from django.urls import include, path

from APP.admin import BlacklistedTokenAdmin, FlushRunAdmin, OutstandingTokenAdmin
from APP.models import BlacklistedToken, FlushRun, OutstandingToken

support = admin.AdminSite(name="support")
support.register(OutstandingToken, OutstandingTokenAdmin)
support.register(BlacklistedToken, BlacklistedTokenAdmin)
support.register(FlushRun, FlushRunAdmin)
urlpatterns = [
    path("admin/", admin.site.urls),
    path("support/", support.urls),
    path("api/", include("APP.urls")),
]
"""
PAGES = """
import re
from token_blacklist.models import BlacklistedToken, OutstandingToken
from token_blacklist.tokens import RefreshToken

boss = get_user_model().objects.create_superuser("boss", password="pw")
client.force_login(boss)
root = "/support/token_blacklist/"


def new_session():
    RefreshToken.for_user(boss)
    session = OutstandingToken.objects.latest("pk")
    OutstandingToken.objects.update(ip_address="192.0.2.1")
    return session.pk


def links_of(response):
    links = re.findall(r'(?:href|action)="(/[^"]*)"', response.content.decode())
    return [link for link in links if not link.startswith("/static/")]


pk = new_session()
for page in [
    "outstandingtoken/",
    f"outstandingtoken/{pk}/change/",
    f"outstandingtoken/end/?user={boss.pk}",
    "blacklistedtoken/add/",
    "blacklistedtoken/",
    "flushrun/",
]:
    response = client.get(root + page)
    links = set(links_of(response)) - {"/"}
    show(page, response.status_code, len(links) > 3)
    show([link for link in links if not link.startswith("/support/")])

chosen = {"action": "end_selected", "_selected_action": [pk]}
response = client.post(root + "outstandingtoken/", chosen)
show(response.status_code, any("/admin/" in link for link in links_of(response)))
for path, body in [
    (f"outstandingtoken/{pk}/end/", {}),
    ("outstandingtoken/", chosen | {"_selected_action": [new_session()], "confirmed": "yes"}),
    ("blacklistedtoken/add/", {"token": new_session()}),
    (f"outstandingtoken/end/?user={boss.pk}", {"confirmed": "yes"} if new_session() else {}),
    ("outstandingtoken/end/?user=nobody", {"confirmed": "yes"}),
]:
    response = client.post(root + path, body)
    show(response.status_code, response.headers.get("Location", "").startswith(("/support/", "?")))
show(BlacklistedToken.objects.count())
"""


def test_links_and_redirects_of_an_admin_site_lead_to_itself(new):
    shown = new(urls=URLS).run(PAGES)

    pages, rest = shown[:24], shown[24:]
    for start in range(0, 24, 4):
        page, status, has_links, strays = pages[start : start + 4]
        assert (status, has_links, strays) == (200, True, []), page
    assert rest[:2] == [200, False]
    assert rest[2:12:2] == [302] * 5
    assert rest[3:12:2] == [True] * 5
    assert rest[12] == 4
