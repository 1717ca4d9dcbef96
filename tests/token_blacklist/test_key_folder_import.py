"""Importing a key folder of a former version into the key set keeps all tokens valid."""

import json
import math
import stat
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed448
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.support.keys import add_key, new_key, private_key
from tests.token_blacklist.test_keys import private_pem
from token_blacklist import keys
from token_blacklist.exceptions import TokenError
from token_blacklist.keys.key_set import current_set

FOREVER = {"exp": 4_000_000_000, "name": "Ada"}
DAY = 24 * 3600


@pytest.fixture
def folder(tmp_path, options):
    options(
        KEYS_FILE=str(tmp_path / "keys.json"),
        REFRESH_TOKEN_LIFETIME=timedelta(days=1),
        SLIDING_TOKEN_REFRESH_LIFETIME=timedelta(days=1),
    )
    (tmp_path / "ring").mkdir()
    (tmp_path / "ring" / ".lock").touch()
    return tmp_path / "ring"


@pytest.fixture
def place(folder):
    """Write a key file whose name has its start and, if given, its end, in seconds from now."""

    def write(text, at, end=None, suffix=".pem"):
        times = [timezone.now() + timedelta(seconds=each) for each in (at, end) if each is not None]
        path = folder / ("--".join(f"{time:%Y%m%dT%H%M%SZ}" for time in times) + suffix)
        path.write_text(text)
        return path

    return write


def import_from(folder, capsys):
    call_command("rotatekeys", "--import", str(folder))
    return capsys.readouterr().out


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "HS256"])
def test_imported_keys_verify_existing_tokens_and_the_current_one_continues_to_sign(
    folder, place, options, capsys, algorithm
):
    secret = "k" * 64
    key = secret if algorithm == "HS256" else private_pem(private_key(algorithm))
    place(key, -60, suffix=".secret" if algorithm == "HS256" else ".pem")
    options(KEYS_FILE=None, ALGORITHM=algorithm, SIGNING_KEY=key)
    token = keys.encode(FOREVER)  # with the id that the folder gave to this key
    options(KEYS_FILE=str(folder.parent / "keys.json"), ALGORITHM="HS256", SIGNING_KEY=None)

    said = import_from(folder, capsys)

    assert keys.decode(token) == FOREVER
    assert keys.encode(FOREVER) == token or algorithm.startswith("ES")
    assert said == f"Added {algorithm} key {jwt.get_unverified_header(token)['kid']}.\n"
    assert stat.S_IMODE((folder.parent / "keys.json").stat().st_mode) == 0o600
    assert [m for m in run_checks() if m.id.startswith("token_blacklist")] == []


def test_start_and_end_times_come_from_the_file_names_and_missing_ends_are_computed_once(
    folder, place, capsys
):
    place("a" * 64, -9 * DAY, -5 * DAY, ".secret")
    place(private_pem(private_key("EdDSA")), -6 * DAY, 4 * DAY)
    place(private_pem(private_key("EdDSA")), -3600)
    place(private_pem(private_key("ES256")), 600)
    before = sorted(folder.iterdir())

    import_from(folder, capsys)

    now = timezone.now().timestamp()
    seconds = [
        (round(key.starts - now), key.ends if key.ends == math.inf else round(key.ends - now))
        for key in current_set().keys
    ]
    expected = [
        (-9 * DAY, -5 * DAY),
        (-6 * DAY, 4 * DAY),
        (-3600, 600 + DAY),
        (600, math.inf),
    ]
    assert all(
        abs(one - other) <= 2 or one == other
        for found, wanted in zip(seconds, expected, strict=True)
        for one, other in zip(found, wanted, strict=True)
    ), seconds
    assert sorted(folder.iterdir()) == before


def test_an_expired_key_does_not_verify_after_the_import(folder, place, options, capsys):
    place("a" * 64, -9 * DAY, -5 * DAY, ".secret")
    place("b" * 64, -6 * DAY, suffix=".secret")
    options(KEYS_FILE=None, SIGNING_KEY="a" * 64)
    token = keys.encode(FOREVER)
    options(KEYS_FILE=str(folder.parent / "keys.json"))

    import_from(folder, capsys)

    with pytest.raises(TokenError):
        keys.decode(token)


def test_the_import_leaves_keys_that_the_set_already_has_unchanged(folder, place, capsys):
    key = add_key(folder.parent / "keys.json", new_key(at=-60))
    place(private_pem(key.signing), -9 * DAY)
    place("b" * 64, -6 * DAY, suffix=".secret")

    import_from(folder, capsys)
    first = json.loads((folder.parent / "keys.json").read_text())
    import_from(folder, capsys)

    assert json.loads((folder.parent / "keys.json").read_text()) == first
    assert [key.algorithm for key in current_set().keys] == ["HS256", "EdDSA"]
    assert current_set().keys[1].starts == key.starts


@pytest.mark.filterwarnings("ignore:The RSA key")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("key.pem", private_pem(private_key("EdDSA"))),
        ("20261129T164500Z--soon.pem", private_pem(private_key("EdDSA"))),
        ("20261129T164500Z.pem", "no key"),
        ("20261129T164500Z.secret", "short"),
        ("20261129T164500Z.pem", private_pem(ed448.Ed448PrivateKey.generate())),
    ],
)
def test_one_unusable_file_prevents_the_whole_import(folder, place, name, text):
    place("b" * 64, -60, suffix=".secret")
    (folder / name).write_text(text)

    with pytest.raises(CommandError, match=f"Nothing was imported, because {name} is not a key"):
        call_command("rotatekeys", "--import", str(folder))
    assert not (folder.parent / "keys.json").exists()


def test_the_former_folder_option_is_a_check_error_with_instructions(options):
    options(KEYS_DIR="/run/keys/ring")

    (message,) = [m for m in run_checks() if m.id.startswith("token_blacklist")]

    assert message.msg == "TOKEN_BLACKLIST has no option 'KEYS_DIR'."
    assert "rotatekeys --import" in message.hint
