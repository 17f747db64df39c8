"""What a broker's answers say: models, or exceptions."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

from watchword.client import Answer, Members, retry_after_seconds, server_text
from watchword.errors import ErrorCode
from watchword.providers.agentwrit.errors import error_for
from watchword.providers.agentwrit.models import (
    AgentClaims,
    DelegatedToken,
    DelegationRecord,
    HealthStatus,
    RegisterResult,
    ValidateResult,
)
from watchword.providers.agentwrit.problem import read_problem
from watchword.providers.profiles.agentwrit import agent_id

#: What an Authorization header can have (RFC 6750 section 2.1).
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def require_success(answer: Answer, *, secrets: Iterable[str] = ()) -> Answer:
    """Return the answer if it is a success, else raise the exception for it.

    ``secrets`` are those of the request, which no exception must repeat.
    """
    if answer.is_success:
        return answer
    problem = read_problem(answer.body, status_code=answer.status, instance=answer.route, secrets=secrets)
    raise error_for(problem, answer.status, retry_after=retry_after_seconds(answer))


def read_token(members: Members) -> str:
    """Return the member ``access_token``."""
    token = members.text("access_token")
    if not _TOKEN.fullmatch(token):
        raise members.invalid("access_token")
    return token


def read_registered(answer: Answer) -> RegisterResult:
    """Return an agent that has been registered."""
    members = answer.members()
    if agent_id(members.text("agent_id")) is None:
        raise members.invalid("agent_id")
    return RegisterResult(
        members.text("agent_id"), read_token(members), members.integer("expires_in"), _extra(members, RegisterResult)
    )


def read_delegated(answer: Answer) -> DelegatedToken:
    """Return the token of a delegation."""
    members = answer.members()
    return DelegatedToken(
        read_token(members),
        members.integer("expires_in"),
        _records(members) or [],
        _extra(members, DelegatedToken),
    )


def read_health(answer: Answer) -> HealthStatus:
    """Return the state of the broker."""
    members = answer.members()
    return HealthStatus(
        members.text("status"),
        members.text("version"),
        members.integer("uptime"),
        members.flag("db_connected"),
        members.integer("audit_events_count"),
        _extra(members, HealthStatus),
    )


def read_verdict(answer: Answer, token: str) -> ValidateResult:
    """Return the broker's verdict on ``token``.

    A token that is not an agent's is rejected, whatever the broker says, as it is with a configured key.
    """
    if answer.status == 400:
        # The request has no other member: it is the token that the broker cannot read.
        problem = read_problem(answer.body, status_code=400, secrets=[token])
        return ValidateResult(valid=False, error=problem.detail, checked_by="broker")
    members = require_success(answer, secrets=[token]).members()
    if not members.flag("valid"):
        error = server_text(members.optional_text("error"), [token])
        return ValidateResult(valid=False, error=error or "the broker gives no reason", checked_by="broker")
    claims = _claims(members.nested("claims"))
    if not (claims.task_id and claims.orch_id):
        error = f"{ErrorCode.WRONG_TYPE.value}: the token is not an agent's"
        return ValidateResult(valid=False, error=error, code=ErrorCode.WRONG_TYPE, checked_by="broker")
    return ValidateResult(valid=True, claims=claims, checked_by="broker")


def _claims(members: Members) -> AgentClaims:
    return AgentClaims(
        # Empty unless the broker's operator has set one.
        iss=members.optional_text("iss") or "",
        sub=members.text("sub"),
        aud=members.texts("aud") if "aud" in members else [],
        exp=members.integer("exp"),
        nbf=members.integer("nbf"),
        iat=members.integer("iat"),
        jti=members.text("jti"),
        scope=members.texts("scope"),
        task_id=members.optional_text("task_id") or "",
        orch_id=members.optional_text("orch_id") or "",
        sid=members.optional_text("sid"),
        delegation_chain=_records(members),
        chain_hash=members.optional_text("chain_hash"),
        extra=_extra(members, AgentClaims),
    )


def _records(members: Members) -> list[DelegationRecord] | None:
    if "delegation_chain" not in members:
        return None
    return [
        DelegationRecord(
            one.text("agent"), one.texts("scope"), one.text("delegated_at"), one.optional_text("signature") or ""
        )
        for one in members.nested_list("delegation_chain")
    ] or None


def _extra(members: Members, model: type) -> dict[str, Any]:
    known = {field.name for field in dataclasses.fields(model)} - {"extra"}
    return {name: value for name, value in members.raw.items() if name not in known}


__all__ = ["read_delegated", "read_health", "read_registered", "read_token", "read_verdict", "require_success"]
