"""The token endpoints: `path("api/", include("token_blacklist.urls"))`."""

from django.urls import path

from . import introspection, revocations, views
from .conf import conf

urlpatterns = [
    path("token/", views.token_obtain_pair, name="token_obtain_pair"),
    path("token/csrf/", views.csrf_cookie, name="token_csrf"),
    path("token/refresh/", views.token_refresh, name="token_refresh"),
    path("token/verify/", views.token_verify, name="token_verify"),
    path("token/introspect/", introspection.introspect, name="token_introspect"),
    path("token/check/", views.token_check, name="token_check"),
    path("token/sliding/", views.token_obtain_sliding, name="token_obtain_sliding"),
    path("token/sliding/refresh/", views.token_refresh_sliding, name="token_refresh_sliding"),
]

if conf.LISTS_ENABLED:  # without the lists there is nothing that could be blacklisted
    urlpatterns += [
        path("token/blacklist/", views.token_blacklist, name="token_blacklist"),
        path("token/revocations/", revocations.revocations, name="token_revocations"),
    ]
