"""A second service that asks the issuing site about each token: `benchmarks.services` serves it.

But for that it is examples/second_service/django_app.py.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

from django.urls import path
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from examples.second_service import django_app
from token_blacklist.models import TokenUser

HEADERS = {
    "Authorization": f"Basic {b64encode(os.environ['FEED_CLIENT'].encode()).decode()}",
    "Content-Type": "application/json",
}
kept = threading.local()


class Introspection(BaseAuthentication):
    def authenticate(self, request: Any) -> tuple[TokenUser, None]:
        if not hasattr(kept, "connection"):
            kept.connection = http.client.HTTPConnection(urlsplit(os.environ["ISSUER"]).netloc)
        token = request.META.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        body = json.dumps({"token": token})
        kept.connection.request("POST", "/api/token/introspect/", body, HEADERS)
        claims = json.load(kept.connection.getresponse())
        if not claims.get("active"):
            raise AuthenticationFailed
        return TokenUser(claims), None


class Invoices(django_app.Invoices):
    authentication_classes = (Introspection,)


urlpatterns = [path("invoices/", Invoices.as_view())]
django_app.settings.ROOT_URLCONF = __name__
application = django_app.application
