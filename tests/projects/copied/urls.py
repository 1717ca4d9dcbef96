from django.contrib import admin
from django.urls import include, path
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response


@api_view()
@permission_classes([IsAuthenticated])
def me(request):
    return Response({"email": request.user.email})


urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/me/", me),
    path("api/", include("token_blacklist.urls")),
]
