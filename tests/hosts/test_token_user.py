"""A `TokenUser` in Django's own code and in a site's: it has the attributes that it has."""

import copy
import pickle
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.template import Context, Template
from rest_framework.permissions import DjangoModelPermissions

from tests.support.factories import OutstandingTokenFactory
from token_blacklist.models import OutstandingToken
from token_blacklist.token_user import TokenUser
from token_blacklist.tokens import AccessToken

pytestmark = pytest.mark.django_db


@pytest.fixture
def stateless(user):
    token = AccessToken.for_user(user)
    token["plan"], token["nothing"] = "free", None
    return TokenUser(token)


@pytest.mark.parametrize(
    "name",
    [
        "other",
        "_perm_cache",
        "_meta",
        "resolve_expression",
        "__html__",
    ],
)
def test_it_has_no_attribute_that_is_neither_its_own_nor_a_claim(stateless, name):
    assert not hasattr(stateless, name)
    assert getattr(stateless, name, "default") == "default"
    with pytest.raises(AttributeError, match=f"no claim '{name}'"):
        getattr(stateless, name)


def test_a_claim_is_an_attribute_even_if_it_is_null(stateless):
    assert stateless.plan == "free"
    assert hasattr(stateless, "nothing")
    assert stateless.nothing is None


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda u: pickle.loads(pickle.dumps(u))]
)
def test_it_can_be_copied(copied):
    stateless = TokenUser({"user_id": "7", "plan": "free"})

    assert copied(stateless) == stateless
    assert copied(stateless).plan == "free"


def test_django_finds_no_permission(stateless):
    backend = ModelBackend()

    assert backend.get_all_permissions(stateless) == set()
    assert backend.get_user_permissions(stateless) == set()
    assert backend.get_group_permissions(stateless) == set()
    assert not backend.has_perm(stateless, "auth.view_user")
    assert not backend.has_module_perms(stateless, "auth")


def test_a_view_with_model_permissions_refuses_it(stateless):
    request = SimpleNamespace(user=stateless, method="POST")
    view = SimpleNamespace(queryset=OutstandingToken.objects.all())

    assert not DjangoModelPermissions().has_permission(request, view)


def test_a_template_shows_its_claims_and_nothing_for_others(stateless):
    page = Template("{{ user.plan }}|{{ user.other }}|{% if user.other %}yes{% endif %}")

    assert page.render(Context({"user": stateless})) == "free||"


def test_a_queryset_takes_it_for_a_foreign_key(user, stateless):
    mine = OutstandingTokenFactory(user=user)
    other = OutstandingTokenFactory()

    assert list(OutstandingToken.objects.filter(user=stateless)) == [mine]
    assert list(OutstandingToken.objects.exclude(user=stateless)) == [other]
    assert list(OutstandingToken.objects.filter(user_id=stateless.pk)) == [mine]


def test_it_is_no_number_if_the_token_names_another_field(options):
    options(USER_ID_FIELD=get_user_model().USERNAME_FIELD)

    with pytest.raises(TypeError, match="primary key"):
        int(TokenUser({"user_id": "7"}))
