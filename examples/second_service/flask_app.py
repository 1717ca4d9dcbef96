"""A second service in Flask: no users, no database, and it refuses sessions that have ended.

It verifies tokens by the public keys of the issuing site and reads its revocation feed. Run it with

    ISSUER=https://auth.example.com FEED_CLIENT=billing:<secret> gunicorn flask_app:application
"""

import json
import os
import threading
import time
import urllib.request
from base64 import b64encode

import jwt
from flask import Flask, abort, jsonify, request

ISSUER = os.environ["ISSUER"]
CLIENT = b64encode(os.environ["FEED_CLIENT"].encode()).decode()
MAX_SILENCE = int(os.environ.get("FEED_MAX_SILENCE", "120"))

public_keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", cooldown_duration=10)
ended = {}  # session id: when it can be forgotten
feed = {"cursor": "", "heard_at": float("-inf")}
has_heard = threading.Event()
application = Flask(__name__)


def read_feed():
    while True:
        question = urllib.request.Request(
            f"{ISSUER}/api/token/revocations/?after={feed['cursor']}",
            headers={"Authorization": f"Basic {CLIENT}"},
        )
        try:
            with urllib.request.urlopen(question, timeout=10) as answer:
                told = json.load(answer)
        except (OSError, ValueError):
            time.sleep(1)
            continue
        now = time.monotonic()
        for session in [session for session, until in ended.items() if until < now]:
            del ended[session]
        ended.update(dict.fromkeys(told["revoked"], now + told["window"]))
        feed.update(cursor=told["cursor"], heard_at=now)
        has_heard.set()
        time.sleep(0.5)


threading.Thread(target=read_feed, daemon=True).start()


def user_of_request():
    """Return the user's id, or answer 401; 503 if the feed is silent, so that it fails closed."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        key = public_keys.get_signing_key_from_jwt(token)
        algorithms = [key.algorithm_name]
        claims = jwt.decode(token, key, algorithms, options={"require": ["exp"]})
    except jwt.PyJWKClientConnectionError:
        abort(503)
    except jwt.PyJWTError:
        abort(401)
    has_heard.wait(5)
    if time.monotonic() - feed["heard_at"] > MAX_SILENCE:
        abort(503)
    if claims.get("token_type") != "access" or claims.get("sid") in ended:
        abort(401)
    return claims["user_id"]


@application.get("/invoices/")
def invoices():
    return jsonify(invoices_of=user_of_request())
