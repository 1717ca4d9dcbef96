"""The package's own endpoints, one that needs a user, and the admin."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class MeView(APIView):
    permission_classes = (IsAuthenticated,)

    def get(self, request):
        return Response({"id": request.user.pk})


urlpatterns = [
    path("api/me/", MeView.as_view()),
    path("admin/", admin.site.urls),
    *(path(prefix, include(urls)) for prefix, urls in settings.INCLUDED.items()),
]
