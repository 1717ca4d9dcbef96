"""The token endpoints: `path("api/", include("token_blacklist.urls"))`."""

from django.urls import include, path

from . import views
from .conf import conf

urlpatterns = [
    path("token/", views.token_obtain_pair, name="token_obtain_pair"),
    path("token/csrf/", views.csrf_cookie, name="token_csrf"),
    path("token/refresh/", views.token_refresh, name="token_refresh"),
    path("token/verify/", views.token_verify, name="token_verify"),
    path("token/sliding/", views.token_obtain_sliding, name="token_obtain_sliding"),
    path("token/sliding/refresh/", views.token_refresh_sliding, name="token_refresh_sliding"),
    path("token/", include(f"{__package__}.services.urls")),
]

if conf.LISTS_ENABLED:  # without the lists, no session can be revoked
    urlpatterns += [
        path("token/blacklist/", views.token_blacklist, name="token_blacklist"),
    ]
