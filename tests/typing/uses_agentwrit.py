"""A program as AgentWrit's documentation teaches it. It is never run: ``mypy --strict`` reads it."""

from __future__ import annotations

import os

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import watchword as ww
from watchword.client import CallSettings
from watchword.holder import KeyPair
from watchword.providers import PROVIDERS, Detection, ProviderName, detect
from watchword.providers.agentwrit import (
    TRUSTED_BROKERS,
    Agent,
    AgentClaims,
    AgentWritApp,
    AsyncAgent,
    AsyncAgentWritApp,
    AuthenticationError,
    Broker,
    CryptoError,
    DelegatedToken,
    DelegationRecord,
    HealthStatus,
    InvalidResponseError,
    ProblemDetail,
    RateLimitError,
    SpiffeId,
    TrustedBrokers,
    ValidateResult,
    error_for,
    read_problem,
    scope_is_subset,
    trust_broker,
    validate,
    validate_async,
)
from watchword.providers.agentwrit.crypto import (
    encode_signature_b64,
    export_public_key_b64,
    generate_keypair,
    sign_nonce,
)
from watchword.providers.agentwrit.errors import (
    AgentWritError,
    AuthorizationError,
    ProblemResponseError,
    TransportError,
)
from watchword.providers.agentwrit.scope import validate as validate_of_the_module


def at_start(pem: bytes) -> str:
    broker = Broker(os.environ["AGENTWRIT_BROKER_URL"], public_key=pem)
    trust_broker(broker)
    trust_broker(
        Broker(
            broker.broker_url,
            {"keys": []},
            issuer="https://broker.example",
            audience=["https://api.example"],
            trust_domain="agentwrit.local",
            accept=["agent_token"],
            max_depth=3,
            leeway=0,
        )
    )
    trust_broker(Broker(broker.broker_url, ww.KeySet.from_pem(pem), audience=ww.ANY_AUDIENCE))
    brokers: TrustedBrokers = TRUSTED_BROKERS
    brokers.remove(broker.broker_url)
    brokers.add(broker)
    return broker.broker_url


def at_a_request(broker_url: str, token: str) -> list[str]:
    result: ValidateResult = validate(broker_url, token)
    result = validate_of_the_module(broker_url=broker_url, token=token, timeout=5.0)
    if not result.valid or result.claims is None:
        error: str | None = result.error
        code: ww.ErrorCode | None = result.code
        print(error, code)
        return []
    claims: AgentClaims = result.claims
    scope: list[str] = claims.scope
    times: tuple[int, int, int] = (claims.exp, claims.nbf, claims.iat)
    names: tuple[str, ...] = (claims.iss, claims.sub, claims.jti, claims.task_id, claims.orch_id)
    optional: tuple[str | None, ...] = (claims.sid, claims.chain_hash)
    agent: SpiffeId = SpiffeId.parse(claims.sub)
    print(times, names, optional, claims.aud, agent.trust_domain, agent.path[0])
    records: list[DelegationRecord] = claims.delegation_chain or []
    for record in records:
        one: tuple[str, list[str], str, str] = (record.agent, record.scope, record.delegated_at, record.signature)
        print(one)
    if result.delegation is not None:
        result.delegation.check(max_depth=2, allowed_actors=[claims.sub])
    return scope


def gate(token_scope: list[str], held: list[str]) -> bool:
    return scope_is_subset(["read:data:customer-7291"], token_scope) and scope_is_subset(required=["a"], held=held)


def rejections(body: bytes) -> str | None:
    try:
        raise error_for(read_problem(body, status_code=403, instance="/v1/register"), 403)
    except AuthorizationError as error:
        problem: ProblemDetail = error.problem
        status: int = error.status_code
        told: tuple[str | None, ...] = (problem.error_code, problem.request_id, problem.hint)
        print(status, problem.detail, problem.title, problem.type, problem.instance, problem.status, told)
    except (AuthenticationError, RateLimitError) as rejected:
        both: ProblemResponseError = rejected
        print(both.status_code)
        seconds: int | None = rejected.retry_after if isinstance(rejected, RateLimitError) else None
        print(seconds)
    except InvalidResponseError as invalid:
        print(invalid.status_code)
    except TransportError:
        print("unreachable")
    except (CryptoError, AgentWritError):
        raise
    return None


def at_a_gateway_for_several(token: str | bytes) -> bool:
    found: Detection = detect(token)
    provider: ProviderName | None = found.provider
    kind: str | None = found.kind
    reasons: tuple[str, ...] = found.reasons
    print(kind, reasons, found.verified, len(PROVIDERS))
    return provider == "agentwrit"


def an_application(pem: bytes) -> None:
    with AgentWritApp(
        os.environ["AGENTWRIT_BROKER_URL"],
        client_id="id",
        client_secret="secret",
        timeout=5.0,
        user_agent="my-app/1",
        call_settings=CallSettings(max_retries=0),
        allow_http_hosts=["broker.internal"],
        http_client=httpx2.Client(),
        scope_ceiling=["read:data:*"],
    ) as app:
        agent: Agent = app.create_agent("o", "t", ["read:data:a"], private_key=Ed25519PrivateKey.generate())
        with app.create_agent(
            "o", "t", ("read:data:a",), private_key=KeyPair.from_pem(pem), max_ttl=60, label="x"
        ) as two:
            headers: dict[str, str] = two.bearer_header
            delegated: DelegatedToken = agent.delegate(two.agent_id, ["read:data:a"], ttl=5)
        agent.renew()
        agent.release()
        health: HealthStatus = app.health()
        result: ValidateResult = app.validate(delegated.access_token)
        print(headers, health.uptime, result.checked_by, agent.released, delegated.expires_in)
    key = generate_keypair()
    print(export_public_key_b64(key), encode_signature_b64(sign_nonce(key, "ab" * 32)))


async def an_application_in_an_event_loop() -> bool:
    async with AsyncAgentWritApp("https://broker.example", "id", "secret", http_client=httpx2.AsyncClient()) as app:
        agent: AsyncAgent = await app.create_agent("o", "t", ["read:data:a"])
        async with agent:
            await agent.renew()
            delegated: DelegatedToken = await agent.delegate(agent.agent_id, agent.scope)
        result: ValidateResult = await validate_async(app.broker_url, delegated.access_token)
        return result.valid and (await app.health()).db_connected
