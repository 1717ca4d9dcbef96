"""URLs of the project's own pages. django-allauth's are included in config/urls.py."""

from django.urls import path

from .pages import AccountPage, Page

urlpatterns = [
    path("", Page.as_view(template_name="home.html"), name="home"),
    path("account/", AccountPage.as_view(), name="account"),
]
