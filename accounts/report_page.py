"""The page behind the link “This wasn't me”."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from allauth.account.forms import ResetPasswordForm
from allauth.core import ratelimit
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from token_blacklist.exceptions import is_outage

from .report import act, find


@method_decorator(never_cache, name="dispatch")
class ReportPage(TemplateView):
    """Asks before it acts, because programs that check e-mails open every link.

    It says the same about every link that does not work, and never names the account.
    """

    template_name = "accounts/report.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._answer("ask" if find(kwargs["token"]) else "over")

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Secure the account, and send a link for a new password to the restored address."""
        if limited := _limited(request):
            return limited
        with transaction.atomic():  # so that the e-mail is queued if, and only if, the report acts
            report = act(token, request)
            if report is None:
                return self._answer("over")
            if not report.is_restored:
                return self._answer("taken")
            form = ResetPasswordForm({"email": report.address})
            if form.is_valid():
                form.save(request)
        return self._answer("done")

    def _answer(self, state: str) -> HttpResponse:
        status = HTTPStatus.NOT_FOUND if state == "over" else HTTPStatus.OK
        return self.render_to_response(self.get_context_data(state=state), status=status)


def _limited(request: HttpRequest) -> HttpResponse | None:
    """Return the response to a client with too many requests, or None.

    Links cannot be guessed, so the page works without a limit while the cache is down.
    """
    try:
        limited: HttpResponse | None = ratelimit.consume_or_429(request, action="report")
    except Exception as error:
        if is_outage(error):
            return None
        raise
    return limited
