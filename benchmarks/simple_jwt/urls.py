"""Simple JWT's endpoints, as its manual says, and one that needs a user."""

from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import path
from rest_framework.generics import RetrieveAPIView
from rest_framework.serializers import ModelSerializer
from rest_framework_simplejwt import views


class MeSerializer(ModelSerializer):
    class Meta:
        model = User
        fields = ("id", "email", "first_name", "date_joined")


class MeView(RetrieveAPIView):
    serializer_class = MeSerializer

    def get_object(self):
        return self.request.user


urlpatterns = [
    path("api/token/", views.TokenObtainPairView.as_view()),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/blacklist/", views.TokenBlacklistView.as_view()),
    path("api/me/", MeView.as_view()),
    path("admin/", admin.site.urls),
]
