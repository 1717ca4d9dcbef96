"""ROOT_URLCONF: config/urls.py, then the 404 of the API and the error handlers."""

from django.urls import include, path, re_path

from . import errors

urlpatterns = [
    path("", include("config.urls")),
    re_path("^api/", errors.no_endpoint),  # last, because it matches every other URL below api/
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error
