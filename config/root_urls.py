"""ROOT_URLCONF: config/urls.py, then the 404 of the APIs and the error handlers."""

from django.urls import re_path

from . import errors, urls

urlpatterns = [
    *urls.urlpatterns,  # `include()` would be one more level for each request: 5 microseconds
    # Last, because they match every other URL below these. Their routes are in the log.
    re_path("^api/", errors.no_endpoint),
    re_path("^_allauth/", errors.no_endpoint),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler429 = errors.too_many_requests  # for django-allauth's rate limits
handler500 = errors.server_error
