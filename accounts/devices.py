"""Device names, made from user agents."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from django.utils.translation import gettext_lazy as _

MAX_NAME_LENGTH = 60  # of a browser's or an app's name, which a client can choose freely
FORM_FACTOR = re.compile(r"\b(?:Mobile|iOS)\b")  # users call "Chrome Mobile iOS" Chrome
SYSTEMS = {"Mac OS X": "macOS"}
# Browsers and Android's own HTTP client start their user agent with one of these names.
NOT_THE_NAME = {"Mozilla", "Opera", "Dalvik"}
END_OF_NAME = re.compile(r"[/(]|\sv?\d")
LIBRARIES = {"ktor-client": "Ktor", "okhttp": "OkHttp", "python-httpx": "httpx"}


def device_name(user_agent: str) -> str:
    """Return the name of a device: "Chrome on Windows", "Acme Portal on iOS", "Unknown device".

    For an app, use the name at the start of its user agent, such as `Acme Portal/2.1 (iOS 17)`.

    A client may send any user agent. ua-parser matches it in linear time (its patterns run in
    Rust). The result is plain text, which has to be escaped for HTML.
    """
    import ua_parser  # noqa: PLC0415  # 1.5 MiB that only a worker that shows a device needs

    words = user_agent.encode("utf-8", "replace").decode()  # Rust refuses lone surrogates
    program = _program(words) or _browser(ua_parser.parse_user_agent(words))
    system = _family(ua_parser.parse_os(words))
    system = _plain(SYSTEMS.get(system, system))
    if program and system and program != system:
        return _("%(browser)s on %(system)s") % {"browser": program, "system": system}
    return program or system or str(_("Unknown device"))


def _program(words: str) -> str:
    """Return the app name at the start of a user agent; "" for a browser."""
    name = _plain(unquote(END_OF_NAME.split(words, maxsplit=1)[0]))  # iOS sends Acme%20Portal
    is_name = name not in NOT_THE_NAME and any(letter.isalpha() for letter in name)
    return LIBRARIES.get(name, name) if is_name else ""


def _browser(found: Any) -> str:
    return _plain(FORM_FACTOR.sub("", _family(found)))


def _family(found: Any) -> str:
    return found.family if found else ""


def _plain(name: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(printable.split())[:MAX_NAME_LENGTH]
