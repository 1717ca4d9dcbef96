"""URLs of pages and endpoints. Add yours at the end; root_urls.py adds the APIs' 404 after them."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.cache import cache_control
from django.views.generic import TemplateView
from django.views.i18n import JavaScriptCatalog
from drf_spectacular.views import SpectacularSwaggerSplitView

from . import errors, states
from .description import SchemaView, headless_description

# The icon, and a stylesheet, because the Content-Security-Policy blocks inline styles. Pages add
# the accent color to their URLs, so that browsers load them again when it changes.
theme = TemplateView.as_view(template_name="theme.css", content_type="text/css")
icon = TemplateView.as_view(template_name="icon.svg", content_type="image/svg+xml")
colored = cache_control(public=True, max_age=24 * 3600)

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("token_blacklist.urls")),
    path(".well-known/", include("token_blacklist.well_known")),
    path("api/", include("accounts.urls")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
    path("", include("accounts.page_urls")),
    path(settings.ADMIN_URL, admin.site.urls),
    re_path(r"^_allauth/openapi\.(?:json|yaml)$", headless_description),  # JSON is valid YAML
    re_path(
        "^_allauth/.*phone", errors.no_endpoint
    ),  # allauth adds these even without phone numbers
    path("_allauth/", include("allauth.headless.urls")),
    path("", include("allauth.urls")),
    path("theme.css", colored(theme), name="theme"),
    path("icon.svg", colored(icon), name="icon"),
    # Translations of static/js, from LOCALE_PATHS, without those of Django's own scripts.
    path("jsi18n/", JavaScriptCatalog.as_view(packages=["accounts"]), name="javascript-catalog"),
]
if settings.DEBUG:  # to view the components and the error pages
    urlpatterns += [
        path("states/", states.states),
        path("400/", errors.bad_request),
        path("403/", errors.permission_denied),
        path("403_csrf/", errors.csrf_failure),
        path("404/", errors.page_not_found),
        path("429/", errors.too_many_requests),
        path("500/", errors.server_error),
        path("503/", errors.unavailable),
    ]
