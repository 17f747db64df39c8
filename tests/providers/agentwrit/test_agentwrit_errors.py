"""Problems and exceptions, as documented by the package."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.providers.agentwrit import (
    AgentWritError,
    AuthenticationError,
    AuthorizationError,
    CryptoError,
    ProblemDetail,
    ProblemResponseError,
    RateLimitError,
    TransportError,
    error_for,
    read_problem,
)

SCOPE_VIOLATION = {
    "type": "urn:agentwrit:error:scope_violation",
    "title": "Forbidden",
    "status": 403,
    "detail": "scope exceeds app ceiling",
    "instance": "/v1/register",
    "error_code": "scope_violation",
    "request_id": "req-1",
    "hint": "ask for less",
}


def test_as_documented() -> None:
    problem = read_problem(json.dumps(SCOPE_VIOLATION), status_code=403)
    with pytest.raises(AuthorizationError) as caught:
        raise error_for(problem, 403)
    error = caught.value
    assert error.status_code == 403
    assert error.problem.detail == "scope exceeds app ceiling"
    assert error.problem.error_code == "scope_violation"
    assert error.problem.request_id == "req-1"
    assert vars(problem) == SCOPE_VIOLATION
    assert str(error) == "Forbidden: scope exceeds app ceiling"


def test_the_tree_of_errors() -> None:
    problem = ProblemDetail("about:blank", "t", "d", "/")
    for status, kind in [(401, AuthenticationError), (403, AuthorizationError), (429, RateLimitError)]:
        assert type(error_for(problem, status)) is kind
        assert issubclass(kind, ProblemResponseError)
    for status in (400, 404, 500, 503, 0):
        assert type(error_for(problem, status)) is ProblemResponseError
    for kind in (ProblemResponseError, TransportError, CryptoError):
        assert issubclass(kind, AgentWritError)
    assert not issubclass(TransportError, ProblemResponseError)


def test_errors_can_be_copied() -> None:
    error = error_for(read_problem(json.dumps(SCOPE_VIOLATION), status_code=403), 403)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is AuthorizationError
        assert (again.problem, again.status_code, str(again)) == (error.problem, 403, str(error))


def test_members_that_are_missing_or_of_the_wrong_type_are_taken_for_missing() -> None:
    # RFC 9457 section 3.1.
    assert read_problem("{}", status_code=500) == ProblemDetail()
    assert ProblemDetail().type == "about:blank"
    wrong = {"type": 5, "title": None, "status": "403", "detail": ["x"], "instance": {}, "error_code": True, "hint": 0}
    assert read_problem(json.dumps(wrong), status_code=403, instance="/v1/x") == ProblemDetail(instance="/v1/x")
    assert read_problem('{"status": true}', status_code=403).status is None
    assert read_problem('{"type": "about:blank", "more": 1}', status_code=403) == ProblemDetail()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "404 page not found",
        "[]",
        "null",
        '"text"',
        "{",
        b"\xff\xfe",
        "[" * 50_000,
        "1" * 5000,
        "x" * 100_000,
        json.dumps({"detail": "x" * 100_000}),
    ],
)
def test_what_is_no_problem_is_the_detail_of_one(body: Any) -> None:
    problem = read_problem(body, status_code=404, instance="/v1/x")
    assert (problem.type, problem.title, problem.status, problem.instance) == ("about:blank", "HTTP 404", 404, "/v1/x")
    assert 0 < len(problem.detail) <= 1024
    assert type(error_for(problem, 404)) is ProblemResponseError


@given(st.text() | st.binary(), st.integers(100, 599))
def test_no_body_raises(body: Any, status: int) -> None:
    problem = read_problem(body, status_code=status)
    assert isinstance(error_for(problem, status), ProblemResponseError)
    assert isinstance(problem.detail, str)
