"""Signing in for a sliding token."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer

from token_blacklist.serializers import TokenObtainSlidingSerializer

from .sign_in import DEMO, SecondFactorMixin


@extend_schema_serializer(component_name="TokenObtainSliding", examples=[DEMO])
class SlidingSerializer(SecondFactorMixin, TokenObtainSlidingSerializer):
    """Signs a user in; returns the sliding token of the new session."""
