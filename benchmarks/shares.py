"""Where the processor time of an operation goes: run by `benchmarks` with the project's settings.

Reads the users and sessions of `benchmarks.stock` from standard input, sends requests to the WSGI
application in this process, and prints the share of each package in the time that cProfile saw.
"""

from __future__ import annotations

import cProfile
import io
import json
import pstats
import sys
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from itertools import cycle
from typing import Any

from .load import Story, asking, refreshing, signing_in, signing_out
from .sites import OURS

REQUESTS = 800
# By what the path of a file has; the first that fits. What is built in counts for its caller.
PACKAGES = {
    "Django REST framework": ("/rest_framework/",),
    "Django's database layer and SQLite": ("/django/db/", "/sqlite3/"),
    "the rest of Django": ("/django/", "/asgiref/", "/whitenoise/", "/csp/"),
    "django-allauth": ("/allauth/",),
    "PyJWT and JSON": ("/jwt/", "/json/", "/base64.py", "/hmac.py"),
    "logging": ("/logging/", "/pythonjsonlogger/"),
    "this project": ("/token_blacklist/", "/accounts/", "/config/"),
    "the rest of Python": ("",),
}


def package_of(path: str) -> str:
    return next(name for name, parts in PACKAGES.items() if any(part in path for part in parts))


def send(application: Callable[..., Any], request: bytes) -> bytes:
    """Pass a request to the application as gunicorn does; return the body of the response."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    method, path, protocol = line.split(" ")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": protocol,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    for name, value in (line.split(": ") for line in lines):
        key = name.upper().replace("-", "_")
        environ[key if key.startswith("CONTENT_") else f"HTTP_{key}"] = value
    statuses: list[str] = []
    response = application(environ, lambda status, headers: statuses.append(status))
    answer = b"".join(response)
    response.close()
    if not statuses[0].startswith("200"):
        raise RuntimeError(f"{statuses[0]}\n{answer.decode()}")
    return answer


def shares(application: Callable[..., Any], story: Story) -> dict[str, float]:
    """Return the share of each package in the time of the story's requests."""

    def tell(times: int) -> None:
        nonlocal answer
        for _ in range(times):
            answer = send(application, story.send(answer))

    answer = send(application, next(story))
    tell(100)
    profile = cProfile.Profile(builtins=False)
    profile.runcall(tell, REQUESTS)
    spent: Counter[str] = Counter()
    for (path, *_), (_, _, own, _, _) in pstats.Stats(profile).stats.items():
        if path != __file__:
            spent[package_of(path)] += own
    return {name: spent[name] / spent.total() for name in PACKAGES}


def main() -> None:
    stock = json.load(sys.stdin)
    sessions, api = iter(stock["sessions"]), OURS.api
    application = import_module(OURS.application).application
    stories = {
        "refresh": refreshing(api, next(sessions)),
        "sign-out": signing_out(api, sessions),
        "authenticated request": asking(api, next(sessions)),
        "sign-in": signing_in(api, cycle(stock["users"])),
    }
    found = {operation: shares(application, story) for operation, story in stories.items()}
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
