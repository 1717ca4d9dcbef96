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
# Like `manage.py check`: a server must not start with keys that cannot sign.
if errors := [found for found in run_checks(tags=[Tags.security]) if found.is_serious()]:
    raise ImproperlyConfigured("\n".join(map(str, errors)))
# Only here: commands such as collectstatic work without them.
if not static.are_collected():
    raise ImproperlyConfigured(static.NOT_COLLECTED)
# Only a warning: everything works in English.
if not translations.are_compiled():
    logger.warning(translations.NOT_COMPILED)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve the request with Django, without the charset parameter of its Content-Type.

    Django decodes the query string with that charset, which may be any codec of Python, before its
    error handling begins. With `charset=rot13` it answers with a bare 500. No setting or middleware
    of Django prevents that. All input of this project is UTF-8.
    """
    content_type = environ.get("CONTENT_TYPE", "")
    try:
        media_type, parameters = parse_header_parameters(content_type)
    # Parameters of RFC 2231 with an unknown encoding, or with parts that cannot be sorted.
    except (ValueError, TypeError):
        environ["CONTENT_TYPE"] = content_type.partition(";")[0].strip()
    else:
        if parameters.pop("charset", None) is not None:
            kept = (f'; {name}="{value}"' for name, value in parameters.items())
            environ["CONTENT_TYPE"] = media_type + "".join(kept)
    return django_application(environ, start_response)
