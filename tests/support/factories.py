"""Factories of valid objects, with traits for other kinds."""

from datetime import timedelta

import factory
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone
from factory.django import DjangoModelFactory

from token_blacklist.models import BlacklistedToken, OutstandingToken

User = get_user_model()
PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.com")
    if User.USERNAME_FIELD == "username":  # Django's own user, in projects that copied the app
        username = factory.SelfAttribute("email")
    password = factory.django.Password(PASSWORD)

    class Params:
        admin = factory.Trait(is_staff=True, is_superuser=True)


class OutstandingTokenFactory(DjangoModelFactory):
    class Meta:
        model = OutstandingToken

    user = factory.SubFactory(UserFactory)
    session_id = factory.Faker("uuid4", cast_to=lambda value: value.hex)
    created_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=1))

    class Params:
        expired = factory.Trait(
            expires_at=factory.LazyFunction(lambda: timezone.now() - timedelta(days=1))
        )


class BlacklistedTokenFactory(DjangoModelFactory):
    class Meta:
        model = BlacklistedToken

    token = factory.SubFactory(OutstandingTokenFactory)


def insert_sessions(count, *, user=None, lifetime=timedelta(days=1)):
    """Insert many sessions without the ORM, which would take seconds."""
    save = connection.ops.adapt_datetimefield_value
    owner = user and OutstandingToken._meta.get_field("user").get_db_prep_save(user.pk, connection)
    expires_at = save(timezone.now() + lifetime)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO token_blacklist_outstandingtoken (session_id, user_id, expires_at)"
            " VALUES (%s, %s, %s)",
            [(f"{number:032x}", owner, expires_at) for number in range(count)],
        )
