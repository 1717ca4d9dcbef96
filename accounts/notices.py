"""The e-mails that tell the owner of an account what others did in it.

They are written beside the requests, from the activities that wait for one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import connections, router, transaction
from django.utils import timezone, translation

from .adapter import page_url
from .devices import device_name
from .languages import language_of
from .models import Activity, User
from .report import LIFETIME, report_url

logger = logging.getLogger(__name__)

MAX_PER_HOUR = 5  # e-mails for an account
MAX_LISTED_SESSIONS = 10  # in one e-mail
HOUR = timedelta(hours=1)
OPEN = (Activity.Mail.WAITING, Activity.Mail.HELD)
FOLDER = "account/email"
TEMPLATES = {
    Activity.Kind.SIGN_IN: f"{FOLDER}/new_sign_in",
    Activity.Kind.REUSE: f"{FOLDER}/token_reused",
    Activity.Kind.SUPPORT: f"{FOLDER}/sessions_ended",
}
SUMMARY = f"{FOLDER}/summary"


@dataclass(frozen=True)
class Notice:
    """An e-mail about one activity, about sessions that ended together, or a summary."""

    template: str
    activities: list[Activity]  # the newest last

    @classmethod
    def each(cls, activities: Iterable[Activity]) -> list[Notice]:
        """Return the e-mails about the activities. Sessions that support ended together are one."""
        together: dict[Any, list[Activity]] = {}
        for each in activities:
            is_support = each.kind == Activity.Kind.SUPPORT
            key = (each.at, each.note) if is_support else each.pk
            together.setdefault((each.kind, key), []).append(each)
        return [cls(TEMPLATES[kind], found) for (kind, _key), found in together.items()]

    @classmethod
    def of_held(cls, held: list[Activity]) -> list[Notice]:
        """Return the e-mail about those that the limit held back: a summary of several."""
        notices = cls.each(held)
        return [cls(SUMMARY, held)] if len(notices) > 1 else notices

    def render(self, user: User) -> EmailMessage:
        newest = self.activities[-1]
        sign_ins = sum(each.kind == Activity.Kind.SIGN_IN for each in self.activities)
        with translation.override(language_of(user)):
            facts = {
                "site_name": settings.SITE_NAME,
                "site": page_url(None, "home"),
                "email": user.email,
                "report_url": report_url(user, user.email),
                "reset_url": page_url(None, "account_reset_password"),
                "timestamp": newest.at,
                "device": device_name(newest.user_agent),
                "ip": newest.ip_address,
                "reason": " ".join(newest.note.split()),
                "count": len(self.activities),
                "sessions": [
                    {"device": device_name(each.user_agent), "ip": each.ip_address}
                    for each in self.activities[:MAX_LISTED_SESSIONS]
                ],
                "sign_ins": sign_ins,
                "ended": len(self.activities) - sign_ins,
                "limit": MAX_PER_HOUR,
            }
            message: EmailMessage = get_adapter().render_mail(self.template, user.email, facts)
        message.expires_at = timezone.now() + LIFETIME  # type: ignore[attr-defined]  # see outbox
        return message


def write_emails(now: datetime | None = None) -> int:
    """Write the e-mails about activities that wait; return how many.

    Two processes may do so at the same time: each e-mail is written once. An e-mail that cannot be
    sent now waits for the next call.
    """
    now = now or timezone.now()
    waiting = Activity.objects.filter(mail__in=OPEN).order_by("user")
    users = list(waiting.values_list("user", flat=True).distinct())
    return sum(_write_to(user, now) for user in users)


def _write_to(key: Any, now: datetime) -> int:
    """Write the e-mails for one user, at most MAX_PER_HOUR in an hour; hold back the others."""
    with transaction.atomic(router.db_for_write(Activity)):
        if not _lock(key):
            return 0
        found = Activity.objects.filter(user=key, mail__in=OPEN, kind__in=TEMPLATES)
        activities = list(found.order_by("at", "pk"))
        user = User.objects.get(pk=key)
        if not user.is_active:  # the link would not work
            _mark(activities, Activity.Mail.NONE)
            return 0
        held = [each for each in activities if each.mail == Activity.Mail.HELD]
        waiting = [each for each in activities if each.mail == Activity.Mail.WAITING]
        notices = Notice.of_held(held) + Notice.each(waiting)
        sent = Activity.objects.filter(user=key, mailed_at__gt=now - HOUR)
        count = sent.values("mailed_at").distinct().count()
        room = max(MAX_PER_HOUR - count, 0)
        for notice in notices[room:]:
            _mark(notice.activities, Activity.Mail.HELD)
        return sum(
            # Each e-mail has a time of its own, by which they are counted.
            _write(notice, user, now + timedelta(microseconds=count + number))
            for number, notice in enumerate(notices[:room])
        )


def _lock(key: Any) -> bool:
    """Return whether this process is the only one that writes to the user now.

    It locks the oldest activity, and not the user, because a sign-in would wait for that.
    """
    database = connections[router.db_for_write(Activity)]
    oldest = Activity.objects.filter(user=key).order_by("pk").values_list("pk")[:1]
    locked = Activity.objects.filter(pk__in=list(oldest.values_list("pk", flat=True)))
    skip = database.features.has_select_for_update_skip_locked
    return bool(locked.select_for_update(skip_locked=skip).values_list("pk"))


def _write(notice: Notice, user: User, now: datetime) -> int:
    """Send one e-mail; return 1 if it was sent."""
    try:
        notice.render(user).send()
    except OSError:
        logger.exception("the e-mail %r could not be sent, and waits", notice.template)
        return 0
    # The address is impossible in an e-mail, for example a domain without IDNA form.
    except (ValueError, ValidationError):
        logger.exception("the e-mail %r cannot be sent", notice.template)
        _mark(notice.activities, Activity.Mail.NONE)
        return 0
    _mark(notice.activities, Activity.Mail.SENT, now)
    return 1


def _mark(activities: list[Activity], mail: str, mailed_at: datetime | None = None) -> None:
    keys = [each.pk for each in activities]
    Activity.objects.filter(pk__in=keys).update(mail=mail, mailed_at=mailed_at)
