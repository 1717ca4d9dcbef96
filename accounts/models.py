"""The user, who signs in by e-mail address."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, ClassVar

from django.apps import apps
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import connections, models, transaction
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from token_blacklist.clients import USER_AGENT_LENGTH
from token_blacklist.models import BlacklistedToken
from token_blacklist.sessions.end import revoke_user
from token_blacklist.statements import Selection, param, prepared, select

WORD = re.compile(r"[^\W_]+")
# The expression of the index of migration 0008.
WORDS_INDEXED = (
    "to_tsvector('simple', translate(accounts_user.name || ' ' || accounts_user.email,"
    " '@._+/''-', '       '))"
)
MAX_EMAIL_LENGTH = 254  # RFC 5321 section 4.5.3.1, by erratum 1690 of RFC 3696


def normalize_email(email: str) -> str:
    """Return the form of the address that is stored and looked up: NFKC, in lower case.

    The part before the @ may be case-sensitive, but no provider makes use of that, and users do not
    remember how they typed it. Rate limits count by the result, so it is the same whether or not a
    form field has stripped the address before. An address that is too long is only stripped: no
    account has it, and the time to normalize grows with the square of the length.
    """
    email = email.strip()
    if len(email) > MAX_EMAIL_LENGTH:
        return email
    lower = unicodedata.normalize("NFKC", email).lower()
    return unicodedata.normalize("NFKC", lower).strip()  # lower() can produce combining characters


class UserManager(BaseUserManager["User"]):
    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return normalize_email(email or "")

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the user with this e-mail address, in any case and normalization form."""
        user: User | None = _with_email(self.db).first(email=self.normalize_email(username))
        if user is None:
            raise User.DoesNotExist
        return user

    def search(self, term: str) -> models.QuerySet[User]:
        """Return the users that a term of support finds.

        It is the start of an e-mail address, "@" and a domain, or the starts of words of the name
        or the address. PostgreSQL has an index for each.
        """
        term = normalize_email(term)
        words = WORD.findall(term)
        if not words or not term.isprintable():
            return self.none()
        if "@" in term and not term.startswith("@"):
            return self.filter(email__startswith=term)
        found = self.filter(email__contains=term) if term.startswith("@") else self.all()
        if connections[self.db].vendor == "postgresql":
            query = " & ".join(f"{word}:*" for word in words)
            matches = f"{WORDS_INDEXED} @@ to_tsquery('simple', %s)"
            return found.filter(RawSQL(matches, [query], models.BooleanField()))  # noqa: S611  # no input
        for word in words:
            starts = models.Q(email__startswith=word) | models.Q(name__istartswith=word)
            for before in (" ", "-", "@", "."):
                starts |= models.Q(email__contains=f"{before}{word}")
                starts |= models.Q(name__icontains=f"{before}{word}")
            found = found.filter(starts)
        return found

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email), **fields)
        user.password = make_password(password)  # not set_password(): there are no sessions to end
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a superuser with a verified address, because e-mail may not be set up yet."""
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        verify(user)
        return user


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
    # The default of the database is for the version before, which signs users up during an update.
    language = models.CharField(
        _("language of e-mails"), max_length=16, blank=True, default="", db_default=""
    )
    # A link of an e-mail that was written before does nothing.
    secured_at = models.DateTimeField(_("secured"), null=True, blank=True, editable=False)
    delete_at = models.DateTimeField(
        _("deletion"), null=True, blank=True, editable=False, db_index=True
    )

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = [
            ("send_password_link", "Can send a link for a new password"),
            ("remove_second_factor", "Can remove the second factor of a user who lost it"),
        ]
        indexes = [  # for the admin's filters
            models.Index(
                fields=["email"], condition=models.Q(is_staff=True), name="accounts_user_staff"
            ),
            models.Index(
                fields=["email"], condition=models.Q(is_active=False), name="accounts_user_inactive"
            ),
        ]
        constraints = [
            # Also covers writes that do not normalize the address.
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_ci_unique"),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = normalize_email(self.email)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the user; a new password or a deactivation revokes the sessions.

        Both happen in one transaction. The user's row is written first, so that a concurrent
        sign-in waits for it.
        """
        self.email = normalize_email(self.email)
        with transaction.atomic(kwargs.get("using")):
            super().save(*args, **kwargs)  # calls RevokeSessionsValidator after set_password()
            if not self.is_active:
                revoke_user(self, reason=BlacklistedToken.Reason.DEACTIVATED)

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether this is the password; hash it again if PASSWORD_HASHERS has changed.

        Django's method would overwrite a password that was changed at the same time, and the old
        password would work again.
        """
        checked = self.password

        def upgrade(raw: str) -> None:
            hashed = make_password(raw)
            if User.objects.filter(pk=self.pk, password=checked).update(password=hashed):
                self.password = hashed

        return check_password(raw_password, checked, upgrade)

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.get_full_name()


class Activity(models.Model):
    """What happened to an account: a sign-in, or the end of a session.

    Sessions are flushed as soon as they have expired, a day after their last use. Without this
    table, neither the owner nor the search for a device that is new to the account would see what
    happened last week. `accounts.activity` fills it from the rows of sessions, beside the requests.
    """

    class Kind(models.TextChoices):
        SIGN_IN = "sign_in", _("signed in")
        SIGN_OUT = "sign_out", _("signed out")
        REUSE = "reuse", _("a used token was sent again")
        PASSWORD = "password", _("the password was changed")
        SUPPORT = "support", _("ended by support")
        REPORTED = "reported", _("reported by the owner")
        ENDED = "ended", _("ended")

    class Mail(models.TextChoices):
        """Whether the owner is told by e-mail."""

        NONE = "", _("none")
        WAITING = "waiting", _("waiting")
        HELD = "held", _("held")  # the account has got as many as it may in an hour
        SENT = "sent", _("sent")

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="activity", db_index=False
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    at = models.DateTimeField(db_index=True)  # also for the flush
    session_id = models.CharField(max_length=255)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)
    note = models.CharField(max_length=255, blank=True)
    mail = models.CharField(max_length=8, choices=Mail.choices, blank=True, default=Mail.NONE)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        constraints = [
            models.UniqueConstraint(fields=["session_id", "kind"], name="accounts_activity_once"),
        ]
        indexes = [
            models.Index(fields=["user", "at"], name="accounts_activity_user"),
            models.Index(
                fields=["user"],
                condition=models.Q(mail__in=["waiting", "held"]),
                name="accounts_activity_mail",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"


def verify(user: User) -> None:
    """Record the user's address as verified."""
    addresses = apps.get_model("account", "EmailAddress")._default_manager
    known = {"verified": True, "primary": True}
    addresses.update_or_create(user=user, email=user.email, defaults=known)


@prepared
def _with_email(using: str) -> Selection:
    """Select a user for a sign-in, with two facts that django-allauth would query separately."""
    email = param("email", User._meta.get_field("email"))
    factors = apps.get_model("mfa", "Authenticator")._default_manager.exclude(type="recovery_codes")
    addresses = apps.get_model("account", "EmailAddress")._default_manager.filter(verified=True)
    users = User._default_manager.filter(email=email).annotate(
        _has_second_factor=models.Exists(factors.filter(user=models.OuterRef("pk"))),
        _is_verified=models.Exists(
            addresses.filter(user=models.OuterRef("pk"), email=models.OuterRef("email"))
        ),
    )
    return select(users, using)
