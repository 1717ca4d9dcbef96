"""The person who signs in, by e-mail address."""

from __future__ import annotations

import unicodedata
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from token_blacklist.models import BlacklistedToken
from token_blacklist.revocation import revoke_user


def normalize_email(email: str) -> str:
    """Return the address in the one form that is stored and looked up.

    All lower case: in theory the part before the @ may tell case apart, in practice no
    provider does, and people do not remember how they typed it.
    """
    return unicodedata.normalize("NFKC", email).strip().lower()


class UserQuerySet(models.QuerySet["User"]):
    """Ends the sessions of whom it deactivates or deletes, as `User` does for one person."""

    def update(self, **fields: Any) -> int:
        deactivates = fields.get("is_active", True) is not True  # False, or an expression
        if not deactivates and "password" not in fields:
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
        return self.get(email=self.normalize_email(username))

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
        error_messages={"unique": _("Somebody with this e-mail address exists already.")},
    )
    name = models.CharField(_("name"), max_length=150, blank=True)
    is_staff = models.BooleanField(
        _("staff status"), default=False, help_text=_("May sign in to the admin.")
    )
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Takes part. Take this away instead of deleting the account."),
    )
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            # What the code below promises, held by the database too.
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_ci_unique"),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = normalize_email(self.email)

    _password: str | None  # the raw one, from set_password() to save()
    _password_was_taken = False

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password)
        self._password_was_taken = raw_password is None

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._password_was_taken = True

    def save(self, *args: Any, keep_session: str | None = None, **kwargs: Any) -> None:
        """Save; a new password or a deactivation ends the person's sessions with it.

        `keep_session` is the id of the session that a new password leaves alone.
        """
        self.email = normalize_email(self.email)
        reason = self._end_of_sessions(kwargs.get("update_fields"))
        if reason is None:
            super().save(*args, **kwargs)
            return
        with transaction.atomic(kwargs.get("using")):
            super().save(*args, **kwargs)  # first, so that sign-ins wait for it
            keep = keep_session if reason == BlacklistedToken.Reason.PASSWORD else None
            revoke_user(self, reason=reason, keep=keep)
        self._password_was_taken = False

    def _end_of_sessions(self, update_fields: Any) -> BlacklistedToken.Reason | None:
        """Return why saving now ends the person's sessions, if it does."""
        if not self.pk:
            return None
        if not self.is_active and (update_fields is None or "is_active" in update_fields):
            return BlacklistedToken.Reason.DEACTIVATED
        # Django forgets the raw password where it only hashes the same one anew, at a sign-in.
        renewed = self._password is not None or self._password_was_taken
        return BlacklistedToken.Reason.PASSWORD if renewed else None

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the person, and end their sessions: their records stay until the flush."""
        with transaction.atomic(kwargs.get("using")):
            revoke_user(self, reason=BlacklistedToken.Reason.DEACTIVATED)
            return super().delete(*args, **kwargs)

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.get_full_name()
