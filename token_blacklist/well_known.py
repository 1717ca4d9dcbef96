"""The public keys: `path(".well-known/", include("token_blacklist.well_known"))`."""

from django.urls import path

from . import views

urlpatterns = [path("jwks.json", views.jwks, name="jwks")]
