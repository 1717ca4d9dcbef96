"""The alternatives that are measured beside Simple JWT.

Of those that can look a session up at each request, so that a sign-out ends the access token, this
is turned on: this project does it, too.
"""

from __future__ import annotations

from dataclasses import replace

from . import apis
from .compare.clients import Allauth, JWTAllauth, Knox, peer
from .sites import Site

DRF_SESSIONS = replace(
    peer("drf-sessions 0.1.2", "drf_sessions", "drf_sessions"), api=apis.DRFSessions()
)
JWT_ALLAUTH = replace(JWTAllauth.option, api=apis.JWTAllauth())
HEADLESS = replace(Allauth.option, api=apis.Headless())
KNOX = replace(Knox.site, api=apis.Knox())
PEERS: tuple[Site, ...] = (DRF_SESSIONS, JWT_ALLAUTH, HEADLESS, KNOX)
