"""What to call a device, from the user agent that it sent."""

from __future__ import annotations

import re

import ua_parser
from django.utils.translation import gettext_lazy as _

WORDS = 60  # as much of a name as is shown: programs choose theirs freely
FORM_FACTOR = re.compile(r"\b(?:Mobile|iOS)\b")  # "Chrome Mobile iOS" is Chrome to its owner
SYSTEMS = {"Mac OS X": "macOS"}


def device_name(user_agent: str) -> str:
    """Return words for a device: "Chrome on Windows", "curl", "Unknown device".

    The user agent is whatever a client said. The patterns run in Rust, in linear time; what
    they give is text, to be escaped where it is shown.
    """
    words = user_agent.encode("utf-8", "replace").decode()  # Rust knows no lone surrogate
    browser = _plain(FORM_FACTOR.sub("", _family(ua_parser.parse_user_agent(words))))
    system = _family(ua_parser.parse_os(words))
    system = _plain(SYSTEMS.get(system, system))
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or str(_("Unknown device"))


def _family(found: ua_parser.UserAgent | ua_parser.OS | None) -> str:
    return found.family if found else ""


def _plain(name: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(printable.split())[:WORDS]
