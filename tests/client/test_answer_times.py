"""Times in answers."""

from __future__ import annotations

import json

import pytest

from watchword.client import Answer, InvalidAnswerError


def read(value: object) -> float:
    body = json.dumps({"expiresAt": value}).encode()
    return Answer(200, {"content-type": "application/json"}, body, "/challenge").members().time("expiresAt")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-02-09T14:30:00Z", 1_770_647_400),
        ("2026-02-09t14:30:00z", 1_770_647_400),
        ("2026-02-09T15:30:00+01:00", 1_770_647_400),
        ("2026-02-09T14:30:00.250Z", 1_770_647_400.25),
        ("1969-12-31T23:59:59Z", -1),
    ],
)
def test_a_time(text: str, seconds: float) -> None:
    assert read(text) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        1_770_647_400,
        "1770647400",
        "2026-02-09",
        "2026-02-09T14:30:00",
        "2026-02-30T14:30:00Z",
        "2026-02-09T25:30:00Z",
        "2026-02-09T14:30:00+99:00",
        "٢٠٢٦-02-09T14:30:00Z",
        "2026-02-09T14:30:00Z\n",
    ],
)
def test_no_time(value: object) -> None:
    with pytest.raises(InvalidAnswerError, match="expiresAt"):
        read(value)
