"""Views of the account endpoints: profile, sessions, password."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import GenericAPIView, RetrieveUpdateAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from token_blacklist.clients import remembering
from token_blacklist.exceptions import ErrorCodes
from token_blacklist.middleware import rebind, remembers
from token_blacklist.permissions import SignedInWithin
from token_blacklist.tokens import RefreshToken
from token_blacklist.views import NoStoreMixin, RefreshCookieMixin

from . import sessions
from .deletion_views import DeletionMixin
from .models import User
from .passwords import change_password
from .serializers import (
    EndedSessionsSerializer,
    MeSerializer,
    PasswordChangeSerializer,
    SessionSerializer,
    WhichSessionsSerializer,
)
from .sign_in import PairSerializer
from .sign_in_methods import PASSWORD, record


@extend_schema_view(
    get=extend_schema(
        operation_id="me",
        summary="Get the current user",
        description="Returns the user who is signed in.",
    ),
    patch=extend_schema(
        operation_id="me_update",
        summary="Change the name",
        description="Changes the name and nothing else. Returns the user.",
    ),
)
class MeView(DeletionMixin, RetrieveUpdateAPIView[User]):
    """The user who is signed in. The name can be changed, and the account deleted."""

    tags = ("account",)
    serializer_class = MeSerializer
    permission_classes = (IsAuthenticated,)
    http_method_names = ["get", "patch", "delete", "head", "options"]
    # Shared by all requests: DRF copies the fields of each new serializer, 0.1 of 0.6 ms.
    reader = MeSerializer()

    def get_object(self) -> Any:
        return self.request.user

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.reader.to_representation(self.get_object()))


class SessionsView(APIView):
    """The sessions of the user."""

    tags = ("account",)
    permission_classes: Any = (IsAuthenticated, SignedInWithin(minutes=10, methods=("DELETE",)))

    @extend_schema(
        operation_id="sessions_list",
        summary="List the user's sessions",
        responses=SessionSerializer(many=True),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Lists the user's live sessions, the last active one first, at most 100.

        `current` marks the session that sent the request.
        """
        mine: Any = request.user
        listed = sessions.live_sessions(mine)[: sessions.MAX_LISTED_SESSIONS]
        current = {"current": sessions.session_of(request.auth)}
        return Response(SessionSerializer(listed, many=True, context=current).data)

    @extend_schema(
        operation_id="sessions_end",
        summary="Revoke all other sessions, or all",
        parameters=[WhichSessionsSerializer],
        responses={200: EndedSessionsSerializer},
    )
    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Revokes all other sessions of the user; with `all=true` the current one too.

        Their tokens stop working immediately. The user must have signed in, or confirmed who
        they are, within the last ten minutes.
        """
        which = WhichSessionsSerializer(data=request.query_params.dict())
        which.is_valid(raise_exception=True)
        keep = None if which.validated_data["all"] else sessions.session_of(request.auth)
        me: Any = request.user
        return Response({"ended": sessions.end_sessions(me, keep=keep)})


class SessionView(APIView):
    """Revokes one session of the user.

    Its tokens stop working immediately. The response is also 200 if the session was already revoked
    or expired.
    """

    operation_id, summary, tags = "session_end", "Revoke one session", ("account",)
    answers: dict[int, Any] = {200: dict}
    error_codes: ErrorCodes = {404: ("not_found",)}
    permission_classes = (IsAuthenticated,)

    def delete(self, request: Request, session_id: str, **kwargs: Any) -> Response:
        me: Any = request.user
        sessions.end_session(me, session_id)
        return Response({})


class PasswordChangeView(RefreshCookieMixin, NoStoreMixin, GenericAPIView[User]):
    """Revokes every session of the user, the current one too, and returns the tokens of a new one.

    Store them before anything else: the previous tokens no longer work.
    """

    operation_id, summary, tags = "password_change", "Change the password", ("account",)
    answers: dict[int, Any] = {200: PairSerializer}
    serializer_class = PasswordChangeSerializer
    permission_classes = (IsAuthenticated,)
    throttle_scope = "change_password"

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        in_cookie = self.wants_cookie(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        record(request, PASSWORD)
        me: Any = request.user
        replaced = sessions.session_of(request.auth)
        with remembering(remembers(request, replaced)):
            pair = change_password(
                me, serializer.validated_data["new_password"], session=replaced, request=request
            )
        rebind(request, me, RefreshToken.authentic(pair["refresh"]), replaced=replaced)
        get_adapter().send_notification_mail("account/email/password_changed", me, email=me.email)
        return self.answer_in_cookie(pair) if in_cookie else Response(pair)
