"""Calls about a token that exists: introspection, revocation, and the check before an exchange."""

from __future__ import annotations

from typing import Any

from watchword.client import Request, Verb
from watchword.providers.authgent.calls.arguments import form, text
from watchword.providers.authgent.calls.server import Server


def introspect_token(
    server: Server, token: str, client_id: str | None, client_secret: str | None
) -> Verb[dict[str, Any]]:
    """Ask whether a token is active (RFC 7662)."""
    fields = form(token=text(token, "token"), client_id=client_id, client_secret=client_secret)
    request = Request("POST", "/introspect", form=fields, repeatable=True)
    answer = yield from server.ask(request, "Token introspection")
    members = answer.members()
    members.flag("active")
    return members.raw


def revoke_token(server: Server, token: str, client_id: str | None, client_secret: str | None) -> Verb[None]:
    """Revoke a token of the client's own (RFC 7009)."""
    if client_id is None or client_secret is None:
        raise TypeError(
            "revoke_token needs client_id and client_secret, those of the client that the token was issued to"
            " (RFC 7009 section 2.1): authgent-server revokes no token without them"
        )
    fields = form(
        token=text(token, "token"),
        client_id=text(client_id, "client_id"),
        client_secret=text(client_secret, "client_secret"),
    )
    answer = yield from server.ask(Request("POST", "/revoke", form=fields, repeatable=True), "Token revocation")
    if answer.body:
        # A page of something that answers in the server's place would not mean that the token is revoked.
        answer.members()


def check_exchange(
    server: Server, subject_token: str, audience: str, client_id: str, wanted: str
) -> Verb[dict[str, Any]]:
    """Ask whether an exchange would succeed."""
    body = {
        "subject_token": text(subject_token, "subject_token"),
        "audience": text(audience, "audience"),
        "client_id": text(client_id, "client_id"),
        "scope": form(scope=wanted).get("scope", ""),
    }
    answer = yield from server.ask(Request("POST", "/token/check", json=body, repeatable=True), "Token check")
    members = answer.members()
    members.flag("allowed")
    members.texts("effective_scopes")
    members.integer("delegation_depth")
    members.integer("max_delegation_depth")
    members.texts("reasons")
    return members.raw


__all__ = ["check_exchange", "introspect_token", "revoke_token"]
