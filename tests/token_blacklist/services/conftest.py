import pytest

from tests.support.threads import end_threads, feed_readers
from token_blacklist.services import feed_reader


@pytest.fixture(autouse=True)
def _readers_end_with_their_test(monkeypatch):
    """A reader that continued would call the server of another test, which may have no database."""
    for name in ("POLL_INTERVAL", "RETRY_INTERVAL"):
        monkeypatch.setattr(feed_reader, name, 0.02)
    yield
    end_threads(feed_reader, feed_readers())
