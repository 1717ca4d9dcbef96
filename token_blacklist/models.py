"""The two lists, and the record of each flush.

One `OutstandingToken` is one sign-in: refreshing moves its row forward, so a session has
one row however long it lives. A `BlacklistedToken` that points to it ends it for good. No
token text is kept: a row cannot be turned into a token without the signing key.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models, router, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .clients import USER_AGENT_LENGTH
from .conf import conf
from .signals import token_blacklisted
from .statements import TEXT, TIME, Statement, insert, insert_select, param, prepared

MOST_PARAMETERS = 30_000  # SQLite takes no more in a statement
LATER_JTI = re.compile(r"(?P<session_id>.+)\.(?P<generation>[1-9][0-9]{0,8})", re.ASCII)


def active_users() -> models.QuerySet[Any]:
    """Return the users who may sign in, as far as a database can tell."""
    users = get_user_model()._default_manager.all()
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:
        return users
    return users.filter(is_active=True) if conf.CHECK_USER_IS_ACTIVE else users


def user_id_param() -> Any:
    """Return the place of the value of USER_ID_FIELD, `user_id`, in a statement."""
    return param("user_id", get_user_model()._meta.get_field(conf.USER_ID_FIELD))


def jti_of(session_id: str, generation: int) -> str:
    """Return the jti of a session's n-th token: `<sid>` for the first, then `<sid>.<n>`."""
    return f"{session_id}.{generation}" if generation else session_id


def session_ids(jti: str) -> list[str]:
    """Return the ids of the sessions that a jti may belong to: itself, or what is before `.<n>`."""
    later = LATER_JTI.fullmatch(jti)
    return [jti, later["session_id"]] if later else [jti]


class OutstandingTokenQuerySet(models.QuerySet["OutstandingToken"]):
    def with_jti(self, jti: str) -> Self:
        """Narrow to the session that the jti, of whatever generation, belongs to."""
        return self.filter(session_id__in=session_ids(jti))

    def not_blacklisted(self) -> Self:
        # EXISTS and not a join: Django turns a join in an UPDATE into `id IN (subquery)`,
        # which PostgreSQL does not evaluate again after waiting for the row.
        return self.filter(
            ~models.Exists(BlacklistedToken.objects.filter(token=models.OuterRef("pk")))
        )

    def unexpired(self, now: datetime) -> Self:
        return self.filter(expires_at__gt=now - conf.LEEWAY)

    def expired(self, now: datetime) -> Self:
        """Narrow to rows that no request can use any more, even with the leeway."""
        return self.filter(expires_at__lte=now - conf.LEEWAY)

    def live(self, now: datetime | None = None) -> Self:
        return self.unexpired(now or timezone.now()).not_blacklisted()

    def accepting(self, generation: int, now: datetime) -> Self:
        """Narrow to sessions in which a token of that generation is still good.

        The SQL twin of `OutstandingToken.accepts`.
        """
        good = models.Q(generation=generation)
        if not conf.BLACKLIST_AFTER_ROTATION:
            good |= models.Q(generation__gt=generation)
        elif conf.ROTATION_GRACE_PERIOD:
            good |= models.Q(
                generation=generation + 1, refreshed_at__gte=now - conf.ROTATION_GRACE_PERIOD
            )
        return self.filter(good)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the sessions with their blacklist records, also those that come meanwhile.

        The rows are locked first: a sign-out that waits for one finds it gone, and leaves no
        record behind of a session that is no more.
        """
        self._for_write = True
        with transaction.atomic(self.db):
            rows = OutstandingToken.objects.using(self.db).select_for_update()
            keys = list(rows.filter(pk__in=self.values("pk")).values_list("pk", flat=True))
            locked = OutstandingTokenQuerySet(self.model, using=self.db)
            deleted: Counter[str] = Counter()
            for part in range(0, len(keys), MOST_PARAMETERS):
                chunk = locked.filter(pk__in=keys[part : part + MOST_PARAMETERS])
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
        db_index=False,  # there is one below
        verbose_name=_("user"),
    )
    session_id = models.CharField(_("session id"), unique=True, max_length=255)
    generation = models.IntegerField(_("generation"), default=0, db_default=0)
    created_at = models.DateTimeField(_("signed in"), null=True, blank=True)
    refreshed_at = models.DateTimeField(_("last refreshed"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"))
    ip_address = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    user_agent = models.CharField(
        _("user agent"), max_length=USER_AGENT_LENGTH, blank=True, default="", db_default=""
    )

    objects = OutstandingTokenQuerySet.as_manager()

    class Meta:
        # Said aloud so that the token classes can be imported where the app is not installed.
        app_label = "token_blacklist"
        verbose_name = _("outstanding token")
        verbose_name_plural = _("outstanding tokens")
        indexes = [
            models.Index(fields=["expires_at"], name="outstanding_expires_at"),  # the flush
            # What support looks for; a refresh changes none of it, but for a new address.
            # With the id, the newest of a person or an address are read first, and no others.
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
        """Delete the session with its blacklist record, as the queryset does."""
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
        return self.expires_at <= (now or timezone.now()) - conf.LEEWAY

    def accepts(self, generation: int, now: datetime) -> bool:
        """Whether a token of that generation is in force, or was a moment ago.

        The generation before the current one is good for ROTATION_GRACE_PERIOD after the
        refresh, so that an answer lost on the way can be asked for again.
        """
        if generation == self.generation:
            return True
        if generation > self.generation:
            return False
        if not conf.BLACKLIST_AFTER_ROTATION:
            return True
        return (
            generation == self.generation - 1
            and bool(conf.ROTATION_GRACE_PERIOD)
            and self.refreshed_at is not None
            and now <= self.refreshed_at + conf.ROTATION_GRACE_PERIOD
        )


class BlacklistedTokenQuerySet(models.QuerySet["BlacklistedToken"]):
    def insert(
        self, record: OutstandingToken, *, reason: str, by: Any = None, note: str = ""
    ) -> tuple[BlacklistedToken | None, bool]:
        """Blacklist a session; return its blacklist record and whether this call made it.

        One INSERT. `(record, False)` where it was blacklisted before, `(None, False)` where
        the session was flushed meanwhile: in both cases it is over already.
        """
        values = {
            "token": models.F("pk"),
            "blacklisted_at": timezone.now(),
            "reason": str(reason),
            "blacklisted_by": by.pk if by else None,
            "note": note,
        }
        # From the session's row, locked: a foreign key would only be looked at by the commit.
        session = OutstandingToken.objects.filter(pk=record.pk)
        made = insert_select(self.model, values, session, lock="KEY SHARE", ignore_conflicts=True)
        queryset = self.using(router.db_for_write(self.model))
        if not made:
            return queryset.filter(token=record.pk).first(), False
        entry = self.model(pk=made[0], **{**values, "token": record, "blacklisted_by": by})
        entry._state.adding, entry._state.db = False, queryset.db
        token_blacklisted.announce(
            self.model,
            session_id=record.session_id,
            user_id=record.user_id,
            reason=str(reason),
            by_id=by.pk if by else None,
        )
        return entry, True

    def insert_sign_out(self, session_id: str, user_id: Any) -> BlacklistedToken | None:
        """Let a session's user end it: return the blacklist record that this call made, or None.

        One INSERT. `user_id` is the user's USER_ID_FIELD.
        """
        now, using = timezone.now(), router.db_for_write(self.model)
        made = _signing_out(using).rows(session_id=session_id, user_id=user_id, now=now)
        if not made:
            return None
        ((key, session, user),) = made
        user = get_user_model()._meta.pk.to_python(user)  # SQLite has no type for a UUID
        entry = self.model(
            pk=key,
            token_id=session,
            blacklisted_at=now,
            reason=BlacklistedToken.Reason.LOGOUT,
            blacklisted_by_id=user,
        )
        entry._state.adding, entry._state.db = False, using
        token_blacklisted.announce(
            self.model,
            session_id=session_id,
            user_id=user,
            reason=str(entry.reason),
            by_id=user,
        )
        return entry

    def insert_all(
        self,
        sessions: models.QuerySet[OutstandingToken],
        *,
        reason: str,
        by: Any = None,
        note: str = "",
    ) -> int:
        """Blacklist every session of the queryset that is not yet; return how many.

        One INSERT however many they are, and one SELECT to tell which, where a receiver listens.
        """
        values = {
            "token": models.F("pk"),
            "blacklisted_at": timezone.now(),
            "reason": str(reason),
            "blacklisted_by": by.pk if by else None,
            "note": note,
        }
        # Together, so that whoever hears of a failure can ask again with a session that lives.
        with transaction.atomic(router.db_for_write(self.model)):
            entries = insert_select(
                self.model, values, sessions, lock="KEY SHARE", ignore_conflicts=True
            )
            is_heard = token_blacklisted.has_listeners(self.model)
            ended = [
                {"session_id": session_id, "user_id": user_id}
                for part in range(0, len(entries) if is_heard else 0, MOST_PARAMETERS)
                for session_id, user_id in self.filter(
                    pk__in=entries[part : part + MOST_PARAMETERS]
                ).values_list("token__session_id", "token__user_id")
            ]
        token_blacklisted.announce_many(
            self.model, len(entries), ended, reason=str(reason), by_id=by.pk if by else None
        )
        return len(entries)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the records and the sessions they end: without it, one would be live again."""
        self._for_write = True
        return OutstandingToken.objects.using(self.db).filter(pk__in=self.values("token")).delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


def reasons() -> list[tuple[str, Any]]:
    """Return the choices of `BlacklistedToken.reason`. Migrations name this function, not them."""
    return BlacklistedToken.Reason.choices


class BlacklistedToken(models.Model):
    """The end of a session: since when, why and by whom. It is never taken back."""

    class Reason(models.TextChoices):
        """Why a session was ended: the value, its colour in a chart, its label.

        The only place that names them: filters, lists, charts and metrics read them from here.
        The first colours are Okabe and Ito's, which colour-blind people can tell apart.
        """

        LOGOUT = "logout", "#56b4e9", _("signed out")
        LOGOUT_ALL = "logout_all", "#0072b2", _("signed out everywhere")
        ADMIN = "admin", "#e69f00", _("ended by an administrator")
        REUSE = "reuse", "#d55e00", _("a used token was sent again")
        PASSWORD = "password", "#009e73", _("the password was changed")
        DEACTIVATED = "deactivated", "#cc79a7", _("the account was deactivated")
        API = "api", "#8a8f98", _("ended by the application")

        color: str

        def __new__(cls, value: str, color: str) -> Self:
            member = str.__new__(cls, value)
            member._value_ = value
            member.color = color
            return member

    id = models.BigAutoField(primary_key=True, serialize=False)
    # Without a constraint in the database, which would look for a record at each of the rows that
    # the flush deletes. `insert` and `insert_all` write one from the session's own row, locked.
    token = models.OneToOneField(
        OutstandingToken,
        on_delete=models.CASCADE,
        db_constraint=False,
        verbose_name=_("outstanding token"),
    )
    blacklisted_at = models.DateTimeField(_("blacklisted"), auto_now_add=True)
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
        verbose_name=_("blacklisted by"),
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
        verbose_name = _("blacklisted token")
        verbose_name_plural = _("blacklisted tokens")
        indexes = [
            models.Index(fields=["blacklisted_at", "reason"], name="blacklisted_at_reason"),
            models.Index(fields=["reason", "token"], name="blacklisted_reason_token"),
        ]

    def __str__(self) -> str:
        return _("%(token)s, ended") % {"token": self.token}

    def delete(self, using: str | None = None, keep_parents: bool = False) -> Any:
        """Delete the record with its session: a refused token never works again."""
        using = using or router.db_for_write(type(self), instance=self)
        return type(self).objects.using(using).filter(pk=self.pk).delete()


@prepared
def _signing_out(using: str) -> Statement:
    holder = get_user_model()._default_manager.filter(
        pk=models.OuterRef("user_id"), **{conf.USER_ID_FIELD: user_id_param()}
    )
    session = OutstandingToken.objects.filter(
        models.Exists(holder), session_id=param("session_id", TEXT)
    )
    values = {
        "token": models.F("pk"),
        "blacklisted_at": param("now", TIME),
        "reason": BlacklistedToken.Reason.LOGOUT.value,
        "blacklisted_by": models.F("user"),
        "note": "",
    }
    # From the session's row, locked: a foreign key would only be looked at by the commit.
    return insert(
        BlacklistedToken,
        values,
        session,
        using,
        returning=("id", "token", "blacklisted_by"),
        lock="KEY SHARE",
        ignore_conflicts=True,
    )


class FlushRun(models.Model):
    """One run of the flush, so that an operator sees that the scheduler is alive."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")
        OUT_OF_TIME = "out_of_time", _("out of time")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")  # killed: it could not save another

    started_at = models.DateTimeField(_("started"))
    duration = models.DurationField(_("duration"), default=timedelta(0))
    outstanding_deleted = models.PositiveBigIntegerField(_("outstanding tokens deleted"), default=0)
    blacklisted_deleted = models.PositiveBigIntegerField(_("blacklisted tokens deleted"), default=0)
    outcome = models.CharField(
        _("outcome"), max_length=16, choices=Outcome.choices, default=Outcome.RUNNING
    )

    class Meta:
        app_label = "token_blacklist"
        verbose_name = _("flush run")
        verbose_name_plural = _("flush runs")

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.get_outcome_display()}"
