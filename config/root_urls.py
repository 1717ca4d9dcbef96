"""ROOT_URLCONF: config/urls.py, then the 404 of the APIs and the error handlers."""

from django.urls import include, path, re_path

from . import errors

urlpatterns = [
    path("", include("config.urls")),
    # Last, because they match all other URLs below these paths. The log shows these routes.
    re_path("^api/", errors.no_endpoint),
    re_path("^_allauth/", errors.no_endpoint),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler429 = errors.too_many_requests  # for django-allauth's rate limits
handler500 = errors.server_error
