"""Fixtures for the tests of the configuration."""

import secrets
import shutil

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


@pytest.fixture(scope="session")
def migrated(request, tmp_path_factory):
    """An SQLite database that is up to date, for the tests of a process to copy."""
    path = tmp_path_factory.mktemp("migrated") / "db.sqlite3"
    migrated_database(request, path)
    return path


@pytest.fixture
def database(migrated, tmp_path):
    """The URL of a database that other processes may use."""
    return f"sqlite:///{shutil.copy(migrated, tmp_path / 'site.sqlite3')}"
