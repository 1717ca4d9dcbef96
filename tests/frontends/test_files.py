"""The files of examples/frontends agree with each other, with Django's URLs, and with docs/."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import get_resolver

from tests.support import deployment as files

EXAMPLE = "examples/frontends"
PROXIES = ("Caddyfile", "nginx.conf", "vite.config.ts")
# The home page, those of DEBUG, and one that only the tests have.
NOT_FORWARDED = {"", "dummy", "states", "400", "403", "403_csrf", "404", "429", "500", "503"}
PAGE = files.text("docs/frontends.md")


def forwarded(name):
    """Return the first parts of the paths that this file forwards to Django."""
    (found,) = re.findall(r"\^/\((.*?)\)\(/\|\$\)", files.text(f"{EXAMPLE}/{name}"))
    return {part.replace("\\", "") for part in found.split("|")}


def patterns(resolver, before=""):
    for pattern in resolver.url_patterns:
        path = before + str(pattern.pattern).lstrip("^").replace("\\", "")
        yield from patterns(pattern, path) if hasattr(pattern, "url_patterns") else [path]


@pytest.mark.parametrize("name", PROXIES)
def test_every_url_of_django_is_forwarded(name):
    urls = {re.split(r"[/(]", path)[0] for path in patterns(get_resolver())}

    assert forwarded(name) == (urls | {"static"}) - NOT_FORWARDED


def test_both_proxies_send_the_same_policy():
    policy = r'Content-Security-Policy "(.*?)"'
    found = [re.findall(policy, files.text(f"{EXAMPLE}/{name}")) for name in PROXIES[:2]]

    assert found[0] == found[1]
    assert len(found[0]) == 1


def test_caddy_forwards_as_in_the_deployment():
    def settings(text):
        block = re.search(r"reverse_proxy \{\$UPSTREAM.*", text, re.DOTALL)[0]
        lines = [re.sub("#.*", "", line).strip() for line in block.splitlines()]
        return [line for line in lines if line and line != "}"][:7]

    deployed = settings(files.text("deploy/Caddyfile"))
    assert settings(files.text(f"{EXAMPLE}/Caddyfile")) == deployed
    assert deployed[-1] == "keepalive 10s"


def test_packages_are_locked_with_their_hashes_and_without_a_registry():
    lock = json.loads(files.text(f"{EXAMPLE}/package-lock.json"))["packages"]
    for name, package in lock.items():
        if name and not package.get("resolved", "").startswith("file:../../clients/js"):
            assert "resolved" not in package, name
            assert package["integrity"].startswith("sha512-"), name


@pytest.mark.parametrize("name", PROXIES)
def test_the_document_quotes_the_files(name):
    """`…` stands for what the document leaves out."""
    (quoted,) = re.findall(rf"(?s)`{EXAMPLE}/{name}`.*?\n\n```\w*\n(.*?)```", PAGE)
    text = " ".join(files.text(f"{EXAMPLE}/{name}").split())
    for part in re.split(r"\s*…\s*", quoted):
        assert " ".join(part.split()) in text, part
