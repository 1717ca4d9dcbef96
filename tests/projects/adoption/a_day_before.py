"""Users sign in, refresh and sign out on the old site. Prints their tokens."""

import json
import logging

import django

django.setup()
logging.disable()

from django.contrib.auth.models import User  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

api = APIClient()


def sign_in(name: str, path: str = "/api/token/") -> dict[str, str]:
    User.objects.create_user(name, password="a long password")
    answer = api.post(path, {"username": name, "password": "a long password"}, format="json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def post(path: str, **body: str) -> dict[str, str]:
    answer = api.post(path, body, format="json")
    assert answer.status_code == 200, answer.content
    return answer.json()


fresh = sign_in("fresh")
first = sign_in("refreshed")
refreshed = post("/api/token/refresh/", refresh=first["refresh"])
gone = sign_in("signed out")
post("/api/token/blacklist/", refresh=gone["refresh"])
sliding = sign_in("sliding", "/api/token/sliding/")
closed = sign_in("closed")
User.objects.filter(username="closed").update(is_active=False)

print(
    json.dumps(
        {
            "fresh": fresh,
            "given up": first,
            "refreshed": refreshed,
            "signed out": gone,
            "sliding": sliding,
            "closed": closed,
        }
    )
)
