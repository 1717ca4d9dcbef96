"""The view that needs a user, the admin, and the endpoints of the package."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from .view import MeView

urlpatterns = [
    path("api/me/", MeView.as_view()),
    path("admin/", admin.site.urls),
    *(path(prefix, include(urls)) for prefix, urls in settings.INCLUDED.items()),
]
