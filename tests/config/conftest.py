"""What the tests of the settings start from."""

import secrets

import pytest


@pytest.fixture
def fit(tmp_path):
    """What production needs at least."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "app.example.com",
        "EMAIL_URL": "dummymail://",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
    }
