"""What answers to the table of requests (``gate_cases``) must have."""

from __future__ import annotations

import re

from gate_cases import Expected
from wire import Answer


def check_rejection(answer: Answer, expected: Expected) -> None:
    """Assert that the answer is the gate's: its problem document, and its challenge."""
    problem = answer.json
    assert answer.all("content-type") == ["application/problem+json"]
    assert (problem["code"], problem["status"]) == (expected.code, expected.status)
    check_challenge(answer, expected)


def check_challenge(answer: Answer, expected: Expected) -> None:
    """Assert that the challenge has the expected scheme and error, or that there is none."""
    challenges = ", ".join(answer.all("www-authenticate"))
    if expected.challenge is None:
        assert "error=" not in challenges
        return
    scheme, error = expected.challenge
    assert re.search(rf"(^|, ){scheme}( |$)", challenges)
    assert (f'error="{error}"' in challenges) if error else ("error=" not in challenges)


def plain_name(name: str) -> str:
    """The name of a header, as applications may read it that do not distinguish what CGI does not."""
    return name.lower().replace("_", "-").replace(".", "-")
