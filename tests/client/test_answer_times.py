"""Times in answers."""

from __future__ import annotations

import json

import pytest

from watchword.client import Answer, InvalidAnswerError, parse_rfc3339


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
        ("2026-02-09T14:30:00.250000000000Z", 1_770_647_400.25),
        ("2026-02-09T04:31:00-09:59", 1_770_647_400),
        # A leap second has the number of the second after it, as in POSIX.
        ("2016-12-31T23:59:60Z", 1_483_228_800),
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
        "2026-02-09T14:30:00+24:00",
        "2026-02-09T14:30:00+10:60",
        "2026-02-09T14:30:00.Z",
        "2026-02-09T14:30:60Z",
        "٢٠٢٦-02-09T14:30:00Z",
        "2026-02-09T14:30:00Z\n",
    ],
)
def test_no_time(value: object) -> None:
    with pytest.raises(InvalidAnswerError, match="expiresAt"):
        read(value)


def test_a_text_that_is_no_time_is_not_quoted() -> None:
    with pytest.raises(ValueError, match=r"^not a time of RFC 3339$") as caught:
        parse_rfc3339("2026-02-09T14:30:00Z s3cret\ud800")
    assert "s3cret" not in repr((caught.value, caught.value.__context__))
