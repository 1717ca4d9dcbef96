"""A service that introspects tokens: its secret, and the header with it."""

import base64
import hashlib

SECRET = "s" * 40


def digest(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


def basic(name="billing", secret=SECRET):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
