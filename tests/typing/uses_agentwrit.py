"""A program as AgentWrit's documentation teaches it, on the verifying side. It is never run: ``mypy --strict`` reads
it.
"""

from __future__ import annotations

import os

import watchword as ww
from watchword.providers import PROVIDERS, Detection, ProviderName, detect
from watchword.providers.agentwrit import (
    TRUSTED_BROKERS,
    AgentClaims,
    AuthenticationError,
    Broker,
    CryptoError,
    DelegationRecord,
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
