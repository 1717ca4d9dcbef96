"""Run with the settings of a site: does what a package leaves to the project or to the admin.

`password EMAIL NEW` and `deactivate EMAIL` change a user. `admin EMAIL MODEL ACTION` has a
superuser end that user's newest session, and prints the status of the admin's answer.
"""

from __future__ import annotations

import sys
from importlib import import_module

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from benchmarks.stock import PASSWORD  # noqa: E402

User = get_user_model()


def password(email: str, new: str) -> None:
    user = User.objects.get(email=email)
    user.set_password(new)
    user.save()


def deactivate(email: str) -> None:
    user = User.objects.get(email=email)
    user.is_active = False
    user.save()


def end(email: str, name: str, action: str) -> None:
    import_module(settings.ROOT_URLCONF)  # django-jwt-allauth's models come with its URLs
    model = apps.get_model(name)
    if not admin.site.is_registered(model):
        print("no such page")
        return
    names = {User.USERNAME_FIELD: "boss@example.com", "email": "boss@example.com"}
    boss = User.objects.create_superuser(**names, password=PASSWORD)
    client = Client()
    client.force_login(boss, "django.contrib.auth.backends.ModelBackend")
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    match action:
        case "add":  # a record that points to the token
            token = model._meta.get_field("token").related_model.objects.filter(user__email=email)
            answer = client.post(reverse(f"{base}_add"), {"token": token.latest("pk").pk})
        case "end":
            chosen = model.objects.filter(user__email=email).latest("pk").pk
            body = {"sessions": chosen, "confirmed": "yes"}
            answer = client.post(reverse(f"{base}_end"), body)
        case _:
            chosen = model.objects.filter(user__email=email).get().pk
            answer = client.post(reverse(f"{base}_delete", args=[chosen]), {"post": "yes"})
    print(answer.status_code)


if __name__ == "__main__":
    {"password": password, "deactivate": deactivate, "admin": end}[sys.argv[1]](*sys.argv[2:])
