"""A service's and an agent's program over ClawAuth's documented names. It is never run: ``mypy --strict`` must find
nothing wrong."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import httpx

import watchword as ww
from watchword.client import CallSettings
from watchword.jwks import HttpxFetcher
from watchword.providers.clawauth import ClaimNames, ClawAuth, ClawAuthAgent, WireFormat
from watchword.providers.clawauth.exceptions import (
    AuthenticationError,
    ClawAuthError,
    InsufficientPermissionsError,
    InvalidSignatureError,
    RateLimitError,
)
from watchword.providers.clawauth.types import Agent, AgentDetails, Registration, VerifyTokenResponse

auth = ClawAuth(
    service_id=os.environ["CLAWAUTH_SERVICE_ID"],
    api_key=os.environ["CLAWAUTH_API_KEY"],
    base_url="https://api.clawauth.com",
    jwks_file="clawauth-keys.json",
)


def who(token: str) -> str:
    result: VerifyTokenResponse = auth.verify(token)
    if result.valid and result.agent:
        agent: Agent = result.agent
        score: float = agent.trust_score
        lists: tuple[list[str], list[str], list[str]] = (agent.roles, agent.scopes, agent.permissions)
        return f"{agent.id} {agent.name} {agent.email} {score:.1f} {lists}"
    return result.error or "invalid"


async def current_agent(token: str) -> Agent:
    result = await auth.verify_async(token, now=None)
    if not result.valid or not result.agent:
        raise PermissionError(result.error)
    if result.agent.trust_score < 5.0:
        raise PermissionError("trusted too little")
    return result.agent


def middleware(environ: MutableMapping[str, Any]) -> None:
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    environ["agent"] = auth.verify(header[7:]).agent if header.startswith("Bearer ") else None


def with_errors(token: str) -> str:
    try:
        return str(auth.verify(token).valid)
    except AuthenticationError as error:
        return error.message
    except RateLimitError as error:
        return f"later: {error.retry_after or 60:d}"
    except (InvalidSignatureError, InsufficientPermissionsError) as error:
        return error.code
    except ClawAuthError as error:
        return f"{error.code} - {error.message}"


def with_settings(jwks: dict[str, Any], pem: bytes, client: httpx.Client) -> list[ClawAuth]:
    names = ClaimNames(id=("agent_id", "agentId"), scopes="permissions")
    with ClawAuth("orders", "svc_key", jwks=jwks, claim_names=names, audience="orders", required=("sub",)) as first:
        second = ClawAuth("orders", "svc_key", pem=pem, issuer="https://clawauth.internal", types=("JWT",), leeway=0)
        third = ClawAuth(
            "orders",
            "svc_key",
            jwks_uri="https://clawauth.internal/keys",
            check_issuer=False,
            fetcher=HttpxFetcher(client),
            audience=ww.ANY_AUDIENCE,
            agent_id_prefix="",
            token_cache=ww.TokenCache(max_bytes=1_000_000),
        )
        return [first, second, third]


def agent_side(folder: Path) -> str:
    pair: dict[str, str] = ClawAuthAgent.generate_keypair()
    path = folder / "agent-key.pem"
    path.write_text(pair["private_key"])
    path.chmod(0o600)
    from_file = ClawAuthAgent(agent_id="agent_abc123", private_key_path=str(path), base_url="https://api.clawauth.com")
    from_bytes = ClawAuthAgent(agent_id="agent_abc123", private_key=pair["private_key"].encode())
    raw = ClawAuthAgent("agent_abc123", path, signature_format="raw", nonce_encoding="hex")
    return from_file.sign_challenge("nonce") + from_bytes.agent_id + raw.sign_challenge("00") + pair["public_key"]


async def calls(agent_id: str, client: httpx.Client, async_client: httpx.AsyncClient) -> str:
    asking = ClawAuth("orders", "svc_key", http_client=client, async_http_client=async_client)
    agent: AgentDetails = asking.get_agent(agent_id)
    again = await asking.get_agent_async(agent_id)
    asking.assign_role(agent_id, "admin")
    await asking.assign_role_async(agent_id, role_id="user")
    asking.revoke_role(agent_id, "admin")
    await asking.revoke_role_async(agent_id, "user")
    asking.report_trust(agent_id, score=9.0, reason="Kept to all limits")
    await asking.report_trust_async(agent_id, 8.5)
    return f"{agent.name} {agent.trust_score:.1f} {again.status} {(await asking.verify_async('x')).source}"


async def agent_calls(public_key: str, private_key: str) -> dict[str, Any]:
    wire = WireFormat(get_agent="GET /v2/agents/{agent_id}", service_id_header=None, statuses={429: RateLimitError})
    settings = CallSettings(timeout=5)
    first: Registration = ClawAuthAgent.register(email="a@x.example", name="A", public_key=public_key, wire=wire)
    second = await ClawAuthAgent.register_async("a@x.example", "A", public_key, call_settings=settings)
    agent = ClawAuthAgent(second.agent_id, private_key=private_key, wire=wire, call_settings=settings)
    status: str = agent.verify_email(first.registration_id, "123456", "signature").status
    status += (await agent.verify_email_async(second.registration_id, "123456", "signature")).status
    tokens = agent.authenticate()
    seconds: int = tokens["expires_in"] + (await agent.authenticate_async())["expires_in"]
    tokens = agent.refresh(tokens["refresh_token"])
    tokens = await agent.refresh_async(tokens["refresh_token"])
    return {"Authorization": f"Bearer {tokens['access_token']}", "status": status, "seconds": seconds}
