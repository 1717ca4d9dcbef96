"""The name and the type of a device, from its user agent."""

import random
import time

import pytest
from django.utils import translation

from accounts.devices import MAX_NAME_LENGTH, device_name, device_type

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
IPAD = IPHONE.replace("iPhone; CPU iPhone", "iPad; CPU")
ON_IPHONE = f"{IPHONE} (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36"
PIXEL = (
    f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/126.0.6478.72 Mobile Safari/537.36"
)


@pytest.fixture(autouse=True)
def in_english():
    """The language of the last request stays active in a test process."""
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64) {WEBKIT} Chrome/120 Safari/537.36 Edg/120", "Edge"),
        (f"{IPHONE} (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1", "Safari on iOS"),
        (f"{IPHONE} (KHTML, like Gecko) CriOS/120.0 Mobile/15E148 Safari/604.1", "Chrome on iOS"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:120.0) Gecko/20100101 Firefox/120.0",
            "Firefox on macOS",
        ),
        (f"{WINDOWS} OPR/112.0.0.0", "Opera on Windows"),
        (f"{ON_IPHONE} Brave/1.67 Version/17.5 Mobile/15E148 Safari/604.1", "Brave on iOS"),
        (WINDOWS, "Chrome on Windows"),  # also Brave on a computer, which sends the same
        (f"{ON_IPHONE} Mobile/15E148", "Safari on iOS"),  # the browser view of an app
        (PIXEL.replace("Pixel 8", "Pixel 8; wv"), "Chrome on Android"),
        (
            WINDOWS.replace("Chrome", "HeadlessChrome").replace("Windows NT 10.0", "X11; Linux"),
            "Headless Chrome on Linux",
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
        ("Acme Portal 2.1 (Android 14)", "Acme Portal on Android"),
        ("MyApp/2.1 (iPhone; iOS 17)", "MyApp on iOS"),
        (WINDOWS.replace("Chrome/", "Acme/2.1 Chrome/") + " Electron/28.2.3", "Acme on Windows"),
        (f"Mozilla/5.0 (Linux; Android 14) {WEBKIT} Acme/3.2", "Acme on Android"),
        ("Acme/2.1 okhttp/4.12.0", "Acme"),
        ("Acme%20Portal/1 CFNetwork/1410.0.3 Darwin/22.6.0", "Acme Portal on iOS"),
        ("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UQ1A)", "Android"),
        ("python-httpx/0.27.0", "httpx"),
        ("curl/8.5.0", "curl"),
    ],
)
def test_an_app_is_named_after_its_user_agent(user_agent, name):
    assert device_name(user_agent) == name


@pytest.mark.parametrize(
    ("user_agent", "kind"),
    [
        (IPHONE, "phone"),
        (PIXEL, "phone"),
        ("Acme Portal/2.1 (iPhone; iOS 17)", "phone"),
        (IPAD, "tablet"),
        (WINDOWS, "computer"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "computer"),
        ("curl/8.5.0", "other"),
        ("\ud800", "other"),
        ("", "other"),
    ],
)
def test_a_device_is_a_phone_a_tablet_a_computer_or_something_else(user_agent, kind):
    assert device_type(user_agent) == kind


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
