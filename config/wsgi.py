"""The WSGI application that gunicorn serves: `config.wsgi`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Any

from django.core.checks import Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from . import static, translations

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_wsgi_application()
# As `manage.py check` does: a server is not to start with keys that sign nothing.
if errors := [found for found in run_checks(tags=[Tags.security]) if found.is_serious()]:
    raise ImproperlyConfigured("\n".join(map(str, errors)))
# A server alone: commands, collectstatic first of all, work without them.
if not static.are_collected():
    raise ImproperlyConfigured(static.NOT_COLLECTED)
# Not worth an outage: everything works in English.
if not translations.are_compiled():
    logger.warning(translations.NOT_COMPILED)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve the request as Django does, without the charset that its Content-Type names.

    All that comes here is UTF-8. Django takes every codec that Python knows for an encoding,
    `rot13` as well, and reads the query string with it before any of its own error handling:
    a charset that is no text, or a query string that is too long, would be a bare 500.
    """
    content_type = environ.get("CONTENT_TYPE", "")
    try:
        media_type, parameters = parse_header_parameters(content_type)
    # Parameters as in RFC 2231, in no known encoding or with parts that cannot be put in order.
    except (ValueError, TypeError):
        environ["CONTENT_TYPE"] = content_type.partition(";")[0].strip()
    else:
        if "charset" in parameters:
            environ["CONTENT_TYPE"] = media_type
    return django_application(environ, start_response)
