"""static/js/session.js is built from clients/js, and checked in."""

import hashlib

from tests.support.checkout import ROOT


def test_session_js_is_built_from_the_present_source():
    source = (ROOT / "clients/js/src/session.ts").read_bytes()
    first_line, _, _ = (ROOT / "static/js/session.js").read_text(encoding="utf-8").partition("\n")

    built = hashlib.sha256(source).hexdigest()[:16] in first_line
    assert built, "static/js/session.js is old. In clients/js, run: npm ci && npm run build"
