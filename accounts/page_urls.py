"""URLs of the project's own pages. django-allauth's are included in config/urls.py."""

from django.urls import path

from .pages import AccountPage, DeletionPage, Page, download_page
from .report_page import ReportPage

urlpatterns = [
    path("", Page.as_view(template_name="home.html"), name="home"),
    path("account/", AccountPage.as_view(), name="account"),
    path("account/delete/", DeletionPage.as_view(), name="account_delete"),
    path("account/download/", download_page, name="download_data"),
    path("report/<str:token>/", ReportPage.as_view(), name="report"),
]
