"""The person who signs in, by e-mail address."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import BadRequest
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from token_blacklist.models import BlacklistedToken
from token_blacklist.sessions.end import revoke_user
from token_blacklist.statements import Selection, param, prepared, select

LONGEST_EMAIL = 254  # RFC 5321 section 4.5.3.1, as erratum 1690 of RFC 3696 reckons it


def normalize_email(email: str) -> str:
    """Return the address in the one form that is stored and looked up.

    All lower case: in theory the part before the @ may tell case apart, in practice no
    provider does, and users do not remember how they typed it. The form is the same whether or
    not a field stripped the address before: the rate limits count by it. An address that is too
    long is stripped and no more: no account has it, and normalizing takes time that grows with
    the square of the length.
    """
    email = email.strip()
    if len(email) > LONGEST_EMAIL:
        return email
    lower = unicodedata.normalize("NFKC", email).lower()
    return unicodedata.normalize("NFKC", lower).strip()  # lower() may take letters apart


class StaleUser(BadRequest):
    """The user was changed after it was read. Where no view handles it, the answer is 400."""


class UserQuerySet(models.QuerySet["User"]):
    """Ends the sessions of whom it deactivates or deletes, as `User` does for one person.

    Past Django's own doors (`_base_manager`, `loaddata`, SQL) nobody can end them: who writes
    there calls `revoke_user` as well.
    """

    def update(self, **fields: Any) -> int:
        if isinstance(fields.get("email"), str):
            fields["email"] = normalize_email(fields["email"])
        deactivates = fields.get("is_active", True) is not True  # False, or an expression
        if deactivates:
            fields.setdefault("signed_out_at", timezone.now())
        elif "password" not in fields:
            return super().update(**fields)
        self._for_write = True
        with transaction.atomic(self.db):
            # Who they are, first: after the update a filter may not find them any more. And the
            # update before the ending: a sign-in at the same time waits for it, and is refused.
            chosen = list(self.values_list("pk", flat=True))
            updated = super(UserQuerySet, self.filter(pk__in=chosen)).update(**fields)
            people = self.model._base_manager.using(self.db).filter(pk__in=chosen)
            if deactivates:
                gone = people.filter(is_active=False)
                revoke_user(gone, reason=BlacklistedToken.Reason.DEACTIVATED)
            if "password" in fields:
                revoke_user(people, reason=BlacklistedToken.Reason.PASSWORD)
        return updated

    update.alters_data = True  # type: ignore[attr-defined]

    def update_alone(self, **fields: Any) -> int:
        """Update and end no session: for who ends them, or has no reason to."""
        return super().update(**fields)

    update_alone.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[User], *args: Any, **options: Any) -> list[User]:
        """Create people. What would change those who are there already is refused.

        Raises:
            ValueError: `update_fields` names the password or the activity.
        """
        people = list(objs)
        for person in people:
            person.email = normalize_email(person.email)
        if {"password", "is_active"} & set(options.get("update_fields") or ()):
            raise ValueError("Change passwords and activity with save() or update().")
        return super().bulk_create(people, *args, **options)

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        self._for_write = True
        with transaction.atomic(self.db):
            # Before: a record that outlives its user does not say whose it was.
            revoke_user(self, reason=BlacklistedToken.Reason.DEACTIVATED)
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return normalize_email(email or "")

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a person by address, however it is typed."""
        user: User | None = _with_email(self.db).first(email=self.normalize_email(username))
        if user is None:
            raise User.DoesNotExist
        return user

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(
        _("e-mail address"),
        unique=True,
        error_messages={"unique": _("A user with this e-mail address already exists.")},
    )
    name = models.CharField(_("name"), max_length=150, blank=True, db_index=True)
    is_staff = models.BooleanField(
        _("staff status"), default=False, help_text=_("Whether this user may sign in to the admin.")
    )
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Whether this user may sign in. Uncheck instead of deleting the account."),
    )
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)
    signed_out_at = models.DateTimeField(
        _("signed out everywhere"), null=True, blank=True, editable=False
    )

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = [("send_password_link", "Can send a link for a new password")]
        indexes = [  # for the admin's filters: the few among the many
            models.Index(
                fields=["email"], condition=models.Q(is_staff=True), name="accounts_user_staff"
            ),
            models.Index(
                fields=["email"], condition=models.Q(is_active=False), name="accounts_user_inactive"
            ),
        ]
        constraints = [
            # No two that differ in case alone, whoever writes.
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_ci_unique"),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = normalize_email(self.email)

    def get_session_auth_hash(self) -> str:
        """Return the hash that a Django session must carry; a sign-out everywhere changes it."""
        return self._since_signed_out(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield the same hash for each of SECRET_KEY_FALLBACKS."""
        return map(self._since_signed_out, super().get_session_auth_fallback_hash())

    def _since_signed_out(self, session_hash: str) -> str:
        if self.signed_out_at is None:
            return session_hash
        return f"{session_hash}.{self.signed_out_at.timestamp()}"

    # The row as this object last read or wrote it, by attribute. Empty: it never did.
    _stored: Mapping[str, Any] = MappingProxyType({})

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        user = super().from_db(*args, **kwargs)
        user._remember()
        return user

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Any] | None = None,
    ) -> None:
        fields = None if fields is None else list(fields)
        super().refresh_from_db(using, fields, from_queryset)
        self._remember(fields)

    def _remember(self, names: Collection[str] | None = None) -> None:
        """Take these fields, or all that are loaded, as what the row holds."""
        loaded = self.__dict__
        now = {
            field.attname: loaded[field.attname]
            for field in self._meta.concrete_fields
            if field.attname in loaded and (names is None or {field.name, field.attname} & {*names})
        }
        self._stored = {**self._stored, **now}

    def remember_password(self, hashed: str) -> None:
        """Take a hash that was written past `save` as this object's and the row's."""
        self.password = hashed
        self._stored = {**self._stored, "password": hashed}

    def check_password(self, raw_password: str | None) -> bool:
        """Say whether it is the password; hash it anew where the site's hasher has changed.

        The new hash replaces the one that was checked and no other, so that a sign-in with
        the old password cannot undo a change of the same moment.
        """
        checked, overtaken = self.password, []

        def renew(raw: str) -> None:
            better = make_password(raw)
            mine = User.objects.get_queryset().filter(pk=self.pk, password=checked)
            if mine.update_alone(password=better):
                self.remember_password(better)
            else:
                overtaken.append(raw)

        is_right = check_password(raw_password, checked, renew)
        if not overtaken:
            return is_right
        # By another sign-in that renewed it as well, or by a change: what counts is there now.
        now = User.objects.filter(pk=self.pk).values_list("password", flat=True).first()
        self.remember_password(now or "")
        return check_password(raw_password, self.password)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save what has changed; a new password or a deactivation revokes the user's sessions.

        Of a user that was loaded, only the changed fields are written: a form that takes long to
        hash a password must not write back the rights that the user had before.

        Raises:
            StaleUser: the password was changed, or the user deactivated or reactivated, since
                this object was loaded, and it has another new password. Nothing was saved.
        """
        self.email = normalize_email(self.email)
        reason = self._end_of_sessions(kwargs.get("update_fields"))
        if reason is BlacklistedToken.Reason.DEACTIVATED:
            self.signed_out_at = timezone.now()
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "signed_out_at"}
        using = kwargs.get("using") or self._state.db
        is_loaded = using == self._state.db and self._is_of_the_row()
        if kwargs.get("update_fields") is None and is_loaded and not kwargs.get("force_insert"):
            kwargs["update_fields"] = self._changed()
        fields = kwargs.get("update_fields")
        if reason is None:
            super().save(*args, **kwargs)
        else:
            with transaction.atomic(using):
                if is_loaded and "password" in (fields or ()):
                    self._lock_unchanged(using)
                super().save(*args, **kwargs)  # first, so that sign-ins wait for it
                revoke_user(self, reason=reason)
        self._remember(fields)

    def _is_of_the_row(self) -> bool:
        """Return whether the row was read or written, and this is no copy of it with a new key."""
        return self.pk is not None and self.pk == self._stored.get(self._meta.pk.attname)

    def _changed(self) -> list[str]:
        """Return the names of the fields to save: changed since they were read, or `auto_now`."""
        missing = object()
        return [
            field.name
            for field in self._meta.concrete_fields
            if field.attname in self.__dict__
            and (
                getattr(field, "auto_now", False)
                or self._stored.get(field.attname, missing) != self.__dict__[field.attname]
            )
        ]

    def _lock_unchanged(self, using: str | None) -> None:
        """Lock the row until the commit. Raises StaleUser unless it is as it was read."""
        rows = type(self)._base_manager.using(using).select_for_update(no_key=True)
        as_read = {
            name: self._stored[name] for name in ("password", "is_active") if name in self._stored
        }
        if not list(rows.filter(pk=self.pk, **as_read).values_list("pk", flat=True)):
            raise StaleUser("The user was changed since this request read it.")

    def _end_of_sessions(self, update_fields: Any) -> BlacklistedToken.Reason | None:
        """Return why saving now ends the person's sessions, if it does."""
        if not self.pk:
            return None
        saved = {"is_active", "password"} if update_fields is None else set(update_fields)
        if "is_active" in saved and not self.is_active:
            return BlacklistedToken.Reason.DEACTIVATED
        password = self.__dict__.get("password")  # not there where it was never loaded
        if "password" in saved and password not in {None, self._stored.get("password")}:
            return BlacklistedToken.Reason.PASSWORD
        return None

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the person, and end their sessions: their records stay until the flush."""
        with transaction.atomic(kwargs.get("using")):
            revoke_user(self, reason=BlacklistedToken.Reason.DEACTIVATED)
            return super().delete(*args, **kwargs)

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.get_full_name()


@prepared
def _with_email(using: str) -> Selection:
    email = param("email", User._meta.get_field("email"))
    return select(User._default_manager.filter(email=email), using)
