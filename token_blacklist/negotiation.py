"""Content negotiation: always JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

# A parameter of a media type, but not its weight. Nothing that a parser could stumble over.
PARAMETER = re.compile(r";\s*(?!q=)([a-z_-]{1,40}=[\w.-]{1,40})", re.ASCII | re.IGNORECASE)


class OneRenderer(DefaultContentNegotiation):
    """Uses the renderer of a view that has only one (RFC 9110 section 12.5.1 allows it).

    For a client that asks for `text/html` or an unknown type, an error in JSON is more useful than
    an empty 406. `?format=` is ignored. A parameter in the Accept header is kept, because DRF's
    AcceptHeaderVersioning reads the version there.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        renderers = list(renderers)
        if len(renderers) == 1:
            found = PARAMETER.search(request.META.get("HTTP_ACCEPT", ""))
            media_type = renderers[0].media_type
            return renderers[0], f"{media_type}; {found[1]}" if found else media_type
        return super().select_renderer(request, renderers, format_suffix)
