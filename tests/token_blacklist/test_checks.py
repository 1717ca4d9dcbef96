"""System checks: an invalid option is an error with an id and a hint."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.checks import run_checks

from tests.support.keys import private_key
from tests.token_blacklist.test_keys import private_pem
from token_blacklist.checks import check_rotation, check_settings
from token_blacklist.conf import OPTIONS


def ids():
    found = check_settings()
    assert all(message.hint for message in found)
    return [message.id.removeprefix("token_blacklist.") for message in found]


def test_the_projects_own_settings_pass_all_checks():
    assert [m for m in run_checks() if m.id.startswith("token_blacklist")] == []


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"ACCES_TOKEN_LIFETIME": timedelta(minutes=5)}, "E002"),
        ({"ACCESS_TOKEN_LIFETIME": timedelta(0)}, "E003"),
        ({"REFRESH_TOKEN_LIFETIME": timedelta(days=-1)}, "E003"),
        ({"SHORT_SESSION_LIFETIME": None}, "E003"),
        ({"ROTATION_GRACE_PERIOD": timedelta(seconds=-1)}, "E003"),
        ({"LEEWAY": -1}, "E003"),
        ({"ROTATE_REFRESH_TOKENS": "no"}, "E003"),
        ({"JTI_CLAIM": None}, "E003"),
        ({"USER_ID_CLAIM": ""}, "E003"),
        ({"USER_ID_FIELD": "uuid"}, "E007"),
        ({"USER_ID_FIELD": "password"}, "E007"),
        ({"AUTH_TOKEN_CLASSES": ("nowhere.Token",)}, "E003"),
        ({"USER_CLAIMS": "token_blacklist.tokens.SESSION_CLAIM"}, "E003"),
        ({"AUTH_TOKEN_CLASSES": ()}, "E003"),
        ({"AUTH_TOKEN_CLASSES": ("builtins.dict",)}, "E003"),
        ({"TOKEN_OBTAIN_SERIALIZER": "builtins.dict"}, "E003"),
        ({"USER_ID_CLAIM": "\ud800"}, "E003"),
        ({"REFRESH_TOKEN_LIFETIME": timedelta.max}, "E003"),
        ({"LEEWAY": float("nan")}, "E003"),
        ({"ISSUER": ""}, "E003"),
        ({"AUDIENCE": ["app", ""]}, "E003"),
        ({"AUTH_HEADER_NAME": "X-Authorization"}, "E003"),
        ({"AUTH_HEADER_TYPES": ("Bearer ",)}, "E003"),
        ({"REFRESH_COOKIE_NAME": "refresh token"}, "E003"),
        ({"REFRESH_COOKIE_PATH": "/;Domain=evil.example"}, "E003"),
        pytest.param({"FEED_URL": "example.com/feed/"}, "E003", marks=pytest.mark.services),
        pytest.param({"FEED_CLIENT": "secret"}, "E003", marks=pytest.mark.services),
        ({"JWKS_URL": "file:///etc/passwd"}, "E003"),
        ({"JTI_CLAIM": "user_id"}, "E004"),
        ({"USER_ID_CLAIM": "sid"}, "E004"),
        ({"SLIDING_TOKEN_REFRESH_EXP_CLAIM": "exp"}, "E004"),
        ({"ALGORITHM": "none"}, "E010"),
        ({"ALGORITHM": None}, "E010"),
        ({"SIGNING_KEY": ""}, "E011"),
        ({"SIGNING_KEY": "short"}, "E012"),
        ({"ALGORITHM": "HS512", "SIGNING_KEY": "k" * 63}, "E012"),
        ({"ALGORITHM": "RS256"}, "E013"),
        ({"ALGORITHM": "EdDSA", "SIGNING_KEY": "-----BEGIN PRIVATE KEY-----"}, "E013"),
    ],
)
def test_an_invalid_option_is_an_error_with_its_id_and_a_hint(options, change, number):
    options(**change)

    assert ids() == [number]


@pytest.mark.filterwarnings("ignore:The RSA key")  # PyJWT warns of it, too
def test_an_rsa_key_that_is_too_short_is_an_error(options):
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pem = short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    options(ALGORITHM="RS256", SIGNING_KEY=pem)

    assert ids() == ["E015"]


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_private_key_in_pem_is_refused_as_an_hmac_secret(options, algorithm):
    options(ALGORITHM=algorithm, SIGNING_KEY=private_pem(private_key("EdDSA")))

    assert ids() == ["E016"]
    assert "asymmetric key" in check_settings()[0].msg
    assert "BEGIN" not in str(check_settings()[0])


def test_check_messages_contain_no_secret(options):
    options(SIGNING_KEY="hunter2", FEED_CLIENT="hunter2")
    assert "hunter2" not in str(check_settings())

    options(SIGNING_KEY="hunter2")
    assert "hunter2" not in str(check_settings())


# With HMAC, VERIFYING_KEY is not read.
@pytest.mark.parametrize("name", sorted(OPTIONS.keys() - {"VERIFYING_KEY"}))
def test_every_option_refuses_a_value_of_the_wrong_type(options, name):
    options(**{name: object()})

    assert len(ids()) == 1


def test_turning_reuse_detection_off_is_a_warning(options):
    options(BLACKLIST_AFTER_ROTATION=False)

    assert [message.id for message in check_rotation()] == ["token_blacklist.W001"]


@pytest.mark.parametrize("value", [[], "SIGNING_KEY"])
def test_options_that_are_no_dict_are_one_error(settings, value):
    settings.TOKEN_BLACKLIST = value

    found = [message.id for message in run_checks() if message.id.startswith("token_blacklist")]

    assert found == ["token_blacklist.E001"]
