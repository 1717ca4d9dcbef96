"""The URLs of the pages."""

from django.urls import path

from . import password_reset as reset
from .pages import Page, PasswordPage, SignupPage

urlpatterns = [
    path("", Page.as_view(template_name="home.html"), name="home"),
    path("login/", Page.as_view(template_name="accounts/login.html"), name="login"),
    path("signup/", SignupPage.as_view(), name="signup"),
    path("account/", PasswordPage.as_view(template_name="accounts/account.html"), name="account"),
    path("password/reset/", reset.ResetView.as_view(), name="password_reset"),
    path("password/reset/sent/", reset.ResetSentView.as_view(), name="password_reset_sent"),
    path("password/reset/done/", reset.ResetDoneView.as_view(), name="password_reset_done"),
    path(
        "password/reset/<uidb64>/<token>/",
        reset.ChooseView.as_view(),
        name="password_reset_confirm",
    ),
]
