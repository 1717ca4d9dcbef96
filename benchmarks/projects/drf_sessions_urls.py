"""The views that drf-sessions leaves to a project, as its documentation has them."""

from django.contrib.auth import authenticate
from django.urls import path
from drf_sessions.services import SessionService
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


def pair(issued):
    return Response({"access": issued.access_token, "refresh": issued.refresh_token})


class LoginView(APIView):
    permission_classes = (AllowAny,)

    def post(self, request):
        user = authenticate(
            username=request.data.get("username"), password=request.data.get("password")
        )
        if not user:
            return Response({"error": "Invalid credentials"}, status=401)
        context = {
            "ip_address": request.META.get("REMOTE_ADDR"),
            "user_agent": request.META.get("HTTP_USER_AGENT"),
        }
        return pair(SessionService.create_header_session(user=user, context=context))


class RefreshView(APIView):
    permission_classes = (AllowAny,)

    def post(self, request):
        issued = SessionService.refresh_token(request.data.get("refresh", ""))
        return pair(issued) if issued else Response({"error": "Invalid token"}, status=401)


class LogoutView(APIView):
    permission_classes = (IsAuthenticated,)

    def post(self, request):
        request.auth.revoke()
        return Response({})


urlpatterns = [
    path("login/", LoginView.as_view()),
    path("refresh/", RefreshView.as_view()),
    path("logout/", LogoutView.as_view()),
]
