"""The key set: one key signs, all verify; rotation, revocation, and the command."""

import base64
import hashlib
import json
import logging
import os
import re
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient, APIRequestFactory

from tests.support.devices import Device
from tests.support.keys import add_key, new_key, private_key, public_half, signed_by, write_set
from tests.token_blacklist.test_keys import private_pem, public_pem
from token_blacklist import keys
from token_blacklist.exceptions import TokenError, Unavailable
from token_blacklist.keys.jwks import public_keys
from token_blacklist.keys.key import jwk_of
from token_blacklist.keys.key_set import KeySet, KeySetError, current_set, read_set
from token_blacklist.keys.rotation import apply_and_save, revoke_key, rotate_keys
from token_blacklist.management.commands.rotatekeys import Command
from token_blacklist.tokens import RefreshToken
from token_blacklist.well_known import jwks

FOREVER = {"exp": 4_000_000_000, "name": "Ada"}
SECRET = "k" * 64
DAY = 24 * 3600


@pytest.fixture
def file(tmp_path, options):
    path = tmp_path / "keys.json"
    options(KEYS_FILE=str(path))
    return path


@pytest.fixture
def add(file):
    """Add a key that signs from so many seconds from now."""
    return lambda *args, **kwargs: add_key(file, new_key(*args, **kwargs))


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


def kids():
    return [key.kid for key in current_set().keys]


def rotatekeys(capsys, *arguments):
    call_command("rotatekeys", *arguments)
    return capsys.readouterr().out


def messages():
    return [str(message.msg) for message in run_checks() if "token_blacklist" in message.id]


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES384", "PS256"])
def test_a_token_contains_its_key_id_and_pyjwt_verifies_it_with_the_public_keys(add, algorithm):
    add(algorithm)
    token = keys.encode(FOREVER)

    published = jwks(APIRequestFactory().get("/.well-known/jwks.json"))
    published.render()
    (key,) = jwt.PyJWKSet.from_dict(json.loads(published.content)).keys

    assert published["Cache-Control"] == "public, max-age=300"
    assert (key.key_id, key.algorithm_name) == (kid_of(token), algorithm)
    assert jwt.decode(token, key, algorithms=[algorithm]) == keys.decode(token) == FOREVER


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
def test_no_private_member_of_a_key_is_published(add, algorithm):
    add(algorithm)

    (published,) = public_keys()["keys"]

    assert not {"d", "p", "q", "dp", "dq", "qi", "k", "nbf", "exp"} & published.keys()


def test_a_key_id_is_the_thumbprint_of_rfc_7638():
    """The example of its section 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPe"
        "bWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY36"
        "8QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4l"
        "Fd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    public = jwt.PyJWK({"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256"}).key

    assert jwk_of("RS256", public)["kid"] == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_an_hmac_secret_is_not_published_and_its_id_is_not_its_plain_hash(add):
    add("HS256", key=SECRET.encode())
    token = keys.encode(FOREVER)

    assert keys.decode(token) == FOREVER
    assert public_keys() == {"keys": []}
    plain = base64.urlsafe_b64encode(hashlib.sha256(SECRET.encode()).digest()).decode()
    assert kid_of(token)[:20] not in plain


def test_the_next_key_signs_from_its_start_and_the_former_verifies_until_its_tokens_expire(
    add, clock, options, capsys
):
    options(REFRESH_TOKEN_LIFETIME=timedelta(hours=1), SLIDING_TOKEN_REFRESH_LIFETIME=timedelta(1))
    add()
    rotatekeys(capsys, "--kind", "ES256")
    first = keys.encode(FOREVER)

    clock.shift(601)
    second = keys.encode(FOREVER)
    assert kid_of(first) != kid_of(second)
    assert keys.decode(first) == keys.decode(second) == FOREVER
    assert len(public_keys()["keys"]) == 2

    clock.shift(DAY)
    assert keys.decode(second) == FOREVER
    assert [key["kid"] for key in public_keys()["keys"]] == [kid_of(second)]
    with pytest.raises(TokenError):
        keys.decode(first)


def test_a_token_without_a_key_id_is_tried_with_each_key(add):
    secret, ecdsa = add("HS256", at=-120), add("ES256")
    add(at=-30)

    for key in (secret, ecdsa):
        assert keys.decode(jwt.encode(FOREVER, key.signing, key.algorithm)) == FOREVER
    with pytest.raises(TokenError):
        keys.decode(jwt.encode(FOREVER, "j" * 64))


@pytest.mark.parametrize("others", [True, False])
def test_a_public_key_of_the_set_is_never_used_as_an_hmac_secret(add, file, others):
    """RFC 8725 section 2.1: the attacker knows the public key, and names it in the header."""
    key = new_key()
    if others:
        add("HS256", at=-90)
    add_key(file, public_half(key))
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": key.kid}).encode())
    body = base64.urlsafe_b64encode(json.dumps(FOREVER).encode())
    signed = b".".join(part.rstrip(b"=") for part in (header, body))
    for known in (public_pem(key.signing).encode(), key.jwk["x"].encode()):
        digest = jwt.algorithms.HMACAlgorithm(hashlib.sha256).sign(signed, known)
        forged = signed + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")

        with pytest.raises(TokenError):
            keys.decode(forged)


def test_a_repeat_returns_the_same_refresh_token_after_a_key_rotation(add, clock, user):
    add(at=-3600)
    device = Device(user)
    device.log_in()
    add(at=3)
    old = device.refresh_token

    first = device.post("/api/token/refresh/", {"refresh": old}).json()
    clock.shift(4)
    again = device.post("/api/token/refresh/", {"refresh": old}).json()
    later = device.post("/api/token/refresh/", {"refresh": again["refresh"]}).json()

    assert again == first
    assert kid_of(later["refresh"]) != kid_of(first["refresh"])


def test_revoking_a_key_ends_the_tokens_it_signed_and_no_session_refreshed_with_another(
    add, user, capsys
):
    add(at=-3600)
    device = Device(user)
    device.log_in()
    access, leaked = device.access, kid_of(device.access)
    assert device.me().status_code == 200
    add(at=-1)
    other = APIClient()
    stays = device.post("/api/token/refresh/", {"refresh": device.refresh_token}).json()

    said = rotatekeys(capsys, f"--revoke={leaked}")

    assert said == f"Revoked {leaked}. What it signed is refused from now on.\n"
    assert other.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 401
    answer = device.post("/api/token/refresh/", {"refresh": stays["refresh"]})
    assert answer.status_code == 200


@pytest.mark.parametrize(("algorithm", "then"), [("ES384", "ES256"), ("HS512", "HS256")])
def test_revoking_the_signing_key_creates_a_replacement(add, capsys, algorithm, then):
    key = add(algorithm)
    before = keys.encode(FOREVER)

    rotatekeys(capsys, f"--revoke={key.kid}")

    after = keys.encode(FOREVER)
    assert jwt.get_unverified_header(after)["alg"] == then
    with pytest.raises(TokenError):
        keys.decode(before)


def test_a_key_id_that_begins_with_a_hyphen_can_be_passed_to_the_command(file):
    key = add_key(file, next(key for key in iter(new_key, None) if key.kid.startswith("-")))

    Command().run_from_argv(["manage.py", "rotatekeys", "--revoke", key.kid])

    assert key.kid not in kids()


def test_rotatekeys_creates_the_first_key_then_the_next_and_drops_expired_ones(
    tmp_path, clock, capsys, options
):
    file = tmp_path / "new" / "keys.json"
    options(KEYS_FILE=str(file), REFRESH_TOKEN_LIFETIME=timedelta(hours=1))
    said = rotatekeys(capsys)
    (first,) = current_set().keys
    assert said.startswith(f"EdDSA key {first.kid} signs from ")
    assert first.jwk.keys() == {"kty", "crv", "x", "d", "kid", "alg", "use", "nbf"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    clock.shift(5)

    said = rotatekeys(capsys, "--kind", "ES256")
    ended, second = current_set().keys
    assert (second.algorithm, second.starts) == ("ES256", int(time.time()) + 600)
    assert (ended.kid, ended.ends) == (first.kid, second.starts + DAY)
    assert rotatekeys(capsys) == "The key set has what it needs already. No key was made.\n"

    clock.shift(600 + DAY + 1)
    said = rotatekeys(capsys)
    assert f"Dropped EdDSA key {first.kid}, whose tokens have all expired." in said
    assert [key.algorithm for key in current_set().keys] == ["ES256", "ES256"]
    assert sorted(path.name for path in file.parent.iterdir()) == [".keys.json.lock", "keys.json"]


def test_concurrent_rotations_create_one_key(add):
    add()

    with ThreadPoolExecutor(8) as pool:
        done = list(
            pool.map(
                lambda _n: apply_and_save(partial(rotate_keys, kind=None, announced_for=600)),
                range(8),
            )
        )

    assert len([rotation for rotation in done if rotation.made]) == 1
    assert len(kids()) == 2


def test_keys_that_are_revoked_concurrently_are_all_removed_and_one_signs(add):
    leaked = [add(at=at).kid for at in (-90, -60, -30)]

    def act(kid):
        apply_and_save(
            partial(revoke_key, kid=kid)
            if kid
            else partial(rotate_keys, kind=None, announced_for=0)
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, [None, leaked[2], None, leaked[0], None, leaked[1]]))

    assert not set(kids()) & set(leaked)
    assert keys.decode(keys.encode(FOREVER)) == FOREVER


def test_revoking_the_next_key_does_not_reactivate_an_older_one(file, user, capsys):
    """Keys of 40 and 30 days: the older one's expiry must not depend on the newer one."""
    old = new_key(at=-40 * DAY)
    old = add_key(file, old.with_times(old.starts, time.time() - DAY))
    newer = add_key(file, new_key(at=-30 * DAY))
    now = int(time.time())
    claims = {
        "token_type": "access",
        "user_id": RefreshToken.for_user(user)["user_id"],
        "jti": "f" * 32,
        "iat": now,
        "exp": now + 300,
    }
    forged = signed_by(old, claims)

    def is_over():
        answer = APIClient().post("/api/token/verify/", {"token": forged})
        published = [key["kid"] for key in public_keys()["keys"]]
        return (answer.status_code, old.kid in published, len(published)) == (401, False, 1)

    assert is_over()
    assert f"key {old.kid} expired at " in rotatekeys(capsys, "--list")

    rotatekeys(capsys, f"--revoke={newer.kid}")

    assert is_over()
    assert f"key {old.kid} expired at " in rotatekeys(capsys, "--list")


def test_revoking_a_key_before_it_signs_leaves_the_current_keys_expiry_unchanged(
    add, clock, capsys
):
    add(at=-DAY)
    first = keys.encode(FOREVER)
    rotatekeys(capsys, "--in", "600")
    waiting = current_set().keys[-1]

    said = rotatekeys(capsys, f"--revoke={waiting.kid}")

    assert keys.decode(first) == FOREVER
    clock.shift(599)
    assert kid_of(keys.encode(FOREVER)) == kid_of(first)
    clock.shift(1)
    last = keys.encode(FOREVER)
    assert kid_of(last) not in {kid_of(first), waiting.kid}
    assert f"key {kid_of(last)} signs from " in said
    clock.shift(31 * DAY)
    assert f"key {kid_of(first)} expired at " in rotatekeys(capsys, "--list")


def test_a_keys_recorded_expiry_does_not_change_with_lifetimes_or_the_next_key(
    add, file, clock, capsys, options
):
    options(REFRESH_TOKEN_LIFETIME=timedelta(1), SLIDING_TOKEN_REFRESH_LIFETIME=timedelta(1))
    add()
    first = keys.encode(FOREVER)
    rotatekeys(capsys, "--in", "0")
    clock.shift(DAY + 1)

    options(REFRESH_TOKEN_LIFETIME=timedelta(30))
    with pytest.raises(TokenError):
        keys.decode(first)
    write_set(file, current_set().keys[:-1])
    with pytest.raises(TokenError):
        keys.decode(first)
    with pytest.raises(Unavailable):
        keys.encode(FOREVER)
    assert messages() == [f"No key of {file} may sign any more."]

    rotatekeys(capsys)
    assert keys.decode(keys.encode(FOREVER)) == FOREVER
    assert messages() == []


# --- A file that cannot be used ---


BROKEN = {
    "empty": b"",
    "not UTF-8": b"\xff\xff\xff{",
    "deep": b'{"keys":' * 100_000,
    "no set": b"[]",
    "keys that are no list": b'{"keys": {"a": 1}}',
}


def unfit(**change):
    """Return a JWK with changed members; None removes one."""
    jwk = {**new_key().jwk, **change}
    return {name: value for name, value in jwk.items() if value is not None}


UNFIT = {
    "no key": ("text", "its alg is not one of"),
    "none": (unfit(alg="none"), "its alg is not one of"),
    "an alg that is a list": (unfit(alg=["EdDSA"]), "its alg is not one of"),
    "no kid": (unfit(kid=None), "it has no kid"),
    "an nbf that is text": (unfit(nbf="2026"), "not whole seconds"),
    "for encryption": (unfit(use="enc"), "its use is not sig"),
    "another kty": (unfit(kty="RSA"), "it cannot be read"),
    "Ed448": (jwk_of("EdDSA", ed448.Ed448PrivateKey.generate()), "keys of this kind cannot sign"),
    "another curve": (
        {**jwk_of("ES384", ec.generate_private_key(ec.SECP384R1())), "alg": "ES256"},
        "keys of this kind cannot sign|it cannot be read",
    ),
    "short RSA": (
        jwk_of("RS256", rsa.generate_private_key(65537, 1024)),
        "fewer than 2048 bits|it cannot be read",
    ),
    "a short secret": (jwk_of("HS256", b"short" * 6), "the secret is shorter than 32 bytes"),
    "a PEM as a secret": (
        jwk_of(
            "HS256", b"-----BEGIN PUBLIC KEY-----\n" + b"A" * 64 + b"\n-----END PUBLIC KEY-----"
        ),
        "it cannot be read",
    ),
}


@pytest.mark.filterwarnings("ignore:The RSA key")
@pytest.mark.parametrize("name", UNFIT)
def test_the_error_for_an_unusable_key_contains_no_part_of_it(name):
    jwk, reason = UNFIT[name]

    with pytest.raises(KeySetError, match=reason) as raised:
        read_set(json.dumps({"keys": [dict(new_key().jwk), jwk]}))

    assert str(raised.value).startswith("key 2 of 2 is unfit: ")
    assert raised.value.__cause__ is None
    secrets = [jwk[member] for member in ("d", "k") if member in jwk] if name != "no key" else []
    assert not any(secret in str(raised.value) for secret in secrets)


def test_two_keys_with_the_same_id_are_an_error():
    key = new_key()

    with pytest.raises(KeySetError, match="two of its keys have one kid"):
        read_set(KeySet([key, public_half(key)]).text())


BROKEN_TEXTS = [
    *(pytest.param(lambda _text, text=text: text, id=name) for name, text in BROKEN.items()),
    pytest.param(lambda text: text[: len(text) // 2], id="half of it"),
    pytest.param(lambda text: text.replace(b"EdDSA", b"EdDSB"), id="an unfit key"),
]


@pytest.mark.parametrize("broken", BROKEN_TEXTS)
def test_a_running_process_keeps_its_keys_if_the_file_becomes_unusable(
    add, file, clock, caplog, broken
):
    add()
    token = keys.encode(FOREVER)
    text = file.read_bytes()
    clock.shift(5)

    file.write_bytes(broken(text))

    for _ in range(3):
        assert keys.decode(token) == FOREVER
        assert kid_of(keys.encode(FOREVER)) == kid_of(token)
    assert caplog.text.count(f"the key set in {file} cannot be used: ") == 1
    assert json.loads(text)["keys"][0]["d"] not in caplog.text

    file.write_bytes(text)
    other = add(at=-1)
    assert kid_of(keys.encode(FOREVER)) == other.kid


@pytest.mark.parametrize("broken", BROKEN_TEXTS)
def test_an_unusable_file_is_a_check_error_and_commands_do_not_overwrite_it(
    add, file, caplog, broken
):
    kid = add().kid
    file.write_bytes(text := broken(file.read_bytes()))

    (said,) = messages()
    assert said.startswith(f"{file} cannot be used: ")
    for arguments in ([], [f"--revoke={kid}"], ["--list"], ["--print"]):
        with pytest.raises(CommandError, match=re.escape(f"{file} cannot be used: ")):
            call_command("rotatekeys", *arguments)
    assert file.read_bytes() == text


def test_a_running_process_keeps_its_keys_if_the_file_is_deleted(add, file, caplog):
    add()
    token = keys.encode(FOREVER)

    file.unlink()

    assert keys.decode(token) == FOREVER
    assert kid_of(keys.encode(FOREVER)) == kid_of(token)
    assert f"the key set in {file} cannot be used: " in caplog.text


def test_a_file_that_others_can_read_is_a_warning(add, file):
    add()
    file.chmod(0o644)

    assert messages() == [
        f"Other users of the machine can read {file}, which has the private keys."
    ]


@pytest.mark.parametrize("text", [None, ""])
def test_without_a_key_responses_are_503_and_a_check_says_what_to_do(device, file, caplog, text):
    if text is not None:
        file.write_text(text)
    caplog.set_level(logging.CRITICAL)
    access = jwt.encode(FOREVER, "k" * 64)

    answers = [
        APIClient().post("/api/token/", device.credentials),
        APIClient().get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {access}"),
    ]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert messages()[-1].startswith(str(file))
    if text != "":
        assert messages() == [f"{file} has no key."]


def test_a_set_of_public_keys_verifies_and_signs_nothing(file):
    key = new_key()
    add_key(file, public_half(key))

    assert keys.decode(signed_by(key, FOREVER)) == FOREVER
    assert messages() == []
    with pytest.raises(Unavailable):
        keys.encode(FOREVER)


# --- Changes, as other processes see them ---


@pytest.fixture
def unchanged_file(add, file, clock):
    """The file of a key that has not changed for a minute."""
    add()
    clock.shift(60)
    return file


@pytest.mark.parametrize("change", ["write", "replace", "rename"])
def test_changed_contents_of_the_file_are_noticed_immediately(
    unchanged_file, change, tmp_path_factory
):
    """Sets of one kind have the same size, and some programs preserve a file's time."""
    before, was = keys.encode(FOREVER), unchanged_file.stat()
    other = tmp_path_factory.mktemp("other") / "keys"
    write_set(other, [new_key()])
    if change == "write":
        unchanged_file.write_text(other.read_text())
    elif change == "replace":
        other.replace(unchanged_file)
    else:
        unchanged_file.unlink()
        other.rename(unchanged_file)
    os.utime(unchanged_file, ns=(was.st_atime_ns, was.st_mtime_ns))

    assert kid_of(keys.encode(FOREVER)) != kid_of(before)
    with pytest.raises(TokenError):
        keys.decode(before)


def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path, options, capsys):
    (tmp_path / "data").mkdir()
    link = tmp_path / "keys.json"
    link.symlink_to(tmp_path / "data" / "keys.json")
    options(KEYS_FILE=str(link))

    rotatekeys(capsys)

    assert link.is_symlink()
    assert keys.decode(keys.encode(FOREVER)) == FOREVER


# --- Commands that cannot be done ---


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--revoke", "unknown"], "No key is called unknown. The key set has no key."),
        (["--revoke", ""], "No key is called the empty text. The key set has no key."),
        (["--import", "/nowhere", "--revoke="], "not allowed with"),
        (["--in", "-1"], "--in must be 0 or more."),
        (["--import", "/nowhere"], "/nowhere cannot be read: No such file or directory."),
    ],
)
def test_rotatekeys_with_invalid_arguments_fails_with_the_reason(file, arguments, said):
    with pytest.raises(CommandError, match=said):
        call_command("rotatekeys", *arguments)
    assert not file.exists()


def test_without_keys_file_rotatekeys_says_what_to_set(options):
    options(KEYS_FILE=None)
    with pytest.raises(CommandError, match=r"set TOKEN_BLACKLIST\['KEYS_FILE'\]"):
        call_command("rotatekeys")


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_file_unchanged_and_no_temporary_file(add, file, monkeypatch, step):
    add()
    before = file.read_bytes()

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    for arguments in ([], [f"--revoke={kids()[0]}"]):
        with pytest.raises(CommandError, match=r"cannot be written: No space left on device\."):
            call_command("rotatekeys", *arguments)

    assert file.read_bytes() == before
    assert sorted(path.name for path in file.parent.iterdir()) == [".keys.json.lock", "keys.json"]


def test_a_rotation_by_root_keeps_the_owner_of_the_file(add, file, capsys, monkeypatch):
    add()
    given = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append((path.name, user)))

    rotatekeys(capsys)

    assert given == [(".keys.json.new", file.stat().st_uid)]


def test_the_temporary_file_of_a_killed_command_does_not_prevent_a_rotation(add, file, capsys):
    add()
    (file.parent / ".keys.json.new").write_text('{"keys": [')

    rotatekeys(capsys)

    assert len(kids()) == 2
    assert not (file.parent / ".keys.json.new").exists()


# --- A text in place of the file ---


@pytest.fixture
def text(options, capsys):
    """Set KEYS to the output of the command, and return it."""

    def set_to_printed(*arguments):
        call_command("rotatekeys", "--print", *arguments)
        printed = capsys.readouterr().out
        options(KEYS=printed.strip())
        return printed

    return set_to_printed


def test_print_outputs_the_next_value_of_keys_after_a_rotation_or_revocation(text, clock):
    assert text().count("\n") == 1  # one line, so that it fits into a variable
    first = keys.encode(FOREVER)

    text()
    assert kid_of(keys.encode(FOREVER)) == kid_of(first)
    clock.shift(601)
    second = keys.encode(FOREVER)
    assert kid_of(second) != kid_of(first)
    assert keys.decode(first) == keys.decode(second) == FOREVER
    assert messages() == []

    text(f"--revoke={kid_of(second)}")
    assert kid_of(keys.encode(FOREVER)) not in {kid_of(first), kid_of(second)}
    with pytest.raises(TokenError):
        keys.decode(second)


def test_print_writes_the_key_set_to_stdout_and_messages_to_stderr(options, capsys):
    options(KEYS=KeySet([new_key()]).text())

    call_command("rotatekeys", "--print")

    out, err = capsys.readouterr()
    assert len(read_set(out).keys) == 2
    assert " signs from " in err
    assert '"d"' not in err


@pytest.mark.parametrize("text", ["", '{"keys": [{}]}'])
def test_an_invalid_value_of_keys_is_503_and_a_check_error(options, text):
    options(KEYS=text)

    with pytest.raises(Unavailable):
        keys.encode(FOREVER)
    (said,) = messages()
    assert said.startswith("TOKEN_BLACKLIST['KEYS'] cannot be used: ")


def test_keys_file_together_with_keys_is_a_check_error(add, options):
    add()
    options(KEYS="{}")

    assert messages() == ["TOKEN_BLACKLIST has KEYS_FILE and KEYS."]


# --- From what signed before ---


@pytest.mark.parametrize("algorithm", ["HS256", "ES256"])
def test_the_first_key_set_contains_the_former_signing_key(file, options, capsys, clock, algorithm):
    key = SECRET if algorithm == "HS256" else private_pem(private_key("ES256"))
    options(KEYS_FILE=None, ALGORITHM=algorithm, SIGNING_KEY=key)
    before = keys.encode(FOREVER)
    options(KEYS_FILE=str(file))

    rotatekeys(capsys, "--keep-signing-key", "--kind", "EdDSA")

    assert keys.decode(before) == FOREVER
    assert kid_of(keys.encode(FOREVER)) == kid_of(before)
    clock.shift(601)
    assert jwt.get_unverified_header(keys.encode(FOREVER))["alg"] == "EdDSA"
    assert keys.decode(before) == FOREVER
    clock.shift(31 * DAY)
    with pytest.raises(TokenError):
        keys.decode(before)
