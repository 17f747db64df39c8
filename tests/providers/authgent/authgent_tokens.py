"""Tokens as authgent-server writes them, and whatever else is wanted, signed by a P-256 key of the tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import mint
import pytest

import watchword.providers.authgent as authgent

ISSUER = "https://authgent.example"
API = "https://api.example"

#: The keys of the issuer.
KEYS = authgent.JWKSFetcher(ISSUER, jwks=mint.jwks("p256"))


def now() -> int:
    return int(time.time())


def claims(**changes: Any) -> dict[str, Any]:
    """Those of an access token for which no resource was asked for, with claims changed or (``mint.OMIT``) left out."""
    good = {
        "iss": ISSUER,
        "sub": "client:agnt_1",
        "aud": ISSUER,
        "exp": now() + 900,
        "iat": now(),
        "jti": "tok_1",
        "scope": "search:execute read",
        "client_id": "agnt_1",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not mint.OMIT}


def sign(payload: dict[str, Any] | bytes, head: dict[str, Any] | None = None, **header: Any) -> str:
    """A JWS over that payload."""
    return mint.token(payload, head or mint.header("p256", "ES256", **header), key="p256", algorithm="ES256")


def token(**changes: Any) -> str:
    """An access token."""
    return sign(claims(**changes))


def receipt(**changes: Any) -> str:
    """A delegation receipt, as the server keeps it."""
    return sign(
        {
            "iss": ISSUER,
            "type": "delegation_receipt",
            "token_jti": "tok_2",
            "parent_jti": "tok_1",
            "actor": "client:agnt_2",
            "chain_hash": "0" * 64,
            "iat": now(),
            **changes,
        }
    )


def transaction_token(typ: str = "txntoken+jwt", **changes: Any) -> str:
    """A transaction token (draft-ietf-oauth-transaction-tokens)."""
    only = {"txn": "txn-1", "req_wl": "client:agnt_1", "rctx": {"req_ip": "127.0.0.1"}, "exp": now() + 120}
    return sign(claims(**{**only, "jti": mint.OMIT, "client_id": mint.OMIT, **changes}), typ=typ)


def chaining_grant(**changes: Any) -> str:
    """A grant for another authorization server (draft-ietf-oauth-identity-chaining)."""
    return sign(claims(**{"aud": "https://other-as.example", "exp": now() + 60, "nbf": now(), **changes}))


def act(*actors: str, innermost: Any = mint.OMIT) -> Any:
    """Nested acts, the nearest actor first; ``innermost`` is what the last one has for an ``act``."""
    level = innermost
    for actor in reversed(actors):
        level = {"sub": actor} if level is mint.OMIT else {"sub": actor, "act": level}
    return level


Verify = Callable[..., authgent.AgentIdentity]


def _async(raw: Any, issuer: str = ISSUER, **arguments: Any) -> authgent.AgentIdentity:
    return asyncio.run(authgent.verify_token(raw, issuer, **{"jwks_fetcher": KEYS, **arguments}))


def _sync(raw: Any, issuer: str = ISSUER, **arguments: Any) -> authgent.AgentIdentity:
    return authgent.verify_token_sync(raw, issuer, **{"jwks_fetcher": KEYS, **arguments})


#: For each test that asks for ``verify``: once in an event loop, once without.
both_ways = pytest.mark.parametrize("verify", [pytest.param(_async, id="async"), pytest.param(_sync, id="sync")])


def refusal(call: Callable[[], object]) -> authgent.AuthgentError | None:
    """What authgent's error a call ends in; ``None`` where it does not. Anything else is raised."""
    try:
        call()
    except authgent.AuthgentError as error:
        return error
    return None
