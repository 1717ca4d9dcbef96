"""The alternatives that are measured beside Simple JWT.

Of those that can look a session up at each request, so that a sign-out ends the access token, this
is turned on: this project does it, too.
"""

from __future__ import annotations

from dataclasses import replace

from . import apis
from .compare.clients import Allauth, Client, JWTAllauth, Knox
from .sites import Site

JWT_ALLAUTH = replace(JWTAllauth.option, api=apis.JWTAllauth())
HEADLESS = replace(Allauth.option, api=apis.Headless())
KNOX = replace(Knox.site, api=apis.Knox())
PEERS: dict[Site, type[Client]] = {JWT_ALLAUTH: JWTAllauth, HEADLESS: Allauth, KNOX: Knox}
