"""The models: sessions, the blacklist, and flush runs.

An `OutstandingToken` is a session, one sign-in on one device. A refresh advances its row, so a
session has one row however often it is refreshed. A `BlacklistedToken` that points to it ends it.
The text of a token is not stored: without the signing key, no row can be turned into a token.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, router, transaction
from django.utils.translation import gettext_lazy as _

from .clients import USER_AGENT_LENGTH
from .conf import conf
from .token_user import TokenUser  # noqa: F401  # Simple JWT has it here
from .utils import TimeField, aware, aware_now

MAX_PARAMETERS = 30_000  # of a statement on SQLite, which accepts 32,766
JTI_LOOKUP = re.compile(r"(?P<path>(token__)?)jti(__exact|(?P<several>__in))?")
LATER_JTI = re.compile(r"(?P<session_id>.+)\.(?P<generation>[1-9][0-9]{0,8})", re.ASCII)


def jti_of(session_id: str, generation: int) -> str:
    """Return the jti of a session's n-th token: `<sid>` for the first, then `<sid>.<n>`."""
    return f"{session_id}.{generation}" if generation else session_id


def session_ids(jti: str) -> list[str]:
    """Return the session ids that a jti may belong to: itself, or the part before `.<n>`."""
    later = LATER_JTI.fullmatch(jti)
    return [jti, later["session_id"]] if later else [jti]


def _without_jti(condition: Any) -> Any:
    """Return the condition with look-ups of `session_id` in place of those of `jti`."""
    if isinstance(condition, models.Q):
        condition = condition.copy()
        condition.children = [_without_jti(child) for child in condition.children]
    elif isinstance(condition, tuple) and (found := JTI_LOOKUP.fullmatch(condition[0])):
        jtis = condition[1] if found["several"] else [condition[1]]
        ids = [session_id for jti in jtis for session_id in session_ids(jti)]
        return f"{found['path']}session_id__in", ids
    return condition


def _conditions(args: Any, kwargs: dict[str, Any]) -> Iterator[Any]:
    """Return the arguments of `filter` or `exclude` without `jti`, and none if there are none."""
    return map(_without_jti, filter(None, (*args, models.Q(**kwargs))))


def _is_in_force(generation: Any, now: Any) -> models.Q:
    """Return the condition on a session under which a token of that generation is accepted.

    The previous generation is accepted for ROTATION_GRACE_PERIOD after the refresh, so that a
    client can repeat a refresh whose response was lost.
    """
    accepted = models.Q(generation=generation)
    if not conf.BLACKLIST_AFTER_ROTATION:
        accepted |= models.Q(generation__gt=generation)
    elif conf.ROTATION_GRACE_PERIOD:
        since = now - conf.ROTATION_GRACE_PERIOD
        accepted |= models.Q(generation=generation + 1, refreshed_at__gte=since)
    return accepted


def _records() -> models.QuerySet[BlacklistedToken]:
    return BlacklistedToken.objects.filter(token=models.OuterRef("pk"))


class OutstandingTokenQuerySet(models.QuerySet["OutstandingToken"]):
    def filter(self, *args: Any, **kwargs: Any) -> Self:
        """Also accept `jti`, which is not a column. See `with_jti`."""
        return super().filter(*_conditions(args, kwargs))

    def exclude(self, *args: Any, **kwargs: Any) -> Self:
        return super().exclude(*_conditions(args, kwargs))

    def for_write(self) -> Self:
        """Read from the database that rows are written to, and not from a replica."""
        return self.using(router.db_for_write(self.model))

    def with_jti(self, jti: str) -> Self:
        """Return the session that a jti of any generation belongs to."""
        return self.filter(session_id__in=session_ids(jti))

    def not_blacklisted(self) -> Self:
        """Return the sessions that were not ended. In Python: `not session.is_blacklisted`.

        A subquery instead of a join: Django turns a join in an UPDATE into `id IN (subquery)`,
        which PostgreSQL does not evaluate again after waiting for the row.
        """
        return self.filter(~models.Exists(_records()))

    def one_not_blacklisted(self) -> Self:
        """Like `not_blacklisted`, for a prepared statement that looks up one session.

        With EXISTS, PostgreSQL plans a scan of the whole blacklist while it is empty, and keeps
        that plan as the list grows (0.6 ms at 9,000 records).
        """
        return self.alias(_record=models.Subquery(_records().values("pk"))).filter(_record=None)

    def unexpired(self, now: datetime) -> Self:
        return self.filter(expires_at__gt=now - conf.LEEWAY)

    def expired(self, now: datetime) -> Self:
        """Return the sessions that no request can use, even with the leeway."""
        return self.filter(expires_at__lte=now - conf.LEEWAY)

    def live(self, now: datetime | None = None) -> Self:
        return self.unexpired(now or aware_now()).not_blacklisted()

    def in_force(self, generation: Any, now: Any) -> Self:
        """Return the sessions in which a token of that generation is accepted."""
        return self.filter(_is_in_force(generation, now))

    def annotate_in_force(self, generation: int, now: datetime) -> Self:
        """Add `is_in_force`: whether a token of that generation is accepted."""
        condition = _is_in_force(generation, now)
        return self.annotate(
            is_in_force=models.ExpressionWrapper(condition, output_field=models.BooleanField())
        )

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the sessions with their blacklist records.

        The rows are locked first, so that a sign-out at the same time cannot insert a record
        without a session.
        """
        self._for_write = True
        with transaction.atomic(self.db):
            rows = OutstandingToken.objects.using(self.db).select_for_update()
            keys = list(rows.filter(pk__in=self.values("pk")).values_list("pk", flat=True))
            locked = OutstandingTokenQuerySet(self.model, using=self.db)
            deleted: Counter[str] = Counter()
            for part in range(0, len(keys), MAX_PARAMETERS):
                chunk = locked.filter(pk__in=keys[part : part + MAX_PARAMETERS])
                deleted.update(super(OutstandingTokenQuerySet, chunk).delete()[1])
        return deleted.total(), dict(deleted)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class OutstandingToken(models.Model):
    """A session: one sign-in on one device, and which of its tokens is in force."""

    id = models.BigAutoField(primary_key=True, serialize=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,  # see Meta.indexes
        verbose_name=_("user"),
    )
    session_id = models.CharField(_("session id"), unique=True, max_length=255)
    generation = models.IntegerField(_("generation"), default=0, db_default=0)
    created_at = TimeField(_("signed in"), null=True, blank=True)
    refreshed_at = TimeField(_("last refreshed"), null=True, blank=True)
    expires_at = TimeField(_("expires"))
    ip_address = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    user_agent = models.CharField(
        _("user agent"), max_length=USER_AGENT_LENGTH, blank=True, default="", db_default=""
    )

    is_in_force: bool  # only from `annotate_in_force`

    objects = OutstandingTokenQuerySet.as_manager()

    class Meta:
        # Explicit, so that the token classes can be imported if the app is not installed.
        app_label = "token_blacklist"
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = [
            models.Index(fields=["expires_at"], name="outstanding_expires_at"),  # for the flush
            # For searches in the admin; a refresh changes only `ip_address`, and rarely. The id
            # lets the newest sessions of a user or an address be read first.
            models.Index(fields=["user", "id"], name="outstanding_user"),
            models.Index(fields=["created_at"], name="outstanding_created_at"),
            models.Index(fields=["ip_address", "id"], name="outstanding_ip_address"),
        ]

    def __str__(self) -> str:
        return _("Session %(session)s of %(user)s") % {
            "session": self.session_id,
            "user": self.user or _("nobody"),
        }

    def delete(self, using: str | None = None, keep_parents: bool = False) -> Any:
        """Delete the session with its blacklist record."""
        using = using or router.db_for_write(type(self), instance=self)
        return type(self).objects.using(using).filter(pk=self.pk).delete()

    @property
    def jti(self) -> str:
        """The jti of the token now in force."""
        return jti_of(self.session_id, self.generation)

    @property
    def is_blacklisted(self) -> bool:
        return hasattr(self, "blacklistedtoken")

    def is_expired(self, now: datetime | None = None) -> bool:
        now = aware_now() if now is None else aware(now)
        return aware(self.expires_at) <= now - conf.LEEWAY


class BlacklistedTokenQuerySet(models.QuerySet["BlacklistedToken"]):
    def filter(self, *args: Any, **kwargs: Any) -> Self:
        """Also accept `token__jti`, which is not a column."""
        return super().filter(*_conditions(args, kwargs))

    def exclude(self, *args: Any, **kwargs: Any) -> Self:
        return super().exclude(*_conditions(args, kwargs))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the records with their sessions, which would otherwise be live again."""
        self._for_write = True
        return OutstandingToken.objects.using(self.db).filter(pk__in=self.values("token")).delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


def reasons() -> list[tuple[str, Any]]:
    """Return the choices of `BlacklistedToken.reason`, so that a new one needs no migration."""
    return BlacklistedToken.Reason.choices


class BlacklistedToken(models.Model):
    """The end of a session: when, why and by whom. A session is never reactivated."""

    class Reason(models.TextChoices):
        """Why a session was ended: its value, its color in charts, its label.

        Filters, lists, charts and metrics use this list. The first colors are Okabe and Ito's,
        which color-blind users can distinguish.
        """

        LOGOUT = "logout", "#56b4e9", _("signed out")
        LOGOUT_ALL = "logout_all", "#0072b2", _("signed out everywhere")
        ADMIN = "admin", "#e69f00", _("ended by an administrator")
        REUSE = "reuse", "#d55e00", _("token reused")
        PASSWORD = "password", "#009e73", _("password changed")
        DEACTIVATED = "deactivated", "#cc79a7", _("account deactivated")
        API = "api", "#8a8f98", _("ended by the application")

        color: str

        def __new__(cls, value: str, color: str) -> Self:
            member = str.__new__(cls, value)
            member._value_ = value
            member.color = color
            return member

    id = models.BigAutoField(primary_key=True, serialize=False)
    # Without a database constraint: it would cost a look-up for each row that the flush deletes.
    # `sessions/end.py` inserts a record from the locked row of its session instead.
    token = models.OneToOneField(
        OutstandingToken,
        on_delete=models.CASCADE,
        db_constraint=False,
        verbose_name=_("session"),
    )
    blacklisted_at = TimeField(_("ended"), auto_now_add=True)
    reason = models.CharField(
        _("reason"),
        max_length=16,
        choices=reasons,
        default=Reason.API,
        db_default=Reason.API.value,
    )
    blacklisted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("ended by"),
    )
    note = models.CharField(
        _("note"),
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text=_("Why this session was ended."),
    )

    objects = BlacklistedTokenQuerySet.as_manager()

    class Meta:
        app_label = "token_blacklist"
        verbose_name = _("ended session")
        verbose_name_plural = _("ended sessions")
        indexes = [
            models.Index(fields=["blacklisted_at", "reason"], name="blacklisted_at_reason"),
            models.Index(fields=["reason", "token"], name="blacklisted_reason_token"),
        ]

    def __str__(self) -> str:
        return _("%(token)s, ended") % {"token": self.token}

    def delete(self, using: str | None = None, keep_parents: bool = False) -> Any:
        """Delete the record with its session, so that a revoked token never works again."""
        using = using or router.db_for_write(type(self), instance=self)
        return type(self).objects.using(using).filter(pk=self.pk).delete()


class FlushRun(models.Model):
    """One run of the flush, which shows operators that the scheduler works."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")
        OUT_OF_TIME = "out_of_time", _("out of time")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")  # killed before it could save its outcome

    started_at = TimeField(_("started"))
    duration = models.DurationField(_("duration"), default=timedelta(0))
    outstanding_deleted = models.PositiveBigIntegerField(_("sessions deleted"), default=0)
    blacklisted_deleted = models.PositiveBigIntegerField(_("ended sessions among them"), default=0)
    outcome = models.CharField(
        _("outcome"), max_length=16, choices=Outcome.choices, default=Outcome.RUNNING
    )

    class Meta:
        app_label = "token_blacklist"
        verbose_name = _("flush run")
        verbose_name_plural = _("flush runs")

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.get_outcome_display()}"
