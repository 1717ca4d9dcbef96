"""URLs of the account endpoints, below /api/. django-allauth's are below /_allauth/."""

from django.urls import path

from .activity_views import ActivityView
from .data_views import DataView
from .views import MeView, PasswordChangeView, SessionsView, SessionView

urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    path("me/activity/", ActivityView.as_view(), name="activity"),
    path("me/download/", DataView.as_view(), name="download_api"),
    path("sessions/", SessionsView.as_view(), name="sessions"),
    path("sessions/<str:session_id>/", SessionView.as_view(), name="session"),
    path("password/change/", PasswordChangeView.as_view(), name="password_change_api"),
]
