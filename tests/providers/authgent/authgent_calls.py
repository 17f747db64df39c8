"""Every call of the client: its arguments, the request that it sends, and a good answer; and how to make it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from endpoint import Behaviour, Request, answer

import watchword.providers.authgent as authgent
from watchword.client import CallSettings

GRANT = "urn:ietf:params:oauth:grant-type:"
TYPE = "urn:ietf:params:oauth:token-type:"
SECRET = "sec_Zq8Zq8Zq8"
CREDENTIALS = {"client_id": "agnt_1", "client_secret": SECRET}
FAST = CallSettings(timeout=0.6, deadline=20, first_delay=0.0, max_delay=0.0, max_retries=1)
#: For what must not end early on a slow machine.
PATIENT = CallSettings(timeout=30.0, first_delay=0.0, max_delay=0.0)
#: A JWT that nobody signed: {"sub": "client:agnt_7", "client_id": "agnt_7"}.
UNSIGNED = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjbGllbnQ6YWdudF83IiwiY2xpZW50X2lkIjoiYWdudF83In0.c2lnbg"

FORMS = ("async", "sync")


@dataclass(frozen=True)
class Documented:
    """A call. ``sent`` is its form or JSON object."""

    name: str
    arguments: dict[str, Any]
    route: str
    sent: dict[str, Any] | None
    good: dict[str, Any]
    repeatable: bool = False
    method: str = "POST"
    status: int = 200

    def __str__(self) -> str:
        return self.name


def _token(kind: str = "Bearer", **more: Any) -> dict[str, Any]:
    return {"access_token": "eyJ.new", "token_type": kind, "expires_in": 900, "scope": "read", "new_member": 1, **more}


_EXCHANGE = {
    "grant_type": f"{GRANT}token-exchange",
    "subject_token": "eyJ.old",
    "subject_token_type": f"{TYPE}access_token",
    "scope": "read write",
    **CREDENTIALS,
}
_STEPUP = {"id": "req_1", "agent_id": "agnt_1", "status": "pending", "approved_by": None, "new_member": 1}

CALLS = (
    Documented(
        "register_agent",
        {"name": "search-bot", "scopes": ["read", "write"], "owner": "ops", "capabilities": ["search"]},
        "/agents",
        {"name": "search-bot", "allowed_scopes": ["read", "write"], "owner": "ops", "capabilities": ["search"]},
        {"id": "01J", "client_id": "agnt_1", "client_secret": SECRET, "name": "search-bot", "status": "active"},
        status=201,
    ),
    Documented(
        "register_client",
        {
            "client_name": "b",
            "grant_types": [f"{GRANT}jwt-bearer"],
            "scopes": ["read"],
            "redirect_uris": ["http://127.0.0.1:9/cb"],
        },
        "/register",
        {
            "client_name": "b",
            "grant_types": [f"{GRANT}jwt-bearer"],
            "scope": "read",
            "redirect_uris": ["http://127.0.0.1:9/cb"],
        },
        {"client_id": "agnt_1", "client_secret": SECRET, "grant_types": [f"{GRANT}jwt-bearer"], "client_name": "b"},
        status=201,
    ),
    Documented(
        "get_token",
        {**CREDENTIALS, "scope": "read write", "resource": "https://api.example"},
        "/token",
        {
            "grant_type": "client_credentials",
            **CREDENTIALS,
            "scope": "read write",
            "resource": "https://api.example",
        },
        _token(refresh_token=None, issued_token_type=None),
        repeatable=True,
    ),
    Documented(
        "exchange_token",
        {
            "subject_token": "eyJ.old",
            "audience": "https://downstream.example",
            "scopes": ["read", "write"],
            **CREDENTIALS,
        },
        "/token",
        {**_EXCHANGE, "audience": "https://downstream.example"},
        _token(issued_token_type=f"{TYPE}access_token"),
    ),
    Documented(
        "start_identity_chain",
        {
            "subject_token": "eyJ.old",
            "target_authorization_server": "https://b.example",
            **CREDENTIALS,
            "scopes": ["read", "write"],
        },
        "/token",
        {**_EXCHANGE, "audience": "https://b.example", "requested_token_type": f"{TYPE}jwt"},
        _token("N_A", issued_token_type=f"{TYPE}jwt"),
    ),
    Documented(
        "consume_identity_chain",
        {"assertion": "eyJ.grant", **CREDENTIALS, "resource": "https://api.b.example", "scopes": ["read"]},
        "/token",
        {
            "grant_type": f"{GRANT}jwt-bearer",
            "assertion": "eyJ.grant",
            **CREDENTIALS,
            "resource": "https://api.b.example",
            "scope": "read",
        },
        _token(),
    ),
    Documented(
        "issue_transaction_token",
        {
            "subject_token": "eyJ.old",
            "trust_domain": "https://td.example",
            "scope": "read write",
            **CREDENTIALS,
            "request_details": {"amount": 5},
            "request_context": {"req_ip": "192.0.2.1"},
        },
        "/token",
        {
            **_EXCHANGE,
            "audience": "https://td.example",
            "requested_token_type": f"{TYPE}txn_token",
            "request_details": '{"amount": 5}',
            "request_context": '{"req_ip": "192.0.2.1"}',
        },
        _token("N_A", issued_token_type=f"{TYPE}txn_token"),
    ),
    Documented(
        "refresh_token",
        {"refresh_token_value": "tok_old", **CREDENTIALS},
        "/token",
        {"grant_type": "refresh_token", "refresh_token": "tok_old", **CREDENTIALS},
        _token(refresh_token="tok_new"),
    ),
    Documented(
        "introspect_token",
        {"token": "eyJ.old", **CREDENTIALS},
        "/introspect",
        {"token": "eyJ.old", **CREDENTIALS},
        {"active": True, "scope": "read", "act": {"sub": "client:agnt_1"}, "username": None},
        repeatable=True,
    ),
    Documented(
        "revoke_token",
        {"token": "eyJ.old", **CREDENTIALS},
        "/revoke",
        {"token": "eyJ.old", **CREDENTIALS},
        {},
        repeatable=True,
    ),
    Documented(
        "check_exchange",
        {"subject_token": "eyJ.old", "audience": "https://d.example", "client_id": "agnt_1", "scope": "read"},
        "/token/check",
        {"subject_token": "eyJ.old", "audience": "https://d.example", "client_id": "agnt_1", "scope": "read"},
        {
            "allowed": False,
            "effective_scopes": [],
            "delegation_depth": 0,
            "max_delegation_depth": 5,
            "reasons": ["not allowed"],
        },
        repeatable=True,
    ),
    Documented(
        "request_stepup",
        {
            "agent_id": "agnt_1",
            "action": "access_pii",
            "scope": "data:pii:read",
            "resource": "https://api.example",
            "delegation_chain": {"actors": []},
            "metadata": {"why": "audit"},
        },
        "/stepup",
        {
            "agent_id": "agnt_1",
            "action": "access_pii",
            "scope": "data:pii:read",
            "resource": "https://api.example",
            "delegation_chain": {"actors": []},
            "metadata": {"why": "audit"},
        },
        _STEPUP,
        status=202,
    ),
    Documented(
        "request_stepup_for_token",
        {"token": UNSIGNED, "action": "access_pii", "scope": "data:pii:read"},
        "/stepup",
        {"agent_id": "agnt_7", "action": "access_pii", "scope": "data:pii:read"},
        _STEPUP,
        status=202,
    ),
    Documented(
        "check_stepup",
        {"request_id": "req_1"},
        "/stepup/req_1",
        None,
        {**_STEPUP, "status": "approved"},
        repeatable=True,
        method="GET",
    ),
)

BY_NAME = {one.name: one for one in CALLS}
TOKEN_CALLS = tuple(one for one in CALLS if one.route == "/token")


def call(form: str, url: str, name: str, settings: CallSettings = PATIENT, /, **arguments: Any) -> Any:
    """Make one call, with a client of its own."""
    return made(form, client(form, url, call_settings=settings), name, **arguments)


def client(form: str, url: str, **options: Any) -> Any:
    return {"async": authgent.AgentAuthClient, "sync": authgent.AgentAuthClientSync}[form](url, **options)


def made(form: str, client: Any, name: str, /, **arguments: Any) -> Any:
    """Make one call of a client."""
    result = getattr(client, name)(**arguments)
    return asyncio.run(result) if form == "async" else result


def good(document: dict[str, Any], status: int = 200, **headers: object) -> Behaviour:
    return answer(json.dumps(document), status, Content_Type="application/json", **headers)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Return a behaviour that is another with each request; the last one stays."""
    left = list(behaviours)

    def behave(connection: Any, request: Request) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection, request)

    return behave


def sent(request: Request) -> dict[str, Any] | None:
    """Return the form or the JSON object of a request."""
    readers: dict[str, Callable[[bytes], dict[str, Any]]] = {
        "application/json": json.loads,
        "application/x-www-form-urlencoded": lambda body: {
            name: value
            for name, (value,) in parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True).items()
        },
    }
    kind = request.headers.get("content-type")
    return None if kind is None else readers[kind](request.body)
