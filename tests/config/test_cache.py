"""The cache: local memory, or the server in CACHE_URL."""

import pytest
from allauth.core import ratelimit
from django.core.cache import CacheHandler

from tests.support.redis import redis_url
from tests.support.start import settings_of


@pytest.fixture(scope="module")
def redis():
    with redis_url() as url:
        yield url


@pytest.fixture(params=["production", "production with CACHE_URL"])
def caches(request, production_env):
    """The setting CACHES of a site."""
    if "CACHE_URL" in request.param:
        production_env["CACHE_URL"] = request.getfixturevalue("redis")
    return settings_of(**production_env).CACHES


@pytest.fixture
def cache(caches):
    cache = CacheHandler(caches)["default"]
    yield cache
    cache.clear()
    for pool in getattr(getattr(cache, "_cache", None), "_pools", {}).values():
        pool.disconnect()


@pytest.mark.parametrize("value", [1, None, ["a", {"b": 1}], b"\x00"])
def test_the_cache_stores_values_of_any_type(cache, value):
    cache.set("x", value)

    assert cache.get("x", "nothing") == value


def test_the_rate_limits_count_in_the_cache(cache, monkeypatch, settings, rf):
    monkeypatch.setattr("allauth.core.internal.ratelimit.cache", cache)
    settings.ACCOUNT_RATE_LIMITS = {"orders": "2/h/ip"}
    request = rf.post("/")

    counted = [bool(ratelimit.consume(request, action="orders")) for _ in range(3)]

    assert counted == [True, True, False]


def test_many_other_entries_do_not_evict_a_count(cache):
    cache.add("mine", 1, timeout=60)

    for number in range(400):  # Django's local memory keeps 300 by default
        cache.add(f"flood-{number}", 1, timeout=60)

    assert cache.incr("mine") == 2


def test_the_health_check_reports_a_working_cache_as_ok(caches, settings, client, db):
    settings.CACHES = caches

    assert client.get("/health/ready/").json()["checks"]["cache"] == "ok"
