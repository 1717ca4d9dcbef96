"""The WSGI application that gunicorn serves: `config.wsgi`."""

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

from . import static, translations

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_wsgi_application()
# Like `manage.py check`: a server must not start with keys that cannot sign.
if errors := [found for found in run_checks(tags=[Tags.security]) if found.is_serious()]:
    raise ImproperlyConfigured("\n".join(map(str, errors)))
# Imports the views, which the first request would wait for.
_ = get_resolver().url_patterns
# Only here: commands such as collectstatic work without them.
if not static.are_collected():
    raise ImproperlyConfigured(static.NOT_COLLECTED)
# Only a warning: everything works in English.
if not translations.are_compiled():
    logger.warning(translations.NOT_COMPILED)

# The parameters of a Content-Type except the boundary of a form.
PARAMETERS = re.compile(r";(?!\s*boundary=)[^;]*", re.IGNORECASE)
MOST = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1  # bytes of a body; Django refuses this many


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve the request with Django, as UTF-8 whatever charset its Content-Type names.

    With `charset=rot13`, Django fails before its error handling begins, and no setting prevents it.
    """
    environ["CONTENT_TYPE"] = PARAMETERS.sub("", environ.get("CONTENT_TYPE", ""))
    if not environ.get("wsgi.input_terminated"):  # runserver: reading on would never end
        return django_application(environ, start_response)
    stream = environ["wsgi.input"]
    if "HTTP_TRANSFER_ENCODING" in environ:  # Django takes chunks without a length for empty
        body = stream.read(MOST)
        environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    response = django_application(environ, start_response)
    # gunicorn reads 64 KiB of a body that Django left, and then closes a connection that it has
    # announced to keep: the proxy's next request on it would be lost.
    with suppress(OSError):
        stream.read(MOST)
    return response
