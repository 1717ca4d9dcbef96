"""The admin site: access for staff."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.sites import UnfoldAdminSite

from accounts.second_factor import has_second_factor

from .limits import STATEMENT_TIMEOUT, is_timeout, time_limit, zone_of
from .sign_in import SignInMixin, set_up_second_factor

MAX_ADMINISTRATORS = 3  # that are named


class AdminSite(SignInMixin, UnfoldAdminSite):  # type: ignore[misc]  # it has no types
    index_title = gettext_lazy("Overview")

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Allow staff, send anonymous users to the sign-in page, and answer others with 403.

        Pages are rendered here, so that the time limit also covers the statements of templates.
        """
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def only_staff(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            is_leaving = request.path == reverse("admin:logout")
            if request.user.is_authenticated and not is_leaving:
                if not self.has_permission(request):
                    raise PermissionDenied
                if settings.ADMIN_REQUIRES_SECOND_FACTOR and not has_second_factor(request.user):
                    return set_up_second_factor(request)
            try:
                with timezone.override(zone_of(request)), time_limit():
                    response = inner(request, *args, **kwargs)
                    return response.render() if hasattr(response, "render") else response
            except PermissionDenied:
                if not request.user.is_staff or request.user.is_superuser:
                    raise
                title, whom = _("You don't have access to this page"), administrators()
                context = {"title": title, "administrators": whom}
                return self._sorry(request, "refused", HTTPStatus.FORBIDDEN, context)
            except OperationalError as error:
                if not is_timeout(error):
                    raise
                limit = {"title": _("This took too long"), "seconds": STATEMENT_TIMEOUT.seconds}
                return self._sorry(request, "too_slow", HTTPStatus.SERVICE_UNAVAILABLE, limit)

        return only_staff

    def _sorry(
        self, request: HttpRequest, name: str, status: HTTPStatus, context: dict[str, Any]
    ) -> HttpResponse:
        context = self.each_context(request) | context
        return TemplateResponse(request, f"admin/{name}.html", context, status=status).render()


def administrators() -> list[str]:
    """Return e-mail addresses of superusers, whom staff can ask for permissions."""
    found = get_user_model()._default_manager.filter(
        is_staff=True, is_superuser=True, is_active=True
    )
    return list(found.order_by("email").values_list("email", flat=True)[:MAX_ADMINISTRATORS])
