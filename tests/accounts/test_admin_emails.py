"""The admin of e-mails that wait or failed shows no texts."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from post_office.models import STATUS, Email, Log

from accounts import outbox
from tests.support.factories import UserFactory

LIST = "/admin/post_office/email/"


@pytest.fixture
def failed(db, settings):
    settings.EMAIL_BACKEND = "accounts.outbox.EmailBackend"
    settings.EMAIL_DELIVERY_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    EmailMessage("Your code", "KX7-QPM", None, ["ada@example.com"]).send()
    email = Email.objects.get()
    Email.objects.update(status=STATUS.failed, number_of_retries=7)
    Log.objects.create(email=email, status=STATUS.failed, exception_type="Refused", message="550")
    return email


def staff(*codenames):
    member = UserFactory(is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(member)
    return client


@pytest.mark.parametrize("page", ["", "{}/change/"])
def test_support_sees_what_failed_and_no_text(failed, page):
    text = staff("view_email").get(LIST + page.format(failed.pk)).text

    for shown in ("ada@example.com", "Your code", "failed", "Refused: 550"):
        assert shown in text
    assert failed.message not in text
    assert "Send again" not in text


def test_a_failed_email_is_sent_again(failed):
    action = {"action": "send_again", "_selected_action": [failed.pk]}

    answer = staff("view_email", "change_email").post(LIST, action, follow=True)

    assert [str(message) for message in answer.context["messages"]] == ["1 e-mail is sent again."]
    assert LogEntry.objects.get().change_message == "Sent again."
    assert outbox.send_waiting() == 1
    assert mail.outbox[0].body == "KX7-QPM"


def test_one_who_may_only_view_cannot_send_again(failed):
    action = {"action": "send_again", "_selected_action": [failed.pk]}

    staff("view_email").post(LIST, action)

    assert Email.objects.get().status == STATUS.failed


@pytest.mark.parametrize("model", ["emailtemplate", "attachment", "log"])
def test_the_librarys_other_pages_are_missing(admin_client, model):
    assert admin_client.get(f"/admin/post_office/{model}/").status_code == 404
