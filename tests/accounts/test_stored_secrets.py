"""What second factors need is encrypted in the database."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from tests.support import codes as shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret():
    return generate_totp_secret()


@pytest.fixture
def totp(user, secret):
    return TOTP.activate(user, secret)


def test_the_secret_of_an_authenticator_app_is_not_in_the_database(totp, secret):
    stored = Authenticator.objects.get(pk=totp.instance.pk).data["secret"]

    assert secret not in stored
    assert totp.validate_code(shown.totp(secret))


def test_the_seed_of_recovery_codes_is_not_in_the_database(user):
    recovery = RecoveryCodes.activate(user)

    assert recovery.instance.data["seed"].startswith("gAAAA")  # as Fernet's tokens begin
    assert recovery.validate_code(recovery.get_unused_codes()[0])


def test_a_new_key_decrypts_what_a_former_one_encrypted(totp, secret, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key of the site"

    assert totp.validate_code(shown.totp(secret))


def test_a_secret_whose_key_is_gone_fits_no_code(totp, secret, settings):
    settings.SECRET_KEY = "another key of the site"

    assert not totp.validate_code(shown.totp(secret))
    assert not totp.validate_code(shown.totp(""))
