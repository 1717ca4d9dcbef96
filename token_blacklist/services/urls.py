"""The endpoints for other services, under `token/`."""

from django.urls import path

from ..conf import conf
from . import introspection, proxies, revocations

urlpatterns = [
    path("introspect/", introspection.introspect, name="token_introspect"),
    path("check/", proxies.token_check, name="token_check"),
]

if conf.LISTS_ENABLED:
    urlpatterns += [path("revocations/", revocations.revocations, name="token_revocations")]
