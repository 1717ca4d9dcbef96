"""Run the same situations with either package, and print the results for comparison.

Prints {situation: what happened}. The situations are the same for both; nothing here knows which
package it runs with, but for where its names are.
"""

import json
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import django

django.setup()
logging.disable()

import time_machine  # noqa: E402
from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

PASSWORD = "a long password"
ROUNDS, AT_ONCE = 10, 4

Outstanding = apps.get_model("token_blacklist", "OutstandingToken")
Blacklisted = apps.get_model("token_blacklist", "BlacklistedToken")
conf = (
    import_module("token_blacklist.conf").conf
    if settings.ADOPTED
    else import_module("rest_framework_simplejwt.settings").api_settings
)
if settings.ADOPTED:  # the database's clock follows the one that is moved here
    import_module("token_blacklist.sessions.flush").database_time = timezone.now
told: dict[str, str] = {}
numbers = iter(range(10_000))


def new_user() -> User:
    return User.objects.create_user(f"user{next(numbers)}", password=PASSWORD)


def post(path: str, **body: str) -> Any:
    api = APIClient(raise_request_exception=False)
    return api.post(f"/api/token/{path}", body, format="json")


def sign_in(who: User, path: str = "") -> dict[str, str]:
    return post(path, username=who.username, password=PASSWORD).json()


def refresh(token: str) -> Any:
    return post("refresh/", refresh=token)


def me(token: str) -> Any:
    return APIClient().get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {token}")


def said(answer: Any) -> str:
    return {200: "accepted", 401: "refused"}.get(answer.status_code, f"{answer.status_code}")


def situation(text: str) -> Callable[[Callable[[], str]], None]:
    def tell(story: Callable[[], str]) -> None:
        told[text] = story()

    return tell


@situation("Sign in, use the access token")
def _() -> str:
    return said(me(sign_in(new_user())["access"]))


@situation("Refresh")
def _() -> str:
    pair = sign_in(new_user())
    return said(refresh(pair["refresh"]))


@situation("The response to a refresh is lost; the client repeats it")
def _() -> str:
    pair = sign_in(new_user())
    first = refresh(pair["refresh"]).json()
    again = refresh(pair["refresh"])
    same = again.status_code == 200 and again.json()["refresh"] == first["refresh"]
    return "the same tokens again" if same else said(again)


@situation("An old refresh token is reused after a minute; then the newest token is used")
def _() -> str:
    pair = sign_in(new_user())
    newest = refresh(pair["refresh"]).json()
    with time_machine.travel(datetime.now().astimezone() + timedelta(minutes=1)):
        old = said(refresh(pair["refresh"]))
        return f"{old}; the newest is {said(refresh(newest['refresh']))}"


@situation("Four refreshes at the same time with one token")
def _() -> str:
    most = 0
    for _round in range(ROUNDS):
        token = sign_in(new_user())["refresh"]
        barrier, answers = threading.Barrier(AT_ONCE), []

        def ask(token: str = token, barrier: Any = barrier, answers: Any = answers) -> None:
            connection.ensure_connection()
            barrier.wait()
            answers.append(refresh(token))
            connection.close()

        threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        given = {answer.json()["refresh"] for answer in answers if answer.status_code == 200}
        most = max(most, len(given))
    return "one new token" if most == 1 else "several new tokens"


@situation("Sign out, then refresh")
def _() -> str:
    pair = sign_in(new_user())
    post("blacklist/", refresh=pair["refresh"])
    return said(refresh(pair["refresh"]))


@situation("Sign out a second time")
def _() -> str:
    pair = sign_in(new_user())
    post("blacklist/", refresh=pair["refresh"])
    return said(post("blacklist/", refresh=pair["refresh"]))


@situation("Sign out with the previous refresh token; then the newest token is used")
def _() -> str:
    pair = sign_in(new_user())
    newest = refresh(pair["refresh"]).json()
    out = said(post("blacklist/", refresh=pair["refresh"]))
    return f"{out}; the newest is {said(refresh(newest['refresh']))}"


@situation("The access token after signing out")
def _() -> str:
    pair = sign_in(new_user())
    post("blacklist/", refresh=pair["refresh"])
    return said(me(pair["access"]))


@situation("`verify` of a refresh token that was signed out")
def _() -> str:
    pair = sign_in(new_user())
    post("blacklist/", refresh=pair["refresh"])
    return said(post("verify/", token=pair["refresh"]))


@situation("Sign out, flush within the leeway, refresh")
def _() -> str:
    pair = sign_in(new_user())
    post("blacklist/", refresh=pair["refresh"])
    conf.LEEWAY = timedelta(minutes=10) if settings.ADOPTED else 600
    backend = import_module(f"{settings.PACKAGE}.state").token_backend
    backend.leeway = 600
    try:
        late = datetime.now().astimezone() + timedelta(days=1, minutes=5)
        with time_machine.travel(late):
            call_command("flushexpiredtokens", verbosity=0)
            return said(refresh(pair["refresh"]))
    finally:
        conf.LEEWAY = timedelta(0) if settings.ADOPTED else 0
        backend.leeway = 0


@situation("A sliding token: refresh, sign out, flush; then the token is used")
def _() -> str:
    start = datetime.now().astimezone()
    token = sign_in(new_user(), "sliding/")["token"]
    with time_machine.travel(start + timedelta(minutes=4)):
        later = post("sliding/refresh/", token=token).json()["token"]
        import_module(f"{settings.PACKAGE}.tokens").SlidingToken(later).blacklist()
    with time_machine.travel(start + timedelta(minutes=6)):
        call_command("flushexpiredtokens", verbosity=0)
        return said(post("sliding/refresh/", token=later))


@situation("The user is deleted; refresh")
def _() -> str:
    who = new_user()
    pair = sign_in(who)
    who.delete()
    return said(refresh(pair["refresh"]))


@situation("The user is deactivated; refresh")
def _() -> str:
    who = new_user()
    pair = sign_in(who)
    User.objects.filter(pk=who.pk).update(is_active=False)
    return said(refresh(pair["refresh"]))


@situation("The blacklist record is deleted in the admin; refresh")
def _() -> str:
    pair = sign_in(new_user())
    post("blacklist/", refresh=pair["refresh"])
    for entry in Blacklisted.objects.all():
        entry.delete()
    return said(refresh(pair["refresh"]))


@situation("The outstanding record is deleted after signing out; refresh")
def _() -> str:
    pair = sign_in(new_user())
    post("blacklist/", refresh=pair["refresh"])
    Outstanding.objects.all().delete()
    return said(refresh(pair["refresh"]))


@situation("Rows in the lists after a sign-in and ten refreshes")
def _() -> str:
    Outstanding.objects.all().delete()
    token = sign_in(new_user())["refresh"]
    for _refresh in range(10):
        token = refresh(token).json()["refresh"]
    return f"{Outstanding.objects.count() + Blacklisted.objects.count()}"


@situation("What the database stores of a token")
def _() -> str:
    pair = sign_in(new_user())
    rows = str(list(Outstanding.objects.values()))
    return "the whole token" if pair["refresh"] in rows else "its id"


print(json.dumps(told))
