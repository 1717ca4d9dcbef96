"""The key ring: a folder of keys, of which one signs and any number verify."""

import base64
import hashlib
import json
import logging
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient, APIRequestFactory

from tests.support.devices import Device
from tests.token_blacklist.test_keys import private_key, private_pem, public_pem
from token_blacklist import key_ring, key_rotation, keys
from token_blacklist.exceptions import TokenError
from token_blacklist.key_ring import Key, current_ring
from token_blacklist.management.commands.rotatekeys import Command
from token_blacklist.tokens import RefreshToken
from token_blacklist.views import jwks

FOREVER = {"exp": 4_000_000_000, "name": "Ada"}
SECRET = "k" * 64
DAY = 24 * 3600


@pytest.fixture
def folder(tmp_path, options):
    options(KEYS_DIR=str(tmp_path))
    return tmp_path


@pytest.fixture
def add(folder):
    """Add a key that signs from so many seconds from now."""

    def add_file(text, *, at=-60, suffix=".pem"):
        starts = timezone.now() + timedelta(seconds=at)
        path = folder / f"{starts.strftime(key_ring.NAMED)}{suffix}"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    return add_file


def new_pem(algorithm="EdDSA"):
    return private_pem(private_key(algorithm))


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


def rotate(capsys, *arguments):
    call_command("rotatekeys", *arguments)
    return capsys.readouterr().out


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "ES384", "ES512", "RS256"])
def test_a_token_names_its_key_and_any_library_verifies_it_by_the_public_keys(add, algorithm):
    add(new_pem(algorithm))
    token = keys.encode(FOREVER)

    published = jwks(APIRequestFactory().get("/.well-known/jwks.json"))
    published.render()
    (key,) = jwt.PyJWKSet.from_dict(json.loads(published.content)).keys

    assert published["Cache-Control"] == "public, max-age=300"
    assert (key.key_id, key.algorithm_name) == (kid_of(token), algorithm)
    assert jwt.decode(token, key, algorithms=[algorithm]) == keys.decode(token) == FOREVER


def test_a_key_id_is_the_thumbprint_of_rfc_7638():
    """The example of its section 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPe"
        "bWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY36"
        "8QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4l"
        "Fd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    public = jwt.PyJWK({"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256"}).key

    class Owner:
        def public_key(self):
            return public

    key = Key("RS256", "", public_pem(Owner()))

    assert key.kid == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_a_secret_is_published_nowhere_and_its_id_is_no_digest_of_it_alone(add):
    add(SECRET, suffix=".secret")
    token = keys.encode(FOREVER)

    assert keys.decode(token) == FOREVER
    assert current_ring().jwks() == {"keys": []}
    plain = base64.urlsafe_b64encode(hashlib.sha256(SECRET.encode()).digest()).decode()
    assert kid_of(token)[:20] not in plain


def test_the_next_key_signs_from_its_time_and_the_last_verifies_until_its_tokens_are_over(
    add, clock, options
):
    options(REFRESH_TOKEN_LIFETIME=timedelta(hours=1), SLIDING_TOKEN_REFRESH_LIFETIME=timedelta(1))
    add(new_pem())
    add(new_pem("RS256"), at=600)
    first = keys.encode(FOREVER)

    clock.shift(601)
    second = keys.encode(FOREVER)
    assert kid_of(first) != kid_of(second)
    assert keys.decode(first) == keys.decode(second) == FOREVER
    assert len(current_ring().jwks()["keys"]) == 2

    clock.shift(24 * 3600)
    assert keys.decode(second) == FOREVER
    assert [key["kid"] for key in current_ring().jwks()["keys"]] == [kid_of(second)]
    with pytest.raises(TokenError):
        keys.decode(first)


def test_a_token_without_a_key_id_is_tried_with_each_key(add):
    pem = new_pem("ES256")
    add(SECRET, at=-120, suffix=".secret")
    add(pem, at=-60)
    add(new_pem(), at=-30)

    for token in (jwt.encode(FOREVER, SECRET), jwt.encode(FOREVER, pem, algorithm="ES256")):
        assert keys.decode(token) == FOREVER
    with pytest.raises(TokenError):
        keys.decode(jwt.encode(FOREVER, "j" * 64))


def test_a_token_of_an_unknown_key_is_refused(add):
    add(new_pem(), at=-90)
    add(SECRET, suffix=".secret")

    with pytest.raises(TokenError):
        keys.decode(jwt.encode(FOREVER, SECRET, headers={"kid": "unknown"}))


def test_a_public_key_is_never_taken_for_a_secret(add):
    """RFC 8725 section 2.1: the attacker knows the public key, and names it in the header."""
    public = public_pem(ed25519.Ed25519PrivateKey.from_private_bytes(b"1" * 32))
    add(SECRET, at=-90, suffix=".secret")
    path = add(public)
    kid = next(key.kid for key in current_ring().keys if key.path == path)
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": kid}).encode())
    body = base64.urlsafe_b64encode(json.dumps(FOREVER).encode())
    signed = b".".join(part.rstrip(b"=") for part in (header, body))
    digest = jwt.algorithms.HMACAlgorithm(hashlib.sha256).sign(signed, public.encode())
    forged = signed + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")

    with pytest.raises(TokenError):
        keys.decode(forged)


def test_a_repeated_refresh_gets_the_same_bytes_although_the_key_changed(add, clock, user):
    add(new_pem(), at=-3600)
    device = Device(user)
    device.log_in()
    add(new_pem(), at=3)
    old = device.refresh_token

    first = device.post("/api/token/refresh/", {"refresh": old}).json()
    clock.shift(4)
    again = device.post("/api/token/refresh/", {"refresh": old}).json()
    later = device.post("/api/token/refresh/", {"refresh": again["refresh"]}).json()

    assert again == first
    assert kid_of(later["refresh"]) != kid_of(first["refresh"])


def test_a_revoked_key_ends_what_it_signed_and_no_session_that_another_refreshed(add, user, capsys):
    add(new_pem(), at=-3600)
    device = Device(user)
    device.log_in()
    access, leaked = device.access, kid_of(device.access)
    assert device.me().status_code == 200
    add(new_pem(), at=-1)
    other = APIClient()
    stays = device.post("/api/token/refresh/", {"refresh": device.refresh_token}).json()

    said = rotate(capsys, f"--revoke={leaked}")

    assert said == f"Revoked {leaked}. What it signed is refused from now on.\n"
    assert other.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 401
    answer = device.post("/api/token/refresh/", {"refresh": stays["refresh"]})
    assert answer.status_code == 200


def test_the_key_that_signs_is_replaced_when_it_is_revoked(add, folder, capsys):
    path = add(new_pem("ES384"))
    before = keys.encode(FOREVER)

    rotate(capsys, f"--revoke={kid_of(before)}")

    after = keys.encode(FOREVER)
    assert not path.exists()
    assert jwt.get_unverified_header(after)["alg"] == "ES384"
    with pytest.raises(TokenError):
        keys.decode(before)


def test_an_id_that_begins_with_a_hyphen_can_be_typed(add):
    pem = next(pem for pem in iter(new_pem, None) if Key("EdDSA", pem).kid.startswith("-"))
    path = add(pem)

    Command().run_from_argv(["manage.py", "rotatekeys", "--revoke", Key("EdDSA", pem).kid])

    assert not path.exists()


def test_the_command_makes_the_first_key_then_the_next_and_drops_what_is_over(
    folder, clock, capsys, options
):
    options(KEYS_DIR=str(folder / "new"), REFRESH_TOKEN_LIFETIME=timedelta(hours=1))
    said = rotate(capsys)
    (first,) = current_ring().keys
    assert said.startswith(f"EdDSA key {first.kid} signs from ")
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.path.parent.stat().st_mode) == 0o700
    clock.shift(5)

    said = rotate(capsys, "--kind", "ES256")
    _first, second = current_ring().keys
    assert (second.algorithm, second.starts) == ("ES256", int(time.time()) + 600)
    assert rotate(capsys) == "A key waits to sign already. No other was made.\n"

    clock.shift(600 + 24 * 3600 + 1)
    said = rotate(capsys)
    assert f"Deleted EdDSA key {first.kid}, whose tokens have all expired." in said
    assert [key.algorithm for key in current_ring().keys] == ["ES256", "ES256"]


@pytest.mark.parametrize("kind", ["EdDSA", "ES256", "ES384", "ES512", "RS256", "HS256"])
def test_the_command_makes_each_kind(folder, capsys, kind):
    rotate(capsys, "--kind", kind)

    assert keys.decode(keys.encode(FOREVER)) == FOREVER
    assert jwt.get_unverified_header(keys.encode(FOREVER))["alg"] == kind


def test_the_command_lists_the_keys(add, capsys, options):
    options(REFRESH_TOKEN_LIFETIME=timedelta(hours=1))
    for at in (-7200, -60, 600):
        add(new_pem(), at=at)
    add(public_pem(ed25519.Ed25519PrivateKey.generate()), at=-30)

    states = [
        line.partition(" key ")[2].split(" ", 1)[1]
        for line in rotate(capsys, "--list").splitlines()
    ]

    assert [state.split(" 20")[0] for state in states] == [
        "verifies until",
        "signs.",
        "verifies only.",
        "signs from",
    ]


def test_without_a_key_the_list_says_so(folder, capsys):
    assert rotate(capsys, "--list") == "There is no key.\n"


def test_of_commands_at_once_one_makes_the_next_key(add, folder):
    add(new_pem())

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _n: key_rotation.rotate(None, 600), range(8)))

    assert len([rotation for rotation in done if rotation.made]) == 1
    assert len(list(folder.glob("2*"))) == 2


def test_keys_that_are_revoked_at_once_are_all_gone_and_one_signs(add, folder):
    for at in (-90, -60, -30):
        add(new_pem(), at=at)
    leaked = [key.kid for key in current_ring().keys]

    with ThreadPoolExecutor(8) as pool:
        for _done in pool.map(
            lambda kid: key_rotation.revoke(kid) if kid else key_rotation.rotate(None, 0),
            [None, leaked[2], None, leaked[0], None, leaked[1]],
        ):
            pass

    assert not {key.kid for key in current_ring().keys} & set(leaked)
    assert keys.decode(keys.encode(FOREVER)) == FOREVER


def test_revoking_the_next_key_brings_no_older_one_back(add, user, capsys):
    """Keys of 40 and 30 days: the end of the older was reckoned from the newer."""
    old = new_pem()
    add(old, at=-40 * DAY)
    newer = add(new_pem(), at=-30 * DAY)
    kid = Key("EdDSA", old).kid
    now = int(time.time())
    claims = {
        "token_type": "access",
        "user_id": RefreshToken.for_user(user)["user_id"],
        "jti": "f" * 32,
        "iat": now,
        "exp": now + 300,
    }
    forged = jwt.encode(claims, old, algorithm="EdDSA", headers={"kid": kid})

    def answer():
        return APIClient().post("/api/token/verify/", {"token": forged}).status_code

    def published():
        return [key["kid"] for key in current_ring().jwks()["keys"]]

    assert answer() == 401
    assert kid not in published()
    assert f"key {kid} expired at " in rotate(capsys, "--list")

    rotate(capsys, f"--revoke={next(k.kid for k in current_ring().keys if k.path == newer)}")

    assert answer() == 401
    assert len(published()) == 1
    assert kid not in published()
    assert f"key {kid} expired at " in rotate(capsys, "--list")


def test_the_key_before_one_that_is_revoked_while_it_waits_keeps_its_end(add, clock, capsys):
    add(new_pem(), at=-DAY)
    first = keys.encode(FOREVER)
    rotate(capsys, "--in", "600")
    waiting = current_ring().keys[-1]

    said = rotate(capsys, f"--revoke={waiting.kid}")

    assert keys.decode(first) == FOREVER
    clock.shift(599)
    assert kid_of(keys.encode(FOREVER)) == kid_of(first)
    clock.shift(1)
    last = keys.encode(FOREVER)
    assert kid_of(last) not in {kid_of(first), waiting.kid}
    assert f"key {kid_of(last)} signs from " in said
    clock.shift(31 * DAY)
    assert f"key {kid_of(first)} expired at " in rotate(capsys, "--list")


def test_a_recorded_end_stays_when_tokens_may_live_longer_or_the_next_key_is_lost(
    add, folder, clock, capsys, options
):
    options(REFRESH_TOKEN_LIFETIME=timedelta(1), SLIDING_TOKEN_REFRESH_LIFETIME=timedelta(1))
    add(new_pem(), at=-60)
    first = keys.encode(FOREVER)
    rotate(capsys, "--in", "0")
    clock.shift(DAY + 1)

    options(REFRESH_TOKEN_LIFETIME=timedelta(30))
    with pytest.raises(TokenError):
        keys.decode(first)
    current_ring().keys[-1].path.unlink()
    with pytest.raises(TokenError):
        keys.decode(first)
    with pytest.raises(Exception, match="busy or restarting"):
        keys.encode(FOREVER)
    assert "No key of TOKEN_BLACKLIST['KEYS_DIR'] may sign any more." in messages()

    rotate(capsys)
    assert keys.decode(keys.encode(FOREVER)) == FOREVER
    assert messages() == []


def test_a_key_is_revoked_with_its_public_half(add, capsys):
    key = private_key("EdDSA")
    add(public_pem(key), at=-120)
    add(private_pem(key), at=-60)
    leaked = keys.encode(FOREVER)

    rotate(capsys, f"--revoke={kid_of(leaked)}")

    assert kid_of(keys.encode(FOREVER)) != kid_of(leaked)
    with pytest.raises(TokenError):
        keys.decode(leaked)


def test_a_key_whose_file_is_renamed_while_the_folder_is_read_is_not_missing(
    add, folder, monkeypatch, caplog
):
    path = add(new_pem())
    read = key_ring.read_key

    def renamed_first(file):
        if path.exists():
            path.rename(folder / f"{path.stem}--20991231T000000Z.pem")
        return read(file)

    monkeypatch.setattr(key_ring, "read_key", renamed_first)

    assert len(current_ring().keys) == 1
    assert current_ring().problems == []
    assert caplog.text == ""


@pytest.fixture
def unfit(folder):
    path = folder / "20261129T164500Z.secret"
    path.write_text("")
    return path


@pytest.mark.parametrize("has_a_key", [False, True])
def test_beside_an_unfit_file_no_key_is_made_and_none_dropped(
    add, folder, unfit, clock, options, has_a_key
):
    options(REFRESH_TOKEN_LIFETIME=timedelta(hours=1))
    if has_a_key:
        add(new_pem(), at=-60 * 24 * 3600)
        add(new_pem(), at=-59 * 24 * 3600)
    before = sorted(folder.glob("2*"))

    with pytest.raises(CommandError) as raised:
        call_command("rotatekeys")

    assert str(raised.value) == (
        "Nothing was changed, because the key ring has an unfit key: "
        f"{unfit.name}: the secret is shorter than 32 bytes."
    )
    assert sorted(folder.glob("2*")) == before


def test_a_leaked_key_is_revoked_beside_an_unfit_file(add, unfit, capsys):
    path = add(new_pem())
    leaked = keys.encode(FOREVER)

    said = rotate(capsys, f"--revoke={kid_of(leaked)}")

    assert f"Revoked {kid_of(leaked)}." in said
    assert not path.exists()
    assert unfit.exists()
    assert keys.decode(keys.encode(FOREVER)) == FOREVER
    with pytest.raises(TokenError):
        keys.decode(leaked)


def test_the_list_has_the_unfit_files(add, unfit, capsys):
    add(new_pem())

    said = rotate(capsys, "--list").splitlines()

    assert said[0].endswith(" signs.")
    assert said[1:] == [f"Unfit: {unfit.name}: the secret is shorter than 32 bytes."]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--revoke", "unknown"], "No key is called unknown. The ring has no key."),
        (["--in", "-1"], "--in must be 0 or more."),
    ],
)
def test_a_command_that_cannot_be_done_says_why(folder, arguments, said):
    with pytest.raises(CommandError, match=said):
        call_command("rotatekeys", *arguments)


def test_without_a_folder_the_command_says_what_to_set(options):
    options(KEYS_DIR=None)
    with pytest.raises(CommandError, match="There is no key ring"):
        call_command("rotatekeys")


def test_a_folder_that_cannot_be_written_is_named(folder, options):
    (folder / "file").write_text("")
    options(KEYS_DIR=str(folder / "file" / "ring"))
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("rotatekeys")


def messages():
    return [str(message.msg) for message in run_checks() if "token_blacklist" in message.id]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("key.pem", new_pem(), "the name is not like"),
        ("20261129T164500Z.txt", new_pem(), "the name is not like"),
        ("20261129T164500Z--.pem", new_pem(), "the name is not like"),
        ("20261129T164500Z--soon.pem", new_pem(), "the name is not like"),
        ("20261129T164500Z.pem", "no key", "ValueError"),
        ("20261129T164500Z.secret", "short", "the secret is shorter than 32 bytes"),
        (
            "20261129T164500Z.pem",
            private_pem(rsa.generate_private_key(65537, 1024)),
            "fewer than 2048 bits",
        ),
        (
            "20261129T164500Z.pem",
            private_pem(ec.generate_private_key(ec.SECP256K1())),
            "keys of this kind cannot sign tokens",
        ),
        (
            "20261129T164500Z.pem",
            private_pem(ed448.Ed448PrivateKey.generate()),
            "keys of this kind cannot sign tokens",
        ),
    ],
)
def test_an_unfit_file_is_left_out_and_named_by_the_checks(add, folder, caplog, name, text, reason):
    add(new_pem())
    (folder / name).write_text(text)
    (folder / "..data").mkdir()

    assert keys.decode(keys.encode(FOREVER)) == FOREVER
    (said,) = messages()
    assert name in said
    assert reason in said
    assert text[40:60] not in said + caplog.text or len(text) < 40
    assert f"a key of the ring is left out: {name}" in caplog.text


def test_a_key_that_others_can_read_is_a_warning(add):
    path = add(new_pem())
    path.chmod(0o644)

    assert messages() == [f"Other users of the machine can read the key {path.name}."]


@pytest.mark.parametrize("missing", [False, True])
def test_without_a_key_the_answer_is_503_and_the_checks_say_what_to_do(
    tmp_path, options, device, caplog, missing
):
    access = device.access
    folder = tmp_path
    options(KEYS_DIR=str(folder / "missing" if missing else folder))
    caplog.set_level(logging.CRITICAL)

    answers = [
        device.post("/api/token/", device.credentials),
        APIClient().get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {access}"),
    ]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert messages()[-1] == "TOKEN_BLACKLIST['KEYS_DIR'] has no key."


def test_a_ring_of_public_keys_verifies_and_signs_nothing(add):
    key = ed25519.Ed25519PrivateKey.generate()
    add(public_pem(key))
    token = jwt.encode(FOREVER, key, algorithm="EdDSA")

    assert keys.decode(token) == FOREVER
    assert messages() == []
    with pytest.raises(Exception, match="busy or restarting"):
        keys.encode(FOREVER)


@pytest.fixture
def settled(add, folder, clock):
    """The file of a key that has not changed for a minute, nor has its folder."""
    path = add(new_pem())
    os.utime(folder, (0, 0))
    clock.shift(60)
    return path


def test_a_folder_is_read_once_until_it_changes(settled, monkeypatch):
    assert current_ring() is current_ring()
    monkeypatch.setattr(key_ring, "read_ring", lambda folder: pytest.fail("read again"))

    keys.decode(keys.encode(FOREVER))


@pytest.mark.parametrize("change", ["write", "replace", "rename"])
def test_a_file_with_other_contents_is_noticed_after_a_second(
    settled, folder, monkeypatch, change, tmp_path_factory
):
    """Keys of one kind have one size, and some programs keep the time of a file."""
    before, was = keys.encode(FOREVER), settled.stat()
    other = tmp_path_factory.mktemp("other") / "key"
    other.write_text(new_pem())
    if change == "write":
        settled.write_text(other.read_text())
    elif change == "replace":
        other.replace(settled)
    else:
        settled.unlink()
        other.rename(settled)
    os.utime(settled, ns=(was.st_atime_ns, was.st_mtime_ns))
    os.utime(folder, (0, 0))
    later = time.monotonic() + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)

    assert kid_of(keys.encode(FOREVER)) != kid_of(before)
    with pytest.raises(TokenError):
        keys.decode(before)


def test_a_revoked_key_is_refused_from_the_next_request_on(settled, monkeypatch, capsys):
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    leaked = keys.encode(FOREVER)

    rotate(capsys, f"--revoke={kid_of(leaked)}")

    with pytest.raises(TokenError):
        keys.decode(leaked)


def test_a_link_to_nothing_is_unfit(add, folder, clock):
    add(new_pem())
    (folder / "20261129T164500Z.pem").symlink_to(folder / "missing")
    clock.shift(60)

    assert current_ring().problems == ["20261129T164500Z.pem: FileNotFoundError"]
    assert keys.decode(keys.encode(FOREVER)) == FOREVER


def test_two_changes_at_one_time_of_the_file_system_are_both_seen(add, folder):
    first = add(new_pem())
    now = folder.stat().st_mtime
    assert len(current_ring().keys) == 1
    add(new_pem(), at=-30)
    first.unlink()
    os.utime(folder, (now, now))

    assert [key.path for key in current_ring().keys] != [first]
