"""Calls of agents themselves: registration, and asking a human for more rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from watchword import decode_unverified
from watchword.client import Request, Verb, path_segment
from watchword.errors import VerificationError
from watchword.providers.authgent.calls.arguments import form, json_object, scope, text, texts
from watchword.providers.authgent.calls.server import Server
from watchword.providers.authgent.delegation import DelegationChain
from watchword.providers.authgent.errors import InvalidTokenError
from watchword.providers.authgent.results import AgentResult, ClientResult


def register_agent(
    server: Server, name: str, scopes: Iterable[str] | None, owner: str | None, capabilities: Iterable[str] | None
) -> Verb[AgentResult]:
    """Register an agent."""
    body: dict[str, Any] = form(name=text(name, "name"), owner=owner)
    lists = {"allowed_scopes": texts(scopes, "scopes"), "capabilities": texts(capabilities, "capabilities")}
    body |= {member: values for member, values in lists.items() if values}
    answer = yield from server.ask(Request("POST", "/agents", json=body), "Agent registration")
    return AgentResult.of(answer.members())


def register_client(
    server: Server,
    client_name: str,
    grant_types: Iterable[str],
    scopes: Iterable[str] | None,
    redirect_uris: Iterable[str] | None,
) -> Verb[ClientResult]:
    """Register an OAuth client (RFC 7591 section 3.1)."""
    body: dict[str, Any] = form(client_name=text(client_name, "client_name"), scope=scope(scopes))
    lists = {"grant_types": texts(grant_types, "grant_types"), "redirect_uris": texts(redirect_uris, "redirect_uris")}
    body |= {member: values for member, values in lists.items() if values}
    answer = yield from server.ask(Request("POST", "/register", json=body), "Client registration")
    return ClientResult.of(answer.members())


def request_stepup(
    server: Server,
    agent_id: str,
    action: str,
    wanted: str,
    resource: str | None,
    delegation_chain: Mapping[str, Any] | DelegationChain | None,
    metadata: Mapping[str, Any] | None,
) -> Verb[dict[str, Any]]:
    """Request scopes that a human has to grant."""
    if isinstance(delegation_chain, DelegationChain):
        delegation_chain = {"actors": delegation_chain.actors}
    body: dict[str, Any] = form(
        agent_id=text(agent_id, "agent_id"),
        action=text(action, "action"),
        scope=text(wanted, "scope"),
        resource=resource,
    )
    for member, value in (("delegation_chain", delegation_chain), ("metadata", metadata)):
        if json_object(value, member) is not None:
            body[member] = dict(value or {})
    answer = yield from server.ask(Request("POST", "/stepup", json=body), "Step-up request")
    members = answer.members()
    members.text("id")
    members.text("status")
    return members.raw


def request_stepup_for_token(
    server: Server, token: str, action: str, wanted: str, resource: str | None
) -> Verb[dict[str, Any]]:
    """Request scopes for the agent that a token names, which is not verified: the server asks a human."""
    return (yield from request_stepup(server, _agent_of(text(token, "token")), action, wanted, resource, None, None))


def check_stepup(server: Server, request_id: str) -> Verb[dict[str, Any]]:
    """Ask for the decision on a step-up request."""
    path = f"/stepup/{path_segment(request_id, what='request_id')}"
    # No message names the id: authgent-server lets anybody who knows it decide on the request.
    request = Request("GET", path, repeatable=True, template="/stepup/{id}")
    members = (yield from server.ask(request, "Step-up status check")).members()
    members.text("status")
    return members.raw


def _agent_of(token: str) -> str:
    head, _, rest = token.partition(".")
    payload = rest.partition(".")[0]
    try:
        # Without the signature, which is not verified.
        claims = decode_unverified(f"{head}.{payload}.").claims or {}
    except VerificationError:
        claims = {}
    for name in ("client_id", "sub"):
        value = claims.get(name)
        if isinstance(value, str) and value:
            return value
    raise InvalidTokenError("the token is no JWT that names its agent (client_id or sub): use request_stepup")


__all__ = ["check_stepup", "register_agent", "register_client", "request_stepup", "request_stepup_for_token"]
