"""The WSGI application that gunicorn serves: `config.wsgi`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve the request as Django does, but for a charset that is a codec and no text.

    `charset=rot13` with a query string makes Django fail before any of its own error
    handling: it takes every codec that Python knows for an encoding.
    """
    media_type, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
    if "charset" in parameters and not _is_text(parameters["charset"]):
        environ["CONTENT_TYPE"] = media_type
    return django_application(environ, start_response)


def _is_text(charset: str) -> bool:
    try:
        b"x".decode(charset)
    except UnicodeError:
        return True  # an encoding, in which a single x is no text
    except (LookupError, ValueError):
        return False
    return True
