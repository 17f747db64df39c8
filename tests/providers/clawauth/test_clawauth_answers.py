"""Whatever JSON a server answers: a documented result, or a documented error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from watchword.client import Answer, CallError
from watchword.providers.clawauth import WireFormat, answers, failures
from watchword.providers.clawauth.exceptions import ClawAuthError

WIRE = WireFormat()
#: The names that are read, and some that pydantic's models and dictionaries have themselves.
NAMES = (
    *("valid", "agent", "error", "id", "agentId", "name", "email", "trustScore", "trust_score", "roles", "permissions"),
    *("scopes", "status", "lastSeenAt", "registrationId", "publicKeyHash", "accessToken", "refreshToken", "expiresIn"),
    *("source", "code", "message", "model_config", "model_fields", "copy", "__class__", "__dict__", "self", "", "ABC"),
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(
    SCALARS | st.sampled_from(["agent_1", "active", 5, "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=12,
)
AGENT = {"id": "agent_1", "name": "A", "email": "", "trustScore": 5, "roles": [], "permissions": [], "status": "active"}
GOOD = {"valid": True, "agent": AGENT, **AGENT, "agentId": "agent_1", "accessToken": "a", "refreshToken": "r"}

READERS: dict[str, Callable[[Answer], Any]] = {
    "verdict": lambda answer: answers.verdict(answer, WIRE, ("secret",)),
    "details": lambda answer: answers.details(answer, WIRE, "agent_1"),
    "registration": lambda answer: answers.registration(answer, WIRE),
    "email_verification": answers.email_verification,
    "tokens": answers.tokens,
    "done": answers.check_done,
}


def answer(body: object, status: int = 200) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode(), "/path")


@pytest.mark.parametrize("name", READERS)
@given(st.dictionaries(st.sampled_from(NAMES), JSON), st.booleans())
def test_any_answer(name: str, members: dict[str, Any], is_complete: bool) -> None:
    body = {**GOOD, "expiresIn": 3600, "error": None, **members} if is_complete else members
    result = None
    code = None
    try:
        result = READERS[name](answer(body))
    except CallError as error:
        code = failures.of_call(error).code
    if code is not None:
        assert code == "invalid_answer"
        return
    if name == "verdict":
        assert result.source == "server"
        assert result.valid == (result.agent is not None) == (result.error is None)
    if name == "details":
        assert result.id == "agent_1"
        assert 0 <= result.trust_score <= 10
    repr(result)


@given(st.integers(300, 599), JSON)
def test_any_error(status: int, body: object) -> None:
    error = failures.of_answer(answer(body, status), WIRE, ("secret",))
    assert isinstance(error, ClawAuthError)
    assert error.status == status
    assert len(error.code) <= 64
    assert error.description is None or (len(error.description) <= 512 and error.description.isprintable())
