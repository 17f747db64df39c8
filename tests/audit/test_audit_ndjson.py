"""NDJSON of verdicts: what json.loads reads is what the columns have, in ASCII."""

from __future__ import annotations

import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from watchword.audit.ndjson import to_ndjson

_TEXT = st.none() | st.text(max_size=12)


@given(st.lists(st.tuples(_TEXT, _TEXT, st.none() | st.lists(_TEXT.filter(lambda text: text is not None), max_size=3))))
def test_any_text_is_read_back(rows) -> None:
    texts, names, lists = ([row[column] for row in rows] for column in range(3))
    batch = pa.record_batch(
        {
            "text": pa.array(texts, pa.string()),
            "name": pa.array(names, pa.string()).cast(pa.dictionary(pa.int32(), pa.string())),
            "list": pa.array(lists, pa.list_(pa.string())),
        }
    )
    data = bytes(to_ndjson(batch))
    assert data.isascii()
    assert b"\x7f" not in data
    assert [json.loads(line) for line in data.splitlines()] == [
        {"text": text, "name": name, "list": one} for text, name, one in rows
    ]


def test_times_numbers_and_nulls() -> None:
    batch = pa.record_batch(
        {
            "time": pa.array([0, 1_735_689_600_123_456, None], pa.timestamp("us", "UTC")),
            "late": [0.5, float("inf"), None],
            "valid": [True, False, None],
            "row": [1, 2**53 + 1, None],
        }
    )
    expected = [
        {"time": "1970-01-01T00:00:00.000000Z", "late": 0.5, "valid": True, "row": 1},
        {"time": "2025-01-01T00:00:00.123456Z", "late": None, "valid": False, "row": 2**53 + 1},
        {"time": None, "late": None, "valid": None, "row": None},
    ]
    assert [json.loads(line) for line in bytes(to_ndjson(batch)).splitlines()] == expected
    assert [json.loads(line) for line in bytes(to_ndjson(batch.slice(1))).splitlines()] == expected[1:]
    assert bytes(to_ndjson(batch.slice(0, 0))) == b""
