"""The OpenAPI description of the API, at /api/schema/."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import get_language, override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class SchemaView(SpectacularAPIView):
    """drf-spectacular's view, which otherwise takes about 80 ms of processor time per request.

    Each process describes the API once per language and format. `?lang=` selects a language.
    """

    schema = None  # the description does not list itself

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        lang = request.GET.get("lang")
        language = lang if lang in dict(settings.LANGUAGES) else get_language()
        renderer: Any = request.accepted_renderer
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        name = f"{settings.SPECTACULAR_SETTINGS['TITLE']}.{renderer.format}"
        return HttpResponse(
            _description(language, renderer.__class__),
            content_type=f"{renderer.media_type}{charset}",
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )


@cache
def _description(language: str | None, renderer: type[BaseRenderer]) -> Any:
    with override(language):
        schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
        return renderer().render(schema, renderer_context={})
