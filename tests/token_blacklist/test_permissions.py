"""SignedInWithin: a view that requires a recent sign-in, and the claims that say when and how."""

from http import HTTPStatus

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from tests.support.statements import statements
from token_blacklist.authentication import JWTAuthentication
from token_blacklist.exceptions import exception_handler
from token_blacklist.permissions import SignedInWithin
from token_blacklist.tokens import AccessToken, RefreshToken, SlidingToken, UntypedToken

MINUTE = 60


class BySession(BaseAuthentication):
    """Authenticates without a token, as a Django session does."""

    def __init__(self, user):
        self.user = user

    def __call__(self):
        return self

    def authenticate(self, request):
        return self.user, None


class Never(BasePermission):
    def has_permission(self, request, view):
        return False


def ask(token=None, *, by=JWTAuthentication, method="post", permission=None):
    """Return the response of a view that requires a sign-in within ten minutes."""

    class View(APIView):
        authentication_classes = [by]
        permission_classes = [permission or SignedInWithin(minutes=10)]
        throttle_classes = []

        def get_exception_handler(self):
            return exception_handler

        def post(self, request):
            return Response("done")

        get = post

    header = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
    return View.as_view()(getattr(APIRequestFactory(), method)("/", **header))


def code_of(answer):
    return answer.status_code, answer.data["code"]


REFUSED = (HTTPStatus.UNAUTHORIZED, "reauthentication_required")


@pytest.fixture
def refresh(user, clock):
    return str(RefreshToken.for_user(user))


@pytest.fixture
def access(refresh):
    """Return an access token that the session gets now."""
    return lambda: RefreshToken.authentic(refresh).access_token


@pytest.mark.parametrize("permission", [SignedInWithin, SignedInWithin(minutes=10)])
def test_a_token_is_accepted_for_ten_minutes_after_the_sign_in(access, clock, permission):
    clock.shift(10 * MINUTE - 1)
    assert ask(access(), permission=permission).data == "done"

    clock.shift(2)
    assert code_of(ask(access(), permission=permission)) == REFUSED


def test_the_refusal_is_the_challenge_of_rfc_9470(access, clock):
    clock.shift(11 * MINUTE)

    assert ask(access())["WWW-Authenticate"] == (
        'Bearer realm="api", error="insufficient_user_authentication", '
        'error_description="A more recent sign-in is required", max_age="600"'
    )


def test_a_refresh_is_no_sign_in(device, clock):
    clock.shift(11 * MINUTE)
    device.refresh()

    assert code_of(ask(device.access)) == REFUSED


def test_a_sliding_token_is_asked_for_its_sign_in(options, user, clock):
    options(AUTH_TOKEN_CLASSES=(f"{SlidingToken.__module__}.SlidingToken",))
    token = SlidingToken.for_user(user)
    assert ask(token).data == "done"

    clock.shift(2 * MINUTE)

    assert code_of(ask(token, permission=SignedInWithin(minutes=1))) == REFUSED


@pytest.mark.parametrize("auth_time", [None, "now", -(10**30)])
def test_a_token_without_a_valid_auth_time_is_refused(user, auth_time):
    token = AccessToken.for_user(user)
    if auth_time is not None:
        token["auth_time"] = auth_time

    assert code_of(ask(token)) == REFUSED


def test_a_request_without_a_token_is_refused(user):
    assert code_of(ask(by=BySession(user))) == REFUSED


def test_a_request_without_a_user_is_not_authenticated(db):
    assert code_of(ask()) == (HTTPStatus.UNAUTHORIZED, "not_authenticated")


def test_it_can_be_limited_to_some_methods(access, clock):
    clock.shift(11 * MINUTE)
    on_post = SignedInWithin(minutes=10, methods={"POST"})

    assert ask(access(), method="get", permission=on_post).data == "done"
    assert code_of(ask(access(), permission=on_post)) == REFUSED


@pytest.mark.parametrize(
    "permission",
    [
        IsAuthenticated & SignedInWithin(minutes=10),
        Never | SignedInWithin(minutes=10),
    ],
)
def test_it_can_be_combined_with_other_permissions(access, clock, permission):
    assert ask(access(), permission=permission).data == "done"

    clock.shift(11 * MINUTE)

    assert code_of(ask(access(), permission=permission)) == REFUSED


def test_a_refresh_token_of_simple_jwt_counts_from_its_time_of_issue(refresh, clock):
    token = RefreshToken.authentic(refresh)
    issued = token["iat"]
    del token["sid"], token["auth_time"]
    clock.shift(MINUTE)

    pair = RefreshToken.authentic(str(token)).refresh()

    assert UntypedToken(pair["access"])["auth_time"] == issued


class TestSessionClaims:
    @pytest.fixture(autouse=True)
    def how(self, options):
        options(USER_CLAIMS=None, SESSION_CLAIMS=lambda user, request: {"amr": ["pwd"]})

    def test_are_in_every_token_of_the_session_at_no_statement(self, device):
        with statements("SELECT", "INSERT"):
            device.log_in()
        with statements("UPDATE"):
            device.refresh()

        for token in (device.access, device.refresh_token):
            assert UntypedToken(token)["amr"] == ["pwd"]

    def test_cannot_be_those_of_the_app(self, options, user):
        options(SESSION_CLAIMS=lambda user, request: {"auth_time": 0})

        with pytest.raises(ImproperlyConfigured, match=r"SESSION_CLAIMS.*'auth_time'"):
            RefreshToken.for_user(user)
