"""The secrets of second factors are encrypted in the database."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import call_command

from tests.support import codes as shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret():
    return generate_totp_secret()


@pytest.fixture
def totp(user, secret):
    return TOTP.activate(user, secret)


def test_an_authenticator_apps_secret_is_encrypted_in_the_database(totp, secret):
    stored = Authenticator.objects.get(pk=totp.instance.pk).data["secret"]

    assert secret not in stored
    assert totp.validate_code(shown.totp(secret))


def test_the_seed_of_recovery_codes_is_encrypted_in_the_database(user):
    recovery = RecoveryCodes.activate(user)

    assert recovery.instance.data["seed"].startswith("gAAAA")  # as Fernet's tokens begin
    assert recovery.validate_code(recovery.get_unused_codes()[0])


def test_after_the_command_the_fallback_key_can_be_removed(user, totp, secret, settings, capsys):
    recovery = RecoveryCodes.activate(user)
    code = recovery.get_unused_codes()[0]
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key of the site"
    settings.SECRET_KEY_FALLBACKS = [former]

    call_command("encryptsecrets")

    settings.SECRET_KEY_FALLBACKS = []
    app, codes = (Authenticator.objects.get(pk=each.instance.pk) for each in (totp, recovery))
    assert capsys.readouterr().out == "Encrypted 2 secrets.\n"
    assert app.wrap().validate_code(shown.totp(secret))
    assert codes.wrap().validate_code(code)


def test_an_unencrypted_secret_works_and_the_command_encrypts_it(totp, secret):
    totp.instance.data["secret"] = secret
    totp.instance.save()

    works_before = totp.validate_code(shown.totp(secret))
    call_command("encryptsecrets")

    assert works_before
    assert secret not in Authenticator.objects.get(pk=totp.instance.pk).data["secret"]


def test_the_command_reports_how_many_secrets_cannot_be_decrypted(totp, settings, capsys):
    settings.SECRET_KEY = "another key of the site"

    call_command("encryptsecrets")

    assert capsys.readouterr().err.startswith("1 cannot be decrypted with any of the keys.")


def test_a_secret_that_cannot_be_decrypted_accepts_no_code(totp, secret, settings):
    settings.SECRET_KEY = "another key of the site"

    assert not totp.validate_code(shown.totp(secret))
    assert not totp.validate_code(shown.totp(""))
