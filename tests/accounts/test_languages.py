"""The language of a user's e-mails."""

from datetime import UTC, datetime

import pytest
from django.core import mail

from accounts import notices
from accounts.languages import language_of
from accounts.models import Activity, User
from tests.support.devices import Device
from tests.support.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
AT = datetime(2026, 12, 1, 11, 40, tzinfo=UTC)


@pytest.mark.pages
def test_is_that_of_the_sign_up(client, db):
    form = {"email": "ada@example.com", "password1": PASSWORD, "name": "Ada"}

    client.post("/signup/", form, headers={"accept-language": "es"})

    assert User.objects.get(email="ada@example.com").language == "es"


def test_can_be_changed_by_the_api_to_one_that_the_site_has(user):
    device = Device(user)
    device.log_in()

    def change(language):
        body = {"language": language}
        return device.http.patch("/api/me/", body, format="json", **device.bearer)

    assert change("es").json()["language"] == "es"
    assert change("tlh").status_code == 400
    user.refresh_from_db()
    assert user.language == "es"


def test_of_a_notice_is_the_owners_and_not_a_thiefs(user):
    User.objects.filter(pk=user.pk).update(language="de")
    device = Device(user, HTTP_ACCEPT_LANGUAGE="es")
    device.log_in()

    device.change_password("another long password")

    assert "Ihr Konto hat ein neues Passwort" in mail.outbox[-1].subject


@pytest.mark.parametrize("stored", ["", "gone"])
def test_without_a_stored_one_is_the_default(stored):
    user = UserFactory.build(language=stored)

    assert (language_of(user), language_of(user, "es")) == ("en", "es")


def test_of_an_e_mail_that_no_request_causes_is_the_owners(user, mailoutbox, monkeypatch):
    monkeypatch.setattr(notices, "language_of", lambda user: "de")
    for number in range(2):
        Activity.objects.create(
            user=user,
            kind=Activity.Kind.SUPPORT,
            at=AT,
            session_id=f"s{number}",
            note="Gestohlenes Telefon",
            mail=Activity.Mail.WAITING,
        )

    notices.write_emails(AT)

    said = " ".join(mailoutbox[0].body.split())
    assert "2 Ihrer Sitzungen" in said
    assert "Wann: 1. Dezember 2026, 11:40 UTC" in said
    assert "Grund: Gestohlenes Telefon" in said
