"""Requests of tokens: the grants of the token endpoint (RFC 6749, RFC 7523, RFC 8693)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from watchword import decode_unverified
from watchword.client import Shared, Verb, digest_of
from watchword.errors import VerificationError
from watchword.providers.authgent.calls.arguments import form, json_object, scope, text
from watchword.providers.authgent.calls.server import Prover, Server, jkt_of
from watchword.providers.authgent.results import TokenResult

_GRANT: Final = "urn:ietf:params:oauth:grant-type:"
_TYPE: Final = "urn:ietf:params:oauth:token-type:"

#: How many seconds the result of a refresh is kept, for callers that still have the old refresh token.
REFRESH_KEPT: Final = 10.0

#: A token that a server accepts may be longer than what Watchword verifies.
_MAX_BYTES = 1024 * 1024


def get_token(
    server: Server, client_id: str, client_secret: str, wanted: str | None, resource: str | None, dpop: Prover | None
) -> Verb[TokenResult]:
    """Request a token by client credentials (RFC 6749 section 4.4)."""
    fields = form(
        grant_type="client_credentials",
        client_id=text(client_id, "client_id"),
        client_secret=text(client_secret, "client_secret"),
        scope=wanted,
        resource=resource,
    )
    # A second token does no harm.
    return (yield from server.token(fields, "Token request", dpop=dpop, repeatable=True))


def exchange_token(
    server: Server,
    subject_token: str,
    audience: str,
    scopes: Iterable[str] | None,
    client_id: str | None,
    client_secret: str | None,
    dpop: Prover | None,
    *,
    allow_unbound: bool,
) -> Verb[TokenResult]:
    """Exchange a token for a delegated one (RFC 8693 section 2.1)."""
    fields = _exchange(subject_token, text(audience, "audience"), scopes, client_id, client_secret)
    if dpop is None and not allow_unbound and _is_bound(subject_token):
        raise ValueError(
            "subject_token is bound to a key, and authgent-server would exchange it for a token that is not: give dpop="
            " to bind the new token to your key, or allow_unbound=True"
        )
    return (yield from server.token(fields, "Token exchange", dpop=dpop))


def start_identity_chain(
    server: Server,
    subject_token: str,
    target: str,
    client_id: str,
    client_secret: str,
    scopes: Iterable[str] | None,
    dpop: Prover | None,
) -> Verb[TokenResult]:
    """Exchange a token for a grant at another authorization server."""
    target = text(target, "target_authorization_server")
    fields = _exchange(subject_token, target, scopes, text(client_id, "client_id"), client_secret)
    fields["requested_token_type"] = f"{_TYPE}jwt"
    return (yield from server.token(fields, "Identity chaining", dpop=dpop, bound=False))


def issue_transaction_token(
    server: Server,
    subject_token: str,
    trust_domain: str,
    wanted: str,
    client_id: str,
    client_secret: str,
    request_details: Mapping[str, Any] | None,
    request_context: Mapping[str, Any] | None,
    dpop: Prover | None,
) -> Verb[TokenResult]:
    """Exchange a token for a transaction token."""
    fields = _exchange(
        subject_token, text(trust_domain, "trust_domain"), None, text(client_id, "client_id"), client_secret
    )
    fields |= form(
        requested_token_type=f"{_TYPE}txn_token",
        scope=text(wanted, "scope"),
        request_details=json_object(request_details, "request_details"),
        request_context=json_object(request_context, "request_context"),
    )
    return (yield from server.token(fields, "Transaction token request", dpop=dpop, bound=False))


def consume_identity_chain(
    server: Server,
    assertion: str,
    client_id: str,
    client_secret: str,
    resource: str | None,
    scopes: Iterable[str] | None,
    dpop: Prover | None,
) -> Verb[TokenResult]:
    """Request a token for another server's grant (RFC 7523 section 2.1), which this uses up."""
    fields = form(
        grant_type=f"{_GRANT}jwt-bearer",
        assertion=text(assertion, "assertion"),
        client_id=text(client_id, "client_id"),
        client_secret=client_secret,
        resource=resource,
        scope=scope(scopes),
    )
    return (yield from server.token(fields, "Identity chaining", dpop=dpop))


def refresh_token(
    server: Server, refresh_token_value: str, client_id: str, client_secret: str | None, dpop: Prover | None
) -> Verb[TokenResult]:
    """Request a token by refresh token (RFC 6749 section 6), which this uses up: concurrent callers share one call."""
    fields = form(
        grant_type="refresh_token",
        refresh_token=text(refresh_token_value, "refresh_token_value"),
        client_id=text(client_id, "client_id"),
        client_secret=client_secret,
    )
    depends_on = json.dumps([sorted(fields.items()), jkt_of(dpop)])
    key = ("refresh", digest_of(depends_on))
    result: TokenResult = yield Shared(key, lambda: server.token(fields, "Token refresh", dpop=dpop), keep=REFRESH_KEPT)
    return result


def _exchange(
    subject_token: str, audience: str, scopes: Iterable[str] | None, client_id: str | None, client_secret: str | None
) -> dict[str, str]:
    return form(
        grant_type=f"{_GRANT}token-exchange",
        subject_token=text(subject_token, "subject_token"),
        subject_token_type=f"{_TYPE}access_token",
        audience=audience,
        scope=scope(scopes),
        client_id=client_id,
        client_secret=client_secret,
    )


def _is_bound(token: str) -> bool:
    """Return whether a token names a key (``cnf``, RFC 7800). It is not verified: it is the caller's own."""
    try:
        claims = decode_unverified(token, max_token_bytes=_MAX_BYTES, max_header_bytes=_MAX_BYTES).claims
    except VerificationError:
        return False
    return claims is not None and claims.get("cnf") is not None


__all__ = [
    "REFRESH_KEPT",
    "consume_identity_chain",
    "exchange_token",
    "get_token",
    "issue_transaction_token",
    "refresh_token",
    "start_identity_chain",
]
