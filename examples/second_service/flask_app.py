"""A second service in Flask: no users, no database, and it refuses sessions that have ended.

It verifies tokens by the public keys of the issuing site and reads its revocation feed. Run it with

    ISSUER=https://auth.example.com FEED_CLIENT=billing:<secret> gunicorn flask_app:application
"""

import os
import threading
import time

import jwt
from flask import Flask, abort, jsonify, request

# These two files need no Django: copy them into your service.
from token_blacklist.fetch import fetch_json
from token_blacklist.services.feed_reader import FeedReader

ISSUER = os.environ["ISSUER"]
LEEWAY = int(os.environ.get("LEEWAY", "0"))  # seconds that a token is accepted after its expiry
# Seconds.
KEYS_INTERVAL, RETRY_INTERVAL = 10.0, 1.0
FIRST_KEYS_TIMEOUT, RESPONSE_TIMEOUT = 5.0, 5.0

feed = FeedReader(
    f"{ISSUER}/api/token/revocations/",
    os.environ["FEED_CLIENT"],
    max_silence=float(os.environ.get("FEED_MAX_SILENCE", "120")),
    leeway=LEEWAY,
)
application = Flask(__name__)


class PublicKeys:
    """The public keys of the issuing site, fetched in a thread. If that fails, known keys stay."""

    def __init__(self, url):
        self.url, self.by_id, self.are_known = url, {}, threading.Event()
        self.thread, self.lock = threading.Thread(), threading.Lock()

    def get(self, key_id):
        self.start()
        if not self.are_known.wait(FIRST_KEYS_TIMEOUT):
            abort(503)
        return self.by_id.get(key_id) or abort(401)

    def start(self):
        """Start the thread if none is alive, such as after a fork."""
        with self.lock:
            if self.thread.is_alive():
                return
            self.thread = threading.Thread(target=self.read_on, daemon=True)
            try:
                self.thread.start()
            except RuntimeError:  # the system has no thread for it; the next request tries again
                application.logger.exception("the public keys cannot be read")

    def read_on(self):
        while True:
            try:
                told = fetch_json(self.url, seconds=RESPONSE_TIMEOUT, most=2**20)
                self.by_id = {key.key_id: key for key in jwt.PyJWKSet.from_dict(told).keys}
                self.are_known.set()
            except Exception:  # another server can send anything
                application.logger.exception("the public keys cannot be read")
            time.sleep(KEYS_INTERVAL if self.by_id else RETRY_INTERVAL)


public_keys = PublicKeys(f"{ISSUER}/.well-known/jwks.json")


def user_of_request():
    """Return the user's id, or answer 401; 503 if the feed is silent, so that it fails closed."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        key = public_keys.get(jwt.get_unverified_header(token).get("kid"))
        algorithms = [key.algorithm_name]
        required = {"require": ["exp"]}
        claims = jwt.decode(token, key, algorithms, options=required, leeway=LEEWAY)
    except jwt.PyJWTError:
        abort(401)
    has_ended = feed.has_ended(claims.get("sid"))
    if feed.is_silent():
        abort(503)
    if claims.get("token_type") != "access" or has_ended:
        abort(401)
    return claims["user_id"]


@application.get("/invoices/")
def invoices():
    return jsonify(invoices_of=user_of_request())
