"""The project's own URLs, with the view that all sites have in place of its own."""

from django.urls import path

from config.root_urls import *  # noqa: F403
from config.root_urls import urlpatterns

from .view import MeView

urlpatterns = [path("api/me/", MeView.as_view()), *urlpatterns]
