"""Fixtures for the tests of the configuration."""

import secrets

import pytest

from tests.support.migrated import migrated_database


@pytest.fixture
def production_env(tmp_path):
    """The variables that production requires, with valid values."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "app.example.com",
        "EMAIL_URL": "dummymail://",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
    }


@pytest.fixture
def database(request, tmp_path):
    """The URL of a migrated database that other processes may use."""
    return migrated_database(request, tmp_path / "site.sqlite3")
