"""The URLs of the pages that are not django-allauth's."""

from django.urls import path

from .pages import AccountPage, Page

urlpatterns = [
    path("", Page.as_view(template_name="home.html"), name="home"),
    path("account/", AccountPage.as_view(), name="account"),
]
