"""The admin site: access for staff."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from accounts.second_factor import has_second_factor

from .sign_in import SignInMixin, set_up_second_factor


class AdminSite(SignInMixin, UnfoldAdminSite):  # type: ignore[misc]  # it has no types
    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Allow staff, send anonymous users to the sign-in page, and answer others with 403."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def only_staff(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            is_leaving = request.path == reverse("admin:logout")
            if request.user.is_authenticated and not is_leaving:
                if not self.has_permission(request):
                    raise PermissionDenied
                if settings.ADMIN_REQUIRES_SECOND_FACTOR and not has_second_factor(request.user):
                    return set_up_second_factor(request)
            return inner(request, *args, **kwargs)

        return only_staff
