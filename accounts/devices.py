"""Names and types of devices, made from user agents."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import unquote

from django.utils.translation import gettext_lazy as _

MAX_NAME_LENGTH = 60  # of a browser's or an app's name, which a client can choose freely
# Users call "Chrome Mobile iOS" Chrome, and the browser view of an app Safari or Chrome.
FORM_FACTOR = re.compile(r"\b(?:Mobile|iOS|Touch|WebView|UI/WKWebView)\b")
BROWSERS = {"HeadlessChrome": "Headless Chrome", "IE": "Internet Explorer"}
SYSTEMS = {"Chrome OS": "ChromeOS", "Mac OS X": "macOS"}
# Browsers and Android's own HTTP client start their user agent with one of these names.
NOT_THE_NAME = {"Mozilla", "Opera", "Dalvik"}
END_OF_NAME = re.compile(r"[/(]|\sv?\d")
LIBRARIES = {
    "Apache-HttpClient": "Apache HttpClient",
    "Go-http-client": "Go",
    "PostmanRuntime": "Postman",
    "insomnia": "Insomnia",
    "ktor-client": "Ktor",
    "node": "Node.js",
    "okhttp": "OkHttp",
    "python-httpx": "httpx",
    "python-requests": "Python Requests",
    "python-urllib3": "urllib3",
}
# An app that is built on a browser has its name among the browser's: "... Acme/2.1 Chrome/126 ...".
SHELLS = {"Android", "Electron"}
PRODUCT = re.compile(r"(?<=\s)([A-Za-z][\w.-]*)/\d")
NOT_AN_APP = {"AppleWebKit", "Chrome", "Electron", "Gecko", "Mobile", "Safari", "Version"}
PHONES = {"Android", "iOS"}
TABLETS = re.compile(r"\b(?:iPad|Tablet)\b")


def device_name(user_agent: str) -> str:
    """Return the name of a device: "Chrome on Windows", "Acme Portal on iOS", "Unknown device".

    For an app, use the name at the start of its user agent, such as `Acme Portal/2.1 (iOS 17)`.

    A client may send any user agent. ua-parser matches it in linear time (its patterns run in
    Rust). The result is plain text, which has to be escaped for HTML.
    """
    words = _words(user_agent)
    program = _program(words) or _browser(words)
    system = _family(words, "os")
    system = _plain(SYSTEMS.get(system, system))
    if program and system and program != system:
        return _("%(browser)s on %(system)s") % {"browser": program, "system": system}
    return program or system or str(_("Unknown device"))


def device_type(user_agent: str) -> str:
    """Return "phone", "tablet", "computer", or "other" for a program or an unknown device."""
    words = _words(user_agent)
    system = _family(words, "os")
    if TABLETS.search(words):
        return "tablet"
    if system in PHONES:
        return "phone"
    return "computer" if system else "other"


def _program(words: str) -> str:
    """Return the app name at the start of a user agent; "" for a browser."""
    name = _plain(unquote(END_OF_NAME.split(words, maxsplit=1)[0]))  # iOS sends Acme%20Portal
    is_name = name not in NOT_THE_NAME and any(letter.isalpha() for letter in name)
    return LIBRARIES.get(name, name) if is_name else ""


def _browser(words: str) -> str:
    name = _plain(FORM_FACTOR.sub("", _family(words, "user_agent")))
    if name in SHELLS:
        apps = [_plain(each) for each in PRODUCT.findall(words) if each not in NOT_AN_APP]
        return apps[0] if apps else name
    return BROWSERS.get(name, name)


def _words(user_agent: str) -> str:
    return user_agent.encode("utf-8", "replace").decode()  # Rust refuses lone surrogates


def _family(words: str, kind: Literal["os", "user_agent"]) -> str:
    import ua_parser  # noqa: PLC0415  # 1.5 MiB that only a worker that shows a device needs

    found = ua_parser.parse_os(words) if kind == "os" else ua_parser.parse_user_agent(words)
    return found.family if found else ""


def _plain(name: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(printable.split())[:MAX_NAME_LENGTH]
