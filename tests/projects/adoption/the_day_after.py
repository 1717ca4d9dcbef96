"""The same users return with their tokens. Prints the response to each."""

import json
import logging
import sys

import django

django.setup()
logging.disable()

from rest_framework.test import APIClient  # noqa: E402

api = APIClient()
held = json.load(sys.stdin)


def refresh(token: str) -> list[object]:
    """Refresh twice, each time with the newest token; return both answers' statuses."""
    said = []
    for _ in range(2):
        answer = api.post("/api/token/refresh/", {"refresh": token}, format="json")
        said.append(answer.status_code)
        token = answer.json().get("refresh", token)
    return said


def me(token: str) -> int:
    return api.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {token}").status_code


print(
    json.dumps(
        {
            "access": {name: me(pair["access"]) for name, pair in held.items() if "access" in pair},
            "refresh": {
                name: refresh(pair["refresh"]) for name, pair in held.items() if "refresh" in pair
            },
            "sliding": api.post(
                "/api/token/sliding/refresh/", {"token": held["sliding"]["token"]}, format="json"
            ).status_code,
            "sign out": api.post(
                "/api/token/blacklist/", {"refresh": held["fresh"]["refresh"]}, format="json"
            ).status_code,
            "after": refresh(held["fresh"]["refresh"]),
        }
    )
)
