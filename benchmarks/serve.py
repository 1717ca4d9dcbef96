"""The WSGI application of whichever project DJANGO_SETTINGS_MODULE names."""

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

application = get_wsgi_application()
# Not by the first request, which would take allauth more than a second.
get_resolver().url_patterns  # noqa: B018  # imports them
