"""The link “This wasn't me” clicked several times at the same time, and e-mails by two senders."""

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import report
from accounts.models import Activity, User
from accounts.notices import write_emails
from tests.support.devices import Device
from tests.support.factories import PASSWORD
from token_blacklist.models import OutstandingToken

from .conftest import ROUNDS, THREADS

pytestmark = pytest.mark.slow


def post(link):
    return lambda: Client().post(link).status_code


@pytest.mark.pages
def test_one_of_several_simultaneous_clicks_acts(user, together, mailoutbox):
    for _ in range(ROUNDS):
        mailoutbox.clear()
        links = [f"/report/{report.make_token(user, user.email)}/" for _ in range(2)]

        answers = together(*[post(link) for link in links * (THREADS // 2)])

        # A report ends all other links of the address, whichever of them is first.
        assert sorted(answers) == [200] + [404] * (THREADS - 1)
        assert len(mailoutbox) == 1
    assert Activity.objects.count() == ROUNDS


@pytest.mark.pages
def test_no_sign_in_survives_a_simultaneous_report(user, together):
    for _ in range(ROUNDS):
        User.objects.filter(pk=user.pk).update(password=user.password)
        link = f"/report/{report.make_token(user, user.email)}/"
        form = {"login": user.email, "password": PASSWORD}

        *_, status = together(
            *[lambda form=form: Client().post("/login/", form)] * 3,
            *[lambda: Device(user).log_in()] * 3,
            post(link),
        )

        assert status == 200
        assert not OutstandingToken.objects.live().exists()


@pytest.mark.postgresql
def test_several_senders_write_each_e_mail_once_and_five_in_an_hour(user, together, mailoutbox):
    for number in range(8):
        Activity.objects.create(
            user=user, kind="sign_in", at=timezone.now(), session_id=f"{number}", mail="waiting"
        )

    assert sum(together(*[write_emails] * THREADS)) == 5

    assert len(mailoutbox) == 5
    assert Activity.objects.filter(mail="held").count() == 3


@pytest.mark.postgresql
def test_a_sign_in_does_not_wait_for_e_mails_that_are_being_written(user, together):
    Activity.objects.create(
        user=user, kind="sign_in", at=timezone.now(), session_id="1", mail="waiting"
    )

    with transaction.atomic():
        write_emails()
        (answer,) = together(lambda: Device(user).log_in())

    assert answer.status_code == 200
