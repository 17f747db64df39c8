"""Tokens as authgent-server writes them, and variants, signed with a P-256 key of the tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import mint

import watchword.providers.authgent as authgent

ISSUER = "https://authgent.example"
API = "https://api.example"

#: The keys of the issuer.
KEYS = authgent.JWKSFetcher(ISSUER, jwks=mint.jwks("p256"))


def now() -> int:
    return int(time.time())


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of an access token without a resource, changed or (``mint.OMIT``) omitted."""
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
    """Return nested acts, the nearest actor first; ``innermost`` is the ``act`` of the last one."""
    level = innermost
    for actor in reversed(actors):
        level = {"sub": actor} if level is mint.OMIT else {"sub": actor, "act": level}
    return level


def verify(raw: Any, issuer: str = ISSUER, **arguments: Any) -> authgent.AgentIdentity:
    """Verify with ``verify_token_sync``, and with ``verify_token`` in an event loop: both must agree.

    A proof can be used once: as ``dpop_proof`` give a function that makes one.
    """

    def options() -> dict[str, Any]:
        given = {
            name: value() if name == "dpop_proof" and callable(value) else value for name, value in arguments.items()
        }
        return {"jwks_fetcher": KEYS, **given}

    expected = _outcome(lambda: authgent.verify_token_sync(raw, issuer, **options()))
    found = _outcome(lambda: asyncio.run(authgent.verify_token(raw, issuer, **options())))
    if isinstance(expected, Exception):
        assert type(found) is type(expected), f"{found!r} in an event loop, {expected!r} without"
        assert getattr(found, "code", None) == getattr(expected, "code", None)
        raise expected
    assert found == expected
    return expected


def _outcome(call: Callable[[], authgent.AgentIdentity]) -> authgent.AgentIdentity | Exception:
    try:
        return call()
    except Exception as error:
        return error


def rejection(call: Callable[[], object]) -> authgent.AuthgentError | None:
    """Return the error of authgent in which a call ends, ``None`` if there is none. Other exceptions are raised."""
    try:
        call()
    except authgent.AuthgentError as error:
        return error
    return None
