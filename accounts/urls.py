"""The account endpoints, below /api/."""

from django.urls import path

from .views import (
    MeView,
    PasswordChangeView,
    PasswordResetConfirmView,
    PasswordResetView,
    RegisterView,
    SessionsView,
    SessionView,
)

urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    path("sessions/", SessionsView.as_view(), name="sessions"),
    path("sessions/<str:session_id>/", SessionView.as_view(), name="session"),
    path("register/", RegisterView.as_view(), name="register"),
    path("password/change/", PasswordChangeView.as_view(), name="password_change_api"),
    path("password/reset/", PasswordResetView.as_view(), name="password_reset_api"),
    path(
        "password/reset/confirm/",
        PasswordResetConfirmView.as_view(),
        name="password_reset_confirm_api",
    ),
]
