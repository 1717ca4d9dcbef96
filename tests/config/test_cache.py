"""The cache in files: what it counts stays counted."""

import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.core.files import locks

from accounts.counts import Counts
from config.cache import SharedFileCache
from tests.support.redis import redis_url


@pytest.fixture
def cache(tmp_path):
    return SharedFileCache(str(tmp_path / "cache"), {})


def test_the_first_to_add_wins(cache):
    assert cache.add("key", 1, timeout=60)
    assert not cache.add("key", 2, timeout=60)
    assert cache.get("key") == 1


def test_of_many_who_add_at_once_one_wins(cache, monkeypatch):
    looked = SharedFileCache.has_key

    def look_and_linger(*args):
        found = looked(*args)
        time.sleep(0.02)
        return found

    monkeypatch.setattr(SharedFileCache, "has_key", look_and_linger)

    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda number: cache.add("key", number), range(4)))

    assert sorted(added) == [False, False, False, True]


def test_a_count_ends_when_it_was_to_end_however_often_it_is_raised(cache, clock):
    cache.add("key", 1, timeout=3600)
    for count in (2, 3, 4):
        clock.shift(1000)
        assert cache.incr("key") == count

    clock.shift(601)

    assert cache.get("key") is None
    with pytest.raises(ValueError, match="not found"):
        cache.incr("key")


def test_a_count_without_an_end_has_none(cache, clock):
    cache.add("key", 1, timeout=None)
    clock.shift(10**7)

    assert cache.incr("key", 5) == 6


def test_many_other_entries_throw_no_count_out(cache):
    cache.add("mine", 1, timeout=60)

    for number in range(400):  # Django's own keeps 300
        cache.add(f"flood-{number}", 1, timeout=60)

    assert cache.incr("mine") == 2


def test_what_has_expired_is_swept_out(cache, clock, monkeypatch):
    cache.add("old", 1, timeout=60)
    clock.shift(61)
    monkeypatch.setattr(cache, "SWEEP_SHARE", 1)

    cache.add("new", 1, timeout=60)

    assert len(cache._list_cache_files()) == 1
    assert cache.get("new") == 1


def test_a_lock_that_is_never_given_back_is_an_error_and_no_standstill(
    cache, tmp_path, monkeypatch
):
    cache.add("key", 1)
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    with (tmp_path / "cache" / "lock").open("ab") as held:
        assert locks.lock(held, locks.LOCK_EX)
        with pytest.raises(TimeoutError):
            cache.incr("key")

    assert cache.incr("key") == 2


def test_a_folder_that_was_deleted_is_made_again(cache, tmp_path):
    cache.add("key", 1)
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    (tmp_path / "cache").rmdir()

    assert cache.add("key", 1)
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


class Planted:
    """A pickle that makes a file where it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return type(self.path).touch, (self.path,)


class TestARedisThatAnswersWithAPickle:
    """Because somebody else writes to it."""

    @pytest.fixture
    def cache(self, settings):
        with redis_url() as url:
            options = {"serializer": "config.cache.NumberSerializer"}
            backend = "django.core.cache.backends.redis.RedisCache"
            settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": url, "OPTIONS": options}}
            made = RedisCache(url, {"OPTIONS": options})
            yield made
            for used in (made, caches["default"]):
                for pool in used._cache._pools.values():
                    pool.disconnect()

    @pytest.fixture
    def plant(self, cache, tmp_path):
        """Write the pickle to a key; return the file that it would make."""

        def plant(key):
            server = redis.Redis.from_url(cache._servers[0])
            server.set(cache.make_key(key), pickle.dumps(Planted(tmp_path / "loaded")))
            server.close()
            return tmp_path / "loaded"

        return plant

    @pytest.fixture
    def counts(self):
        return Counts()

    def test_is_never_unpickled(self, cache, plant):
        loaded = plant("key")

        with pytest.raises(ValueError, match="invalid literal"):
            cache.get("key")
        with pytest.raises(ValueError, match="invalid literal"):
            cache.get_many(["key"])
        assert not loaded.exists()

    def test_is_a_cache_that_fails_to_the_counts(self, plant, counts):
        loaded = plant("key")

        assert [counts.add("key", 60) for _ in range(3)] == [1, 2, 3]
        assert not loaded.exists()

    def test_is_a_cache_that_fails_where_it_comes_instead_of_a_count(
        self, cache, counts, monkeypatch
    ):
        monkeypatch.setattr(RedisCache, "incr", lambda *args, **kwargs: b"no number")
        cache.add("key", 1, timeout=60)

        assert [counts.add("key", 60) for _ in range(3)] == [1, 2, 3]

    def test_is_a_degraded_cache_to_the_health_check(self, client, db, plant, monkeypatch):
        loaded = plant("health")
        monkeypatch.setattr(RedisCache, "set", lambda *args, **kwargs: None)

        answer = client.get("/health/ready/")

        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert not loaded.exists()

    def test_keeps_numbers_alone(self, cache):
        assert cache.add("key", 1, timeout=60)
        assert cache.incr("key") == 2
        assert cache.get("key") == 2
        for value in ("text", True, 1.5):
            with pytest.raises(TypeError):
                cache.set("key", value)

    def test_a_working_one_is_ready(self, client, db, cache):
        assert client.get("/health/ready/").json()["checks"]["cache"] == "ok"
