"""A new password by e-mail."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.cache import cache

from tests.support.factories import PASSWORD, UserFactory
from token_blacklist.models import BlacklistedToken

LINK = re.compile(r"http://testserver(/password/reset/\S+)")
ASK, CONFIRM = "/api/password/reset/", "/api/password/reset/confirm/"
NEW = "a new long password"


def ask(client, email):
    return client.post("/password/reset/", {"email": email})


def link_in(mail):
    return LINK.search(mail.body)[1]


def choose(client, link, password=NEW):
    form = client.get(link, follow=True)
    address = form.redirect_chain[-1][0]
    return client.post(address, {"new_password1": password})


@pytest.fixture
def clock(monkeypatch):
    """Return a function that sets the reset links' clock to seconds from now."""
    now = PasswordResetTokenGenerator()._now()

    def set_clock(seconds):
        later = now + timedelta(seconds=seconds)
        monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: later)

    return set_clock


@pytest.fixture
def throttled(settings):
    def set_rates(**rates):
        cache.clear()
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}

    return set_rates


def test_a_known_and_an_unknown_address_get_the_same_answer_and_one_e_mail_each(
    client, user, mailoutbox
):
    known, unknown = ask(client, user.email), ask(client, "nobody@example.com")

    assert known.status_code == unknown.status_code == 302
    assert known.headers["Location"] == unknown.headers["Location"]
    assert [mail.to for mail in mailoutbox] == [[user.email], ["nobody@example.com"]]
    assert LINK.search(mailoutbox[0].body)
    assert not LINK.search(mailoutbox[1].body)


@pytest.mark.parametrize("state", [{"is_active": False}, {"password": "!"}])
def test_who_may_not_sign_in_gets_no_link(client, db, mailoutbox, state):
    owner = UserFactory()
    type(owner).objects.filter(pk=owner.pk).update(**state)

    assert ask(client, owner.email).status_code == 302
    assert not LINK.search(mailoutbox[0].body)


def assert_that_all_sessions_ended(user, *devices):
    """By the new password, which is in force."""
    user.refresh_from_db()
    assert user.check_password(NEW)
    for one in devices:
        assert one.me().status_code == 401
        assert one.refresh().status_code == 401
    assert {record.reason for record in BlacklistedToken.objects.all()} == {"password"}


def test_the_new_password_ends_every_session(client, device, phone, user, mailoutbox):
    ask(client, user.email)

    assert choose(client, link_in(mailoutbox[0])).status_code == 302

    assert_that_all_sessions_ended(user, device, phone)


def test_a_link_works_once(client, user, mailoutbox):
    ask(client, user.email)
    link = link_in(mailoutbox[0])
    choose(client, link)

    answer = client.get(link, follow=True)

    assert "This link no longer works" in answer.text


@pytest.mark.parametrize(
    ("seconds", "language", "said"),
    [
        (None, "en", "expires in 1 hour"),
        (None, "de", "ist 1 Stunde gültig"),
        (None, "es", "caduca en 1 hora"),
        (1800, "en", "expires in 30 minutes"),
    ],
)
def test_the_mail_and_the_page_say_for_how_long_the_link_works(
    client, user, mailoutbox, settings, seconds, language, said
):
    if seconds:
        settings.PASSWORD_RESET_TIMEOUT = seconds
    languages = {"accept-language": language}

    client.post("/password/reset/", {"email": user.email}, headers=languages)
    sent = client.get("/password/reset/sent/", headers=languages)

    assert said in mailoutbox[0].body.replace("\xa0", " ")
    assert said in sent.text.replace("\xa0", " ")


def test_a_link_expires_after_an_hour(client, user, mailoutbox, clock):
    ask(client, user.email)
    clock(3599)
    assert "Choose a new password" in client.get(link_in(mailoutbox[0]), follow=True).text

    clock(3602)

    answer = client.get(link_in(mailoutbox[0]), follow=True)
    assert "This link no longer works" in answer.text
    assert "expires in 1 hour" in answer.text.replace("\xa0", " ")


def test_a_poor_password_is_refused_and_ends_nothing(client, device, user, mailoutbox):
    ask(client, user.email)

    answer = choose(client, link_in(mailoutbox[0]), "password")

    assert answer.status_code == 200
    assert "too common" in answer.text
    assert device.me().status_code == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(
    "typed", ["", "nobody", "a@b", "a" * 300 + "@example.com", "a\x00@example.com", "\ud800@x.com"]
)
def test_what_is_no_address_is_said_to_be_none(client, db, mailoutbox, typed):
    answer = client.post("/password/reset/", {"email": typed.encode("utf-8", "surrogatepass")})

    assert answer.status_code == 200
    assert "errorlist" in answer.text
    assert not mailoutbox


@pytest.mark.parametrize("path", ["MQ/x", "x/x", "%00/%00", "%F0%9F%98%80/1-2", "9" * 400 + "/1-2"])
def test_a_broken_link_is_said_to_be_of_no_use(client, db, path):
    answer = client.get(f"/password/reset/{path}/", follow=True)

    assert answer.status_code == 200
    assert "This link no longer works" in answer.text


def test_asking_too_often_from_one_address_is_held_off(client, user, mailoutbox, throttled):
    throttled(reset="2/hour")
    for email in ("a@example.com", "b@example.com"):
        assert ask(client, email).status_code == 302

    answer = ask(client, user.email)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert "Too many attempts. Try again in" in answer.text
    assert len(mailoutbox) == 2


def test_nobody_can_be_flooded_with_links_from_many_addresses(client, user, mailoutbox, throttled):
    throttled(reset="100/hour", reset_account="2/hour")
    statuses = [
        client.post(
            "/password/reset/", {"email": user.email.title()}, REMOTE_ADDR=f"192.0.2.{number}"
        ).status_code
        for number in range(1, 5)
    ]

    assert statuses == [302, 302, 429, 429]
    assert len(mailoutbox) == 2


@pytest.mark.parametrize("padding", [" ", "\t\r\n", "\u00a0", "\u3000"])
def test_padding_an_address_sends_no_more_links(client, user, mailoutbox, throttled, padding):
    throttled(reset_account="2/hour")

    statuses = [
        ask(client, padding * 200 + user.email + padding * 100 * number).status_code
        for number in range(1, 5)
    ]

    assert statuses == [302, 302, 429, 429]
    assert len(mailoutbox) == 2


def test_one_spelling_finds_one_account(client, db, mailoutbox):
    owner = UserFactory(email="ada@\u03bb\u03cc\u03b3\u03bf\u03c3.example")  # a sigma
    final = owner.email.replace("\u03c3", "\u03c2")  # the one for the end of a word

    ask(client, final)
    ask(client, owner.email)

    assert [bool(LINK.search(mail.body)) for mail in mailoutbox] == [False, True]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
def test_a_body_of_another_kind_is_a_form_without_an_address(client, db, throttled, content_type):
    throttled(reset="100/hour", reset_account="2/hour")

    answer = client.post("/password/reset/", "{}", content_type=content_type)

    assert answer.status_code in {200, 400}


class TestOverTheApi:
    """The same two steps for an app that has pages of its own."""

    @pytest.fixture
    def api(self, client, db):
        def post(path, data, **extra):
            return client.post(path, data, content_type="application/json", **extra)

        return post

    @pytest.fixture
    def parts(self, api, user, mailoutbox):
        """Return the parts of the link that the user was sent."""
        api(ASK, {"email": user.email})
        _empty, _password, _reset, uid, token, _slash = link_in(mailoutbox[0]).split("/")
        return {"uid": uid, "token": token}

    def test_a_known_and_an_unknown_address_get_the_same_answer_and_one_e_mail_each(
        self, api, user, mailoutbox
    ):
        known = api(ASK, {"email": f" {user.email.upper()} "})
        unknown = api(ASK, {"email": "nobody@example.com"})

        assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
        assert known.json() == {}
        assert [mail.to for mail in mailoutbox] == [[user.email], ["nobody@example.com"]]
        assert [bool(LINK.search(mail.body)) for mail in mailoutbox] == [True, False]

    def test_the_e_mails_are_those_of_the_page(self, api, client, user, mailoutbox):
        for email in (user.email, "nobody@example.com"):
            ask(client, email)
            api(ASK, {"email": email})

        page, over_api, page_unknown, api_unknown = mailoutbox
        assert page.subject == over_api.subject
        assert LINK.sub("", page.body) == LINK.sub("", over_api.body)
        assert (page_unknown.subject, page_unknown.body) == (
            api_unknown.subject,
            api_unknown.body,
        )

    def test_a_known_and_an_unknown_address_take_the_same_statements(
        self, api, user, django_assert_num_queries
    ):
        with django_assert_num_queries(2):
            api(ASK, {"email": user.email})
        with django_assert_num_queries(2):
            api(ASK, {"email": "nobody@example.com"})

    @pytest.mark.parametrize(
        "data", [{}, {"email": "nobody"}, {"email": None}, {"email": "a@x\u2026y.com"}]
    )
    def test_what_is_no_address_is_refused_at_its_field(self, api, mailoutbox, data):
        answer = api(ASK, data)

        assert answer.status_code == 400
        assert answer.json().keys() == {"email"}
        assert not mailoutbox

    def test_counts_together_with_the_page(self, api, client, user, mailoutbox, throttled):
        throttled(reset="100/hour", reset_account="2/hour")
        assert api(ASK, {"email": user.email}).status_code == 200
        assert ask(client, user.email).status_code == 302

        held = api(ASK, {"email": user.email}, REMOTE_ADDR="192.0.2.1")

        assert held.status_code == ask(client, user.email).status_code == 429
        assert 0 < int(held.headers["Retry-After"]) <= 3600
        assert len(mailoutbox) == 2

    def test_many_addresses_from_one_client_are_held_off(self, api, throttled):
        throttled(reset="1/hour")

        statuses = [api(ASK, {"email": f"{n}@example.com"}).status_code for n in range(2)]

        assert statuses == [200, 429]

    def test_the_new_password_works_and_ends_every_session(self, api, device, phone, user, parts):
        answer = api(CONFIRM, {**parts, "new_password": NEW})

        assert (answer.status_code, answer.json()) == (200, {})
        assert_that_all_sessions_ended(user, device, phone)

    def test_a_link_works_once(self, api, user, parts):
        api(CONFIRM, {**parts, "new_password": NEW})

        answer = api(CONFIRM, {**parts, "new_password": "another long password"})

        assert answer.status_code == 400
        assert answer.json()["code"] == "link_not_valid"
        user.refresh_from_db()
        assert user.check_password(NEW)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"uid": "x"},
            {"uid": "MTIzNDU2"},
            {"token": "x"},
            {"uid": "9" * 400},
            {"uid": "\U0001f600"},
        ],
    )
    def test_a_broken_link_is_refused(self, api, user, parts, wrong):
        answer = api(CONFIRM, {**parts, **wrong, "new_password": NEW})

        assert answer.status_code == 400
        assert answer.json()["code"] == "link_not_valid"

    def test_a_link_does_nothing_for_a_user_who_was_deactivated(self, api, user, parts):
        type(user).objects.filter(pk=user.pk).update(is_active=False)

        answer = api(CONFIRM, {**parts, "new_password": NEW})

        assert answer.json()["code"] == "link_not_valid"

    def test_a_password_that_was_changed_at_the_same_moment_is_not_replaced(
        self, api, user, parts, monkeypatch
    ):
        def overtaken(raw):
            type(user).objects.filter(pk=user.pk).update(password="another hash")
            return make_password(raw)

        monkeypatch.setattr("accounts.passwords.make_password", overtaken)

        answer = api(CONFIRM, {**parts, "new_password": NEW})

        assert (answer.status_code, answer.json()["code"]) == (400, "link_not_valid")
        user.refresh_from_db()
        assert user.password == "another hash"

    def test_a_poor_password_is_refused_at_its_field_and_ends_nothing(
        self, api, device, user, parts
    ):
        answer = api(CONFIRM, {**parts, "new_password": "password"})

        assert answer.status_code == 400
        assert answer.json().keys() == {"new_password"}
        assert device.me().status_code == 200
        assert api(CONFIRM, {**parts, "new_password": NEW}).status_code == 200

    def test_the_link_of_the_page_is_good_for_the_api(self, api, client, user, mailoutbox):
        ask(client, user.email)
        _empty, _password, _reset, uid, token, _slash = link_in(mailoutbox[0]).split("/")

        answer = api(CONFIRM, {"uid": uid, "token": token, "new_password": NEW})

        assert answer.status_code == 200
