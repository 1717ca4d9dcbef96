"""The home page: the product's name and sentence, and the ways in."""

import re

import pytest
from django.urls import reverse

from tests.support.factories import UserFactory

pytestmark = pytest.mark.django_db


def links(answer):
    """Return the addresses of the page's links, without those of its head."""
    return re.findall(r'<a [^>]*href="([^"]+)"', answer.text)


def test_a_visitor_sees_the_name_and_the_sentence_and_can_sign_in_or_up(client, settings):
    settings.SITE_NAME, settings.SITE_DESCRIPTION = "Acme <Portal>", 'Invoices for "small" teams.'

    page = client.get("/")

    assert '<h1 dir="auto">Acme &lt;Portal&gt;</h1>' in page.text
    assert page.text.count("Invoices for &quot;small&quot; teams.") == 2  # also in the description
    in_main = page.text.partition("<main")[2]
    assert 'class="button" href="/login/"' in in_main
    assert 'class="button quiet" href="/signup/"' in in_main


def test_a_closed_sign_up_is_not_offered(client, settings):
    settings.ACCOUNT_SIGNUP_ENABLED = False

    assert "/signup/" not in links(client.get("/"))


@pytest.mark.parametrize("path", ["/", "/login/", "/nothing/"])
def test_no_page_shows_visitors_a_link_to_the_api_or_the_admin(client, path):
    found = links(client.get(path))

    assert "/" in found
    assert not [link for link in found if link.startswith(("/api/", reverse("admin:index")))]


@pytest.mark.parametrize("is_staff", [False, True])
def test_a_user_sees_who_is_signed_in_and_staff_a_link_to_the_admin(
    client, django_assert_num_queries, is_staff
):
    user = UserFactory(name="Ada <b>", is_staff=is_staff)
    client.force_login(user)

    with django_assert_num_queries(2):  # the Django session and the user
        page = client.get("/")

    assert "You are signed in as <bdi>Ada &lt;b&gt;</bdi>." in page.text
    assert "/account/" in links(page)
    assert "/login/" not in links(page)
    assert (reverse("admin:index") in links(page)) is is_staff
