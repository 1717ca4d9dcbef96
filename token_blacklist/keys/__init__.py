"""The keys of the tokens: signing and verifying, the key set, its rotation and publication."""

from .signing import CLOCK_SKEW, TokenBackend, decode, encode, epoch, token_backend

__all__ = ["CLOCK_SKEW", "TokenBackend", "decode", "encode", "epoch", "token_backend"]
