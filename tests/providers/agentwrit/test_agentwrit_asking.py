"""``validate`` for a broker whose key is not known: the broker is asked, within limits."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import endpoint
import pytest
from endpoint import answer
from standins.agentwrit import BrokerStandin

import watchword as ww
from watchword.client import CallSettings
from watchword.providers.agentwrit import (
    AgentClaims,
    InvalidResponseError,
    ProblemResponseError,
    RateLimitError,
    TransportError,
    ValidateResult,
    validate,
    validate_async,
)

VALIDATE = "/v1/token/validate"
CLAIMS = {
    "iss": "",
    "sub": "spiffe://agentwrit.local/agent/o/t/1",
    "exp": 2,
    "nbf": 1,
    "iat": 1,
    "jti": "j",
    "scope": ["read:data:*"],
    "task_id": "t",
    "orch_id": "o",
}


def ask(url: str, token: str | bytes, form: str, **options: Any) -> ValidateResult:
    if form == "thread":
        return validate(url, token, **options)
    return asyncio.run(validate_async(url, token, **options))


def answered(broker: BrokerStandin, form: str, document: object, status: int = 200, **options: Any) -> ValidateResult:
    broker.server.routes[VALIDATE] = answer(json.dumps(document), status, Content_Type="application/json")
    return ask(broker.url, "a.b.c", form, **options)


def test_a_valid_token(broker: BrokerStandin, form: str) -> None:
    chain = [{"agent": "spiffe://a/agent/o/t/0", "scope": ["read:data:*"], "delegated_at": "2026-01-01T00:00:00Z"}]
    more = {"aud": ["api"], "sid": "s", "delegation_chain": chain, "chain_hash": "h", "tenant": {"id": 7}}
    result = answered(broker, form, {"valid": True, "claims": {**CLAIMS, **more}, "more": 1})
    assert (result.valid, result.error, result.code, result.checked_by) == (True, None, None, "broker")
    assert isinstance(result.claims, AgentClaims)
    assert (result.claims.aud, result.claims.sid, result.claims.chain_hash) == (["api"], "s", "h")
    assert result.claims.extra == {"tenant": {"id": 7}}
    assert result.claims.delegation_chain is not None
    assert result.claims.delegation_chain[0].agent == "spiffe://a/agent/o/t/0"
    # The broker's word for the chain: it was not verified here.
    assert result.delegation is None
    assert json.loads(broker.server.requests[0].body) == {"token": "a.b.c"}
    bare = answered(broker, form, {"valid": True, "claims": {**CLAIMS, "aud": None}}).claims
    assert bare is not None
    assert (bare.aud, bare.sid, bare.delegation_chain, bare.extra) == ([], None, None, {})


def test_claims_beyond_the_documented_ones_are_kept_offline_as_well() -> None:
    from agentwrit_tokens import broker as trusted
    from agentwrit_tokens import claims, token

    result = trusted().validate(token(claims(tenant={"id": 7})))
    assert result.claims is not None
    assert result.claims.extra == {"tenant": {"id": 7}}


def test_an_invalid_token(broker: BrokerStandin, form: str) -> None:
    result = answered(broker, form, {"valid": False, "error": "token is invalid\nor expired: " + "x" * 1000})
    assert (result.valid, result.claims, result.checked_by) == (False, None, "broker")
    assert result.error is not None
    assert result.error.startswith("token is invalid or expired: xxx")
    assert len(result.error) == 512
    for reason in ({}, {"error": "a.b.c is invalid"}):
        assert answered(broker, form, {"valid": False, **reason}).error == "the broker gives no reason"


@pytest.mark.parametrize("sub", ["app:app-1", "admin"])
def test_a_token_that_is_not_an_agents_is_rejected_as_with_a_key(broker: BrokerStandin, form: str, sub: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name not in ("task_id", "orch_id")}
    result = answered(broker, form, {"valid": True, "claims": {**claims, "sub": sub}})
    assert (result.valid, result.claims, result.code) == (False, None, ww.ErrorCode.WRONG_TYPE)


@pytest.mark.parametrize(
    "token",
    ["", b"", b"\xff\xfe", "ä.b.c", "\ud800", "a" * 20_000, b"a" * 20_000],
    ids=["empty", "no bytes", "not UTF-8", "not ASCII", "surrogate", "long", "many bytes"],
)
def test_what_cannot_be_a_token_is_not_sent(broker: BrokerStandin, form: str, token: str | bytes) -> None:
    result = ask(broker.url, token, form)
    assert (result.valid, result.checked_by) == (False, None)
    assert result.code in (ww.ErrorCode.MALFORMED_TOKEN, ww.ErrorCode.TOO_LARGE)
    assert broker.server.count() == 0


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c.d.e", '"', "a b", "\x00", b"a.b.c"])
def test_no_token_raises(broker: BrokerStandin, form: str, token: str | bytes) -> None:
    result = ask(broker.url, token, form)
    assert (result.valid, result.checked_by) == (False, "broker")
    broker.server.routes[VALIDATE] = answer(
        '{"detail": "malformed request"}', 400, Content_Type="application/problem+json"
    )
    result = ask(broker.url, token, form)
    assert (result.valid, result.error, result.checked_by) == (False, "malformed request", "broker")


@pytest.mark.parametrize("wrong", [None, 5, ["a.b.c"], bytearray(b"a.b.c")])
def test_a_token_of_another_type_is_a_mistake(broker: BrokerStandin, form: str, wrong: Any) -> None:
    with pytest.raises(TypeError, match="token must be str or bytes"):
        ask(broker.url, wrong, form)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"valid": "true", "claims": CLAIMS},
        {"valid": 1, "claims": CLAIMS},
        {"valid": True},
        {"valid": True, "claims": None},
        {"valid": True, "claims": []},
        *({"valid": True, "claims": {**CLAIMS, name: None}} for name in ("sub", "exp", "jti", "scope")),
        {"valid": True, "claims": {**CLAIMS, "scope": "read:data:*"}},
        {"valid": True, "claims": {**CLAIMS, "scope": [1]}},
        {"valid": True, "claims": {**CLAIMS, "aud": "api"}},
        {"valid": True, "claims": {**CLAIMS, "exp": 1.5}},
        {"valid": True, "claims": {**CLAIMS, "task_id": 5}},
        {"valid": True, "claims": {**CLAIMS, "delegation_chain": [5]}},
        {"valid": True, "claims": {**CLAIMS, "delegation_chain": [{"agent": "a"}]}},
        {"valid": False, "error": {"detail": "x"}},
    ],
    ids=repr,
)
def test_an_answer_of_another_form_is_no_verdict(broker: BrokerStandin, form: str, document: object) -> None:
    with pytest.raises(InvalidResponseError):
        answered(broker, form, document)


@pytest.mark.parametrize(("status", "kind"), [(404, ProblemResponseError), (429, RateLimitError)])
def test_other_answers_are_exceptions(broker: BrokerStandin, form: str, status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        answered(broker, form, {}, status, call_settings=CallSettings(max_retries=0))


def test_the_time_is_bounded(form: str) -> None:
    with endpoint.running() as server:
        server.routes[VALIDATE] = endpoint.Hang()
        with pytest.raises(TransportError, match="in time"):
            ask(server.url, "a.b.c", form, timeout=0.2)


def test_where_tokens_are_sent(form: str) -> None:
    """Not over plain http, unless the host is named."""
    for url in ("http://broker.test", "ftp://broker.test", "https://user@broker.test", "broker.test"):
        with pytest.raises(ValueError, match="broker_url"):
            ask(url, "a.b.c", form)

    class Client:
        """Instead of a network."""

        def stream(self, method: str, url: str, **_: Any) -> Any:
            sent.append(f"{method} {url}")
            raise OSError

    class AsyncClient(Client):
        async def aclose(self) -> None: ...

    sent: list[str] = []
    client = Client() if form == "thread" else AsyncClient()
    settings = CallSettings(max_retries=0)
    with pytest.raises(TransportError):
        ask(
            "http://broker.test:8080/",
            "a.b.c",
            form,
            allow_http_hosts=["broker.test"],
            http_client=client,
            call_settings=settings,
        )
    assert sent == ["POST http://broker.test:8080/v1/token/validate"]
