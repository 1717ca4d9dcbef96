"""django-allauth adapters: client address, e-mail addresses, passwords and e-mails."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.adapter import get_adapter as get_headless_adapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import translation

from token_blacklist.clients import client_of

from .devices import device_name
from .languages import language_of
from .mail import as_html, expiry, lifetime
from .models import User, normalize_email
from .passwords import replace_password
from .report import report_url


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # it has no types
    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client address that sessions record; "" on a unix socket without a proxy.

        Without an address in X-Forwarded-For, it is the proxy's address. An IPv4 address that is
        written as IPv6 becomes IPv4 again: allauth counts IPv6 clients by their /64 network, and
        all of these addresses are in the same one.
        """
        address = client_of(request).ip_address or request.META.get("REMOTE_ADDR", "")
        return address.removeprefix("::ffff:") if "." in address else address

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Return the key that counts wrong passwords: the normalized address.

        allauth's own key contains the address as it was typed and the Host header, whose port a
        client may choose. It has no public method for this.
        """
        return normalize_email(str(credentials.get("email", "")))

    def is_safe_url(self, url: str | None) -> bool:
        """Return whether a sign-in may redirect to this URL: a path, or a URL of this site.

        allauth would also accept "account/", which is relative to the page.
        """
        is_absolute = (url or "").startswith(("/", "http://", "https://"))
        return is_absolute and bool(super().is_safe_url(url))

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return the URL to redirect to after the sign-in.

        Raises:
            ImmediateHttpResponse: the password was changed or the user deactivated after the
                password was checked. No session was opened.
        """
        if not request.user.is_authenticated:
            raise ImmediateHttpResponse(_try_again(request))
        return str(super().get_login_redirect_url(request))

    def clean_email(self, email: str) -> str:
        """Return the form of the address that is stored and looked up."""
        return normalize_email(super().clean_email(email))

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Save a new user.

        Raises:
            ImmediateHttpResponse: another sign-up took the address after the form was validated.
                When the form is sent again, it gets the usual answer for a known address.
        """
        user.language = translation.get_language() or ""
        try:
            with transaction.atomic():
                saved: User = super().save_user(request, user, form, commit)
        except IntegrityError as error:
            raise ImmediateHttpResponse(_try_again(request)) from error
        else:
            return saved

    def set_password(self, user: User, password: str) -> None:
        """Write the new password and no other field of the user.

        Raises:
            ImmediateHttpResponse: the password was changed or the user deactivated after the user
                was loaded. Nothing was changed.
        """
        if not replace_password(user, password):
            raise ImmediateHttpResponse(_try_again(context.request))

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell the owner of an address that somebody tried to sign up with it.

        Creating an account hashes a password. This hashes one as well, so that the response time
        does not reveal whether the address has an account.
        """
        make_password("of a new account")
        super().send_account_already_exists_mail(email)

    def send_mail(self, template_prefix: str, email: str, facts: dict[str, Any]) -> None:
        """Queue an e-mail from the templates in templates/account/email/.

        It is sent beside the request, so neither the time nor the response reveals which addresses
        have accounts.

        With the user as `owner` among the facts, it has the link “This wasn't me”.
        """
        request = context.request
        owner = facts.pop("owner", None)
        about = {
            "request": request,
            "email": email,
            "site_name": settings.SITE_NAME,
            "lifetime": lifetime(template_prefix, facts),
        }
        if request is not None:
            about["site"] = page_url(request, "home")
        if owner is not None:
            about["report_url"] = report_url(owner, email, request)
        message = self.render_mail(template_prefix, email, {**about, **facts})
        message.expires_at = expiry(template_prefix, facts)  # type: ignore[attr-defined]  # see outbox
        message.send()

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Notify a user of a change of their account, with the device and “This wasn't me”."""
        request = self.request
        facts = {
            "device": device_name(self.get_http_user_agent(request)),
            "owner": user,
            "reset_url": page_url(request, "account_reset_password"),
            **(context or {}),
        }
        with translation.override(language_of(user, translation.get_language())):
            super().send_notification_mail(template_prefix, user, facts, email)

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Render an e-mail as text and HTML. Without an HTML template, HTML is made of the text."""
        message: EmailMessage = super().render_mail(template_prefix, email, context, headers)
        if isinstance(message, EmailMultiAlternatives) and not message.alternatives:
            message.attach_alternative(as_html(message, context.get("code")), "text/html")
        return message


def page_url(request: HttpRequest | None, name: str) -> str:
    """Return the URL of a page for an e-mail: the one in HEADLESS_FRONTEND_URLS, or this site's.

    Without a request, this site is SITE_ORIGIN.
    """
    of_the_front_end = get_headless_adapter().get_frontend_url(name)
    if of_the_front_end:
        return str(of_the_front_end)
    path = reverse(name)
    return request.build_absolute_uri(path) if request else f"{settings.SITE_ORIGIN}{path}"


def _try_again(request: HttpRequest) -> HttpResponse:
    """Return the response to a request that a concurrent one made invalid: load the page again."""
    if hasattr(request.allauth, "headless"):  # type: ignore[attr-defined]  # allauth's
        return JsonResponse({"status": 409}, status=409)
    return HttpResponseRedirect(request.get_full_path())


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # it has no types
    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        """Return the new user of a social account, with the name from the provider."""
        user = super().populate_user(request, sociallogin, data)
        names = (data.get("first_name"), data.get("last_name"))
        name = data.get("name") or " ".join(filter(None, names))
        user.name = name[: User._meta.get_field("name").max_length]
        user.language = translation.get_language() or ""
        return user
