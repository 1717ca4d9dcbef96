"""A second service in Django: no users, no database, and it refuses sessions that have ended.

It verifies tokens by the public keys of the issuing site and reads its revocation feed. Run it with

    ISSUER=https://auth.example.com FEED_CLIENT=billing:<secret> gunicorn django_app:application
"""

import os
from datetime import timedelta

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path

ISSUER = os.environ["ISSUER"]

settings.configure(
    SECRET_KEY=os.environ.get("SECRET_KEY", "signs nothing here"),
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
    TOKEN_BLACKLIST={
        "JWKS_URL": f"{ISSUER}/.well-known/jwks.json",
        "FEED_URL": f"{ISSUER}/api/token/revocations/",
        "FEED_CLIENT": os.environ["FEED_CLIENT"],
        "FEED_MAX_SILENCE": timedelta(seconds=int(os.environ.get("FEED_MAX_SILENCE", "120"))),
    },
)
django.setup()

from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from token_blacklist.services.authentication import FeedAuthentication  # noqa: E402


class Invoices(APIView):
    authentication_classes = (FeedAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        return Response({"invoices_of": request.user.pk})


urlpatterns = [path("invoices/", Invoices.as_view())]
application = get_wsgi_application()
