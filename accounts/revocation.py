"""One rule: a new password or a deactivation revokes all sessions of the user, however it is saved.

It holds for `save()`, `update()`, `bulk_create()` and `delete()`. If none of them is called (by
`_base_manager`, `loaddata` or SQL), call `revoke_user` as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Self

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import BadRequest
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from token_blacklist.models import BlacklistedToken
from token_blacklist.sessions.end import revoke_user


class StaleUser(BadRequest):
    """The user was changed after it was read. A view that does not handle it answers 400."""


class RevokingQuerySet(models.QuerySet[Any]):
    """Revokes the sessions of the users whose password, activity or account it changes."""

    def update(self, **fields: Any) -> int:
        deactivates = fields.get("is_active", True) is not True  # False, or an expression
        if deactivates:
            fields.setdefault("signed_out_at", timezone.now())
        elif "password" not in fields:
            return super().update(**fields)
        self._for_write = True
        with transaction.atomic(self.db):
            # The keys first: after the update, the filter may not find the users any more. And the
            # update before revoking: a sign-in at the same time waits for it, and is refused.
            keys = list(self.values_list("pk", flat=True))
            users = self.model._base_manager.using(self.db).filter(pk__in=keys)
            updated = super(RevokingQuerySet, self.filter(pk__in=keys)).update(**fields)
            if deactivates:
                inactive = users.filter(is_active=False)
                revoke_user(inactive, reason=BlacklistedToken.Reason.DEACTIVATED)
            if "password" in fields:
                revoke_user(users, reason=BlacklistedToken.Reason.PASSWORD)
        return updated

    update.alters_data = True  # type: ignore[attr-defined]

    def update_alone(self, **fields: Any) -> int:
        """Update, and revoke no session."""
        return super().update(**fields)

    update_alone.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        """Create users.

        Raises:
            ValueError: `update_fields` has the password or the activity of existing users.
        """
        if {"password", "is_active"} & set(options.get("update_fields") or ()):
            raise ValueError("Change passwords and activity with save() or update().")
        return super().bulk_create(objs, *args, **options)

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        self._for_write = True
        with transaction.atomic(self.db):
            # Before deleting: a session that outlives its user does not name the user any more.
            revoke_user(self, reason=BlacklistedToken.Reason.DEACTIVATED)
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class RevokingUser(AbstractBaseUser):
    """A user model that revokes its sessions, and saves only what has changed since it was read."""

    is_active: Any
    signed_out_at = models.DateTimeField(
        _("signed out everywhere"), null=True, blank=True, editable=False
    )

    class Meta:
        abstract = True

    # The row as this object last read or wrote it, by attribute; empty before.
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

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save what has changed; a new password or a deactivation revokes the user's sessions.

        Of a user that was loaded, only the changed fields are written: a form that takes long to
        hash a password must not write back the rights that the user had before.

        Raises:
            StaleUser: the password was changed, or the user deactivated or reactivated, since
                this object was loaded, and it has another new password. Nothing was saved.
        """
        reason = self._reason_to_revoke(kwargs.get("update_fields"))
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

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the user and revoke their sessions, whose records stay until the flush."""
        with transaction.atomic(kwargs.get("using")):
            revoke_user(self, reason=BlacklistedToken.Reason.DEACTIVATED)
            return super().delete(*args, **kwargs)

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether it is the password; hash it again if PASSWORD_HASHERS has changed.

        The new hash replaces only the hash that was checked, so that a sign-in with the old
        password cannot undo a change of the password at the same time.
        """
        checked, was_changed = self.password, False

        def upgrade(raw: str) -> None:
            nonlocal was_changed
            hashed = make_password(raw)
            unchanged = type(self)._default_manager.filter(pk=self.pk, password=checked)
            if unchanged.update_alone(password=hashed):  # type: ignore[attr-defined]
                self.remember_password(hashed)
            else:
                was_changed = True

        is_right = check_password(raw_password, checked, upgrade)
        if not was_changed:
            return is_right
        # By another sign-in that hashed it again, or by a new password: check the current hash.
        users = type(self)._default_manager.filter(pk=self.pk)
        self.remember_password(users.values_list("password", flat=True).first() or "")
        return check_password(raw_password, self.password)

    def remember_password(self, hashed: str) -> None:
        """Set the hash to one that was written without `save`."""
        self.password = hashed
        self._stored = {**self._stored, "password": hashed}

    def get_session_auth_hash(self) -> str:
        """Return the hash that a Django session must have; signing out everywhere changes it."""
        return self._since_signed_out(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield the same hash for each of SECRET_KEY_FALLBACKS."""
        return map(self._since_signed_out, super().get_session_auth_fallback_hash())

    def _since_signed_out(self, session_hash: str) -> str:
        if self.signed_out_at is None:
            return session_hash
        return f"{session_hash}.{self.signed_out_at.timestamp()}"

    def _remember(self, names: Collection[str] | None = None) -> None:
        """Record the values of these fields, or of all that are loaded, as those of the row."""
        loaded = self.__dict__
        now = {
            field.attname: loaded[field.attname]
            for field in self._meta.concrete_fields
            if field.attname in loaded and (names is None or {field.name, field.attname} & {*names})
        }
        self._stored = {**self._stored, **now}

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

    def _reason_to_revoke(self, update_fields: Any) -> BlacklistedToken.Reason | None:
        """Return the reason for which saving now revokes the user's sessions, or None."""
        if not self.pk:
            return None
        saved = {"is_active", "password"} if update_fields is None else set(update_fields)
        if "is_active" in saved and not self.is_active:
            return BlacklistedToken.Reason.DEACTIVATED
        password = self.__dict__.get("password")  # missing if it was deferred
        if "password" in saved and password not in {None, self._stored.get("password")}:
            return BlacklistedToken.Reason.PASSWORD
        return None
