"""“This wasn't me”: the link of an e-mail with which the owner takes the account back.

The link is signed, works once, expires after 24 hours and needs no sign-in. It is not bound to the
password, because a thief may have changed it, and it gives the account back the address that it was
mailed to. A link of the address that a thief has entered is always issued later than those of the
owner. So a report ends all links that were issued after its own; of those before, it ends only the
ones that were mailed to the same address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core import signing
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from token_blacklist.clients import client_of
from token_blacklist.models import BlacklistedToken
from token_blacklist.sessions.end import revoke_user

from .models import Activity, User

LIFETIME = timedelta(hours=24)
NOTE = "The owner reported: this wasn't me."  # of the sessions that a report ends
SALT = "accounts.report"
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Link:
    """What a link contains: the user, the address that it was mailed to, and when."""

    user: str
    address: str
    issued_at: datetime

    @property
    def name(self) -> str:
        """The session id of the activity that records the use of the link."""
        return f"report:{(self.issued_at - EPOCH) // MICROSECOND}:{_digest(self.address)}"


@dataclass(frozen=True)
class Report:
    """What a report did."""

    address: str
    is_restored: bool  # whether the account has this address; otherwise another account has it


def report_url(user: User, address: str, request: HttpRequest | None = None) -> str:
    """Return the link for an e-mail to this address; "" if the project has no pages."""
    try:
        path = reverse("report", args=[make_token(user, address)])
    except NoReverseMatch:
        return ""
    return request.build_absolute_uri(path) if request else f"{settings.SITE_ORIGIN}{path}"


def make_token(user: User, address: str) -> str:
    issued = (timezone.now() - EPOCH) // MICROSECOND
    return signing.dumps([str(user.pk), address, issued], salt=SALT)


def find(token: str) -> Link | None:
    """Return the link of a token, or None if it is forged, expired or used."""
    link = _read(token)
    user = link and User.objects.filter(pk=link.user, is_active=True).first()
    return link if link and user and not _is_used(link, user) else None


def act(token: str, request: HttpRequest) -> Report | None:
    """End every session, disable the password, restore the address. One transaction.

    Passkeys and connected accounts of the last 24 hours are removed.

    Return None, and change nothing, if the link is forged, expired or used. Of two simultaneous
    calls, the second waits for the lock on the user and finds the link used.
    """
    link = _read(token)
    if link is None:
        return None
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=link.user, is_active=True).first()
        if user is None or _is_used(link, user):
            return None
        now = max(timezone.now(), link.issued_at)  # the clocks of two servers differ
        # A hash that is new also ends remembered devices and links for a new password.
        secured = {"password": make_password(None), "secured_at": now, "delete_at": None}
        User.objects.filter(pk=user.pk).update(**secured)
        is_restored = _restore(user, link.address)
        if not is_restored:  # its other address may be a thief's, who could choose a new password
            User.objects.filter(pk=user.pk).update(is_active=False)
        _remove_new_ways_in(user, now - LIFETIME)
        reason = BlacklistedToken.Reason.LOGOUT_ALL
        revoke_user(user, reason=reason, by=user, note=NOTE)
        client = client_of(request)
        Activity.objects.create(
            user=user,
            kind=Activity.Kind.REPORTED,
            at=now,
            session_id=link.name,
            ip_address=client.ip_address,
            user_agent=client.user_agent,
            note=NOTE,
        )
    return Report(link.address, is_restored)


def _remove_new_ways_in(user: User, since: datetime) -> None:
    """Remove passkeys and connected accounts that a thief may have added. Each is a way to sign in.

    An authenticator app stays: it is none, and the owner's own must not be lost.
    """
    keys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    keys.filter(created_at__gte=since).delete()
    SocialAccount.objects.filter(user=user, date_joined__gte=since).delete()


def end_links(user: User) -> None:
    """End every link that was mailed before: support has entered another address."""
    Activity.objects.create(
        user=user,
        kind=Activity.Kind.SUPPORT,
        at=timezone.now(),
        session_id=f"report:0:{uuid4().hex}",  # 0: before any link
        note="Support entered another e-mail address.",
    )


def _read(token: str) -> Link | None:
    try:
        user, address, issued = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return Link(user, address, EPOCH + issued * MICROSECOND)


def _is_used(link: Link, user: User) -> bool:
    """Return whether a report has ended this link."""
    reports = Activity.objects.filter(
        user=user, at__gte=link.issued_at, session_id__startswith="report:"
    )
    names = list(reports.values_list("session_id", flat=True))
    if not names:  # or they were deleted
        return user.secured_at is not None and user.secured_at >= link.issued_at
    _prefix, mine, address = link.name.split(":")
    return any(
        int(issued) <= int(mine) or mailed_to == address
        for _prefix, issued, mailed_to in (name.split(":") for name in names)
    )


def _restore(user: User, address: str) -> bool:
    """Make the address the user's only one, verified; return False if another account has it.

    Addresses that wait for their verification are removed, too: a thief may have added them.
    """
    addresses = EmailAddress.objects.exclude(user=user)
    others = User.objects.exclude(pk=user.pk).filter(email=address)
    if addresses.filter(email=address, verified=True).exists() or others.filter(is_staff=True):
        return False
    try:
        with transaction.atomic():
            # Anybody can sign up with an address that no account has. Without the code from the
            # mailbox, it is not theirs.
            for other in others:
                others.filter(pk=other.pk).update(email=f"user-{other.pk}@displaced.invalid")
            addresses.filter(email=address).delete()
            EmailAddress.objects.filter(user=user).exclude(email=address).delete()
            User.objects.filter(pk=user.pk).update(email=address)
            EmailAddress.objects.update_or_create(
                user=user, email=address, defaults={"verified": True, "primary": True}
            )
    except IntegrityError:  # verified by another account at the same time
        return False
    return True


def _digest(address: str) -> str:
    return salted_hmac(SALT, address, algorithm="sha256").hexdigest()
