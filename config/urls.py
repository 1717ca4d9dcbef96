"""The addresses of pages and endpoints. Append yours: config/root_urls.py puts its own behind."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from . import brand, errors
from .words import WordsView

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("token_blacklist.urls")),
    path("api/", include("accounts.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
    path("", include("accounts.page_urls")),
    path(settings.ADMIN_URL, admin.site.urls),
    path("theme.css", brand.theme, name="theme"),
    path("words.js", WordsView.as_view(), name="words"),
]
if settings.DEBUG:  # to look at them
    urlpatterns += [
        path("400/", errors.bad_request),
        path("403/", errors.permission_denied),
        path("403_csrf/", errors.csrf_failure),
        path("404/", errors.page_not_found),
        path("500/", errors.server_error),
        path("503/", errors.unavailable),
    ]
