"""The name of a device, from its user agent."""

import random
import time

import pytest

from accounts.devices import MAX_NAME_LENGTH, device_name

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64) {WEBKIT} Chrome/120 Safari/537.36 Edg/120", "Edge"),
        (f"{IPHONE} (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1", "Safari on iOS"),
        (f"{IPHONE} (KHTML, like Gecko) CriOS/120.0 Mobile/15E148 Safari/604.1", "Chrome on iOS"),
        (
            f"Mozilla/5.0 (Linux; Android 13; Pixel 7) {WEBKIT} Chrome/116.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:120.0) Gecko/20100101 Firefox/120.0",
            "Firefox on macOS",
        ),
        ("curl/8.0", "curl"),
        ("Mozilla/5.0 (Windows NT 10.0)", "Windows"),
        ("", "Unknown device"),
        ("/1.0 (1; 2)", "Unknown device"),
    ],
)
def test_a_device_is_named_after_its_browser_and_system(user_agent, name):
    assert device_name(user_agent).startswith(name)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Acme Portal/2.1 (Android 14; Pixel 8)", "Acme Portal on Android"),
        ("Acme Portal/2.1 (iOS 17.4; iPhone15,2)", "Acme Portal on iOS"),
        ("Acme Portal/2.1 (Windows 11)", "Acme Portal on Windows"),
        ("Acme Portal/2.1 (Mac OS X 14.4)", "Acme Portal on macOS"),
        ("Acme Portal/2.1 (Linux)", "Acme Portal on Linux"),
        ("Acme Portal 2.1 (Android 14)", "Acme Portal on Android"),
        ("Acme/2.1 okhttp/4.12.0", "Acme"),
        ("Acme%20Portal/1 CFNetwork/1410.0.3 Darwin/22.6.0", "Acme Portal on iOS"),
        ("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UQ1A)", "Android"),
        ("Dart/3.3 (dart:io)", "Dart"),
        ("okhttp/4.12.0", "OkHttp"),
        ("ktor-client", "Ktor"),
        ("python-httpx/0.27.0", "httpx"),
        ("curl/8.5.0", "curl"),
    ],
)
def test_an_app_is_named_after_its_user_agent(user_agent, name):
    assert device_name(user_agent) == name


def test_a_hostile_user_agent_gets_a_short_printable_name_in_little_time():
    pieces = ["Mozilla/5.0 ", "(", ")", "; ", "Android", "/1.", "\x00", "\ud800", "<b>", "a" * 50]
    chance = random.Random(1)
    hostile = ["".join(chance.choices(pieces, k=60))[:255] for _ in range(300)]
    hostile += [f"{'x' * 200}/1 CFNetwork/1410.0.3 Darwin/22.6.0", "(" * 255, "a/" * 127]
    device_name("")  # compile the patterns

    began = time.process_time()
    names = [device_name(user_agent) for user_agent in hostile]

    assert time.process_time() - began < 3
    assert all(name.isprintable() and 0 < len(name) < 2 * MAX_NAME_LENGTH + 5 for name in names)
