"""What ClawAuth's server answers, as the documented results."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from watchword.client import Answer, Members, Request, Verb, server_text
from watchword.errors import MalformedClaimsError
from watchword.providers.clawauth import failures
from watchword.providers.clawauth.types import (
    Agent,
    AgentDetails,
    EmailVerification,
    Registration,
    Tokens,
    VerifyTokenResponse,
)
from watchword.providers.clawauth.wire import WireFormat, snake_case

if TYPE_CHECKING:
    from pydantic import BaseModel

# What a header can carry after the scheme (token68 of RFC 9110 section 11.2).
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def ask(request: Request, wire: WireFormat, secrets: Collection[str]) -> Verb[Answer]:
    """Send a request, and return the answer if it is a success; raise ClawAuth's exception for it if not."""
    answer: Answer = yield request
    if not answer.is_success:
        raise failures.of_answer(answer, wire, secrets)
    return answer


def check_done(answer: Answer) -> None:
    """Raise an error unless the answer is one of an API: empty, or a JSON object. Its content is not documented."""
    if answer.body:
        answer.members()


def verdict(answer: Answer, wire: WireFormat, secrets: Collection[str]) -> VerifyTokenResponse:
    """Return the server's verdict on a token."""
    members = answer.members()
    error = members.raw.get("error")
    if not members.flag("valid"):
        text = server_text(error, secrets) or "invalid_token: the server rejected the token"
        return VerifyTokenResponse(valid=False, error=text, source="server")
    if error:
        raise failures.contradiction(members, "error", "the token is valid")
    found = members.nested("agent")
    attributes = _attributes(found, wire, Agent, required=("id", "name", "email", "trust_score", "roles", "scopes"))
    known = {"valid": True, "agent": Agent.model_validate(attributes), "source": "server"}
    return VerifyTokenResponse.model_validate({**_others(members, VerifyTokenResponse), **known})


def details(answer: Answer, wire: WireFormat, agent_id: str) -> AgentDetails:
    """Return the description of the agent that was asked for."""
    members = answer.members()
    attributes = _attributes(members, wire, AgentDetails, required=("name", "trust_score"))
    if attributes.setdefault("id", agent_id) != agent_id:
        raise failures.contradiction(members, "id", "it is another agent's")
    known = {"status": members.text("status"), "last_seen_at": members.optional_text("lastSeenAt")}
    return AgentDetails.model_validate({**attributes, **known})


def registration(answer: Answer, wire: WireFormat) -> Registration:
    """Return the registration of an agent."""
    members = answer.members()
    known = {
        "agent_id": members.text("agentId"),
        "status": members.text("status"),
        "registration_id": members.optional_text(wire.member("registration_id")) or "",
        "public_key_hash": members.optional_text("publicKeyHash") or "",
    }
    return Registration.model_validate({**_others(members, Registration, (wire.member("registration_id"),)), **known})


def email_verification(answer: Answer) -> EmailVerification:
    """Return what the server says about the verification of an e-mail address, if it says anything."""
    if not answer.body:
        return EmailVerification()
    members = answer.members()
    known = {
        "agent_id": members.optional_text("agentId") or "",
        "status": members.optional_text("status") or "",
    }
    return EmailVerification.model_validate({**_others(members, EmailVerification), **known})


def tokens(answer: Answer) -> Tokens:
    """Return the tokens of an agent."""
    members = answer.members()
    access_token = members.text("accessToken")
    if not _TOKEN.fullmatch(access_token):
        raise members.invalid("accessToken")
    expires_in = members.integer("expiresIn")
    if expires_in <= 0:
        raise members.invalid("expiresIn")
    known = {"access_token": access_token, "refresh_token": members.text("refreshToken"), "expires_in": expires_in}
    return Tokens({**{snake_case(name): value for name, value in members.raw.items()}, **known})


def _attributes(members: Members, wire: WireFormat, model: type[Agent], required: Collection[str]) -> dict[str, Any]:
    """Return an agent's attributes, and the other members."""
    try:
        found = wire.agent.read_any(members.raw)
    except MalformedClaimsError as error:
        why = error.detail
    else:
        missing = [name for name in required if name not in found]
        if not missing:
            return {**_others(members, model, wire.agent.known()), **found}
        why = f"there is no member for {', '.join(missing)}"
    raise failures.contradiction(members, "agent", why)


def _others(members: Members, model: type[BaseModel], read: Collection[str] = ()) -> dict[str, Any]:
    """Return the members that were not read, by their names in snake case."""
    named = {snake_case(name): value for name, value in members.raw.items() if name not in read}
    # None may look like an attribute of the model.
    return {name: value for name, value in named.items() if not hasattr(model, name) and name not in model.model_fields}


__all__ = ["ask", "check_done", "details", "email_verification", "registration", "tokens", "verdict"]
