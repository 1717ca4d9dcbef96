"""The WSGI application, for gunicorn."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.checks import Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from accounts import background

from . import static, translations

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_wsgi_application()
# Run the security checks, as `manage.py check` does: a server must not start with unusable keys.
if errors := [found for found in run_checks(tags=[Tags.security]) if found.is_serious()]:
    raise ImproperlyConfigured("\n".join(map(str, errors)))
# Import the views now, so that the first request does not have to wait.
_ = get_resolver().url_patterns
# Checked only here, because commands such as collectstatic have to work without them.
if not static.are_collected():
    raise ImproperlyConfigured(static.NOT_COLLECTED)
# Only a warning, because everything works in English.
if not translations.are_compiled():
    logger.warning(translations.NOT_COMPILED)

# The parameters of a Content-Type, except the boundary of a form.
CONTENT_TYPE_PARAMETERS = re.compile(r";(?!\s*boundary=)[^;]*", re.IGNORECASE)
MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1  # Django refuses a body of this size


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve the request with Django. The charset in its Content-Type is ignored.

    With `charset=rot13`, Django fails before its error handling begins; no setting prevents that.
    """
    background.start()  # here and not above, which a server may run in a process that forks
    environ["CONTENT_TYPE"] = CONTENT_TYPE_PARAMETERS.sub("", environ.get("CONTENT_TYPE", ""))
    if not environ.get("wsgi.input_terminated"):  # runserver, where reading would block
        return django_application(environ, start_response)
    stream = environ["wsgi.input"]
    if "HTTP_TRANSFER_ENCODING" in environ:  # Django treats a body without a length as empty
        body = stream.read(MAX_BODY_BYTES)
        environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    response = django_application(environ, start_response)
    # Read the rest of the body. gunicorn reads only 64 KiB of it and then closes the connection
    # although it has announced keep-alive, so the proxy's next request on it would be lost.
    with suppress(OSError):
        stream.read(MAX_BODY_BYTES)
    return response
