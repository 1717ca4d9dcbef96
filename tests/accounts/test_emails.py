"""The e-mails: each template of django-allauth is overridden and translated."""

import re
from html import unescape
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace

import allauth
import pytest
from allauth.account.adapter import get_adapter
from allauth.core import context
from django.conf import settings
from django.core import mail
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.html import strip_tags

from accounts.models import verify
from tests.support.checkout import ROOT
from tests.support.factories import PASSWORD

THEIRS = Path(allauth.__file__).parent / "templates"
TEMPLATES = sorted(str(path.relative_to(THEIRS)) for path in THEIRS.glob("*/email/*"))
EMAILS = [name.removesuffix("_subject.txt") for name in TEMPLATES if "_subject" in name]
# A product may have removed a language, and added others without these texts.
TRANSLATED = {"en", "de", "es"} & dict(settings.LANGUAGES).keys()
HOME = getattr(settings, "HEADLESS_FRONTEND_URLS", {}).get("home", "http://testserver/")
A_LINK = "http://testserver/a-link/"
FACTS = {
    "timestamp": timezone.now(),
    "ip": "192.0.2.1",
    "user_agent": "Chrome",
    "device": "Chrome on Linux",
    "report_url": "http://testserver/report/a-token/",
    "reset_url": "http://testserver/password/reset/",
    "password_reset_url": A_LINK,
    "signup_url": A_LINK,
    "activate_url": A_LINK,
    "provider": "Google",
    "from_email": "old@example.com",
    "to_email": "new@example.com",
    "deleted_email": "old@example.com",
    "user": SimpleNamespace(name="Win a prize"),
}
CODE = "KX7-QPM"
WITH_CODE = [name for name in EMAILS if re.search("confirmation|_code$", name)]


@pytest.fixture
def write(rf, mailoutbox):
    """Send an e-mail with every context variable that django-allauth uses; return it."""

    def send(name, language="en", **facts):
        with translation.override(language), context.request_context(rf.get("/")):
            get_adapter().send_mail(name, "ada@example.com", {**FACTS, **facts})
        return mail.outbox[-1]

    return send


def html_of(message):
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    return html


def words_of(text):
    return " ".join(text.split())


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_email_template_of_allauth_is_overridden(name):
    assert Path(get_template(name).origin.name) == ROOT / "templates" / name


@pytest.mark.parametrize(
    ("name", "code"),
    [*((name, {}) for name in EMAILS), *((name, {"code": CODE}) for name in WITH_CODE)],
)
def test_every_email_has_a_subject_a_text_and_html_in_each_language(write, settings, name, code):
    settings.SITE_NAME = "R&D <Portal>"
    settings.ACCOUNT_EMAIL_SUBJECT_PREFIX = "R&D <Portal>: "
    sent = {language: write(name, language, **code) for language in TRANSLATED}

    for language, message in sent.items():
        html = html_of(message)
        assert message.subject.startswith("R&D <Portal>: ")
        assert "R&D <Portal>" in message.body
        assert HOME in message.body
        body = message.body.replace(HOME, "").replace("@example.com", "")
        assert "example.com" not in body  # Django's own site
        assert f'<html lang="{language}">' in html
        assert not re.search("style=|<img|<link|<script|url\\(", html)
        body = html.partition("<body>")[2]
        assert words_of(unescape(strip_tags(body))) == words_of(message.body)
    for part in ("subject", "body"):
        assert len({getattr(message, part) for message in sent.values()}) == len(sent)
    assert "Win a prize" not in str([message.body for message in sent.values()])


@pytest.mark.parametrize("name", WITH_CODE)
def test_a_code_is_on_a_line_of_its_own(write, name):
    message = write(name, code=CODE)

    assert f"\n\n{CODE}\n\n" in message.body
    assert CODE not in message.subject
    assert re.search(rf"<p>\s*<strong>{CODE}</strong>\s*</p>", html_of(message))


def test_urls_are_links_and_text_of_the_user_agent_is_not(write):
    message = write("account/email/password_changed", device="https://evil.example <b>")

    html = html_of(message)

    links = re.findall('href="([^"]+)"', html)
    assert links == [FACTS["report_url"], HOME]
    assert "https://evil.example &lt;b&gt;" in html


@pytest.mark.pages
def test_an_email_about_an_account_change_has_its_time_address_and_device(
    client, user, settings, mailoutbox
):
    client.force_login(user)
    chrome = "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 Safari/537.36"
    forms = {"/reauthenticate/": {"password": PASSWORD}}
    new = "a new long password"
    forms["/password/change/"] = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    for path, form in forms.items():
        client.post(path, form, HTTP_USER_AGENT=chrome, REMOTE_ADDR="192.0.2.7")

    (message,) = mailoutbox

    assert message.to == [user.email]
    assert f"The password of your account at {settings.SITE_NAME} was changed." in message.body
    assert re.search(r"When: \w+\.? \d+, \d{4}, .+ UTC\n", message.body)
    assert "Device: Chrome on Linux\nIP address: 192.0.2.7\n" in message.body
    (link,) = re.findall(r"\nhttp://testserver(/report/\S+)\n", message.body)
    assert client.post(link).status_code == HTTPStatus.OK
    user.refresh_from_db()
    assert not user.has_usable_password()


@pytest.mark.pages
def test_the_previous_address_gets_the_link_that_restores_it(client, user, mailoutbox):
    address = user.email
    verify(user)
    client.force_login(user)
    client.post("/reauthenticate/", {"password": PASSWORD})
    client.post("/email/", {"action_add": "", "email": "thief@example.com"})
    pattern = r"http://testserver(/confirm-email/\S+)"
    (confirm,) = re.findall(pattern, mailoutbox[-1].body)
    client.post(confirm)
    (message,) = [each for each in mailoutbox if "was changed" in each.subject]

    (link,) = re.findall(r"http://testserver(/report/\S+)", message.body)
    client.post(link)

    assert message.to == [address]
    user.refresh_from_db()
    assert user.email == address


def test_an_html_template_of_the_product_is_used(write, tmp_path, settings):
    path = tmp_path / "account/email/login_code_message.html"
    path.parent.mkdir(parents=True)
    path.write_text("<h1>{{ code }}</h1>")
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path, *engine["DIRS"]]}]

    assert html_of(write("account/email/login_code", code=CODE)) == f"<h1>{CODE}</h1>"
