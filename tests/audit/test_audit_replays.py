"""Proofs that are used more than once: found over all parts, the first use by time, then by the order of the rows."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from watchword import base64url
from watchword.audit.ndjson import to_ndjson
from watchword.audit.replays import find_replays

_SCHEMA = pa.schema(
    [
        ("file", pa.dictionary(pa.int32(), pa.string())),
        ("row", pa.int64()),
        ("time", pa.timestamp("us", "UTC")),
        ("proof_hash", pa.string()),
    ]
)


def _hash(number: int) -> str:
    return base64url.encode(hashlib.sha256(str(number).encode()).digest())


def _parts(folder: Path, uses: list[tuple[int | None, str | None]], size: int, output_format: str) -> list[dict]:
    (folder / "parts").mkdir()
    parts = []
    for start in range(0, len(uses), size):
        some = uses[start : start + size]
        rows = [
            {"file": "log", "row": start + number, "time": time, "proof_hash": proof}
            for number, (time, proof) in enumerate(some, 1)
        ]
        batch = pa.RecordBatch.from_pylist(rows, schema=_SCHEMA)
        path = f"parts/part-{len(parts):06}.{output_format}"
        if output_format == "parquet":
            pq.write_table(pa.table(batch), folder / path)
        else:
            (folder / path).write_bytes(bytes(to_ndjson(batch)))
        parts.append({"part": {"path": path, "rows": len(rows)}})
    return parts


def _found(folder: Path, uses, *, size: int = 50, largest: int = 1000, output_format: str = "parquet") -> list[dict]:
    replays = find_replays(str(folder), _parts(folder, uses, size, output_format), largest=largest)
    data = (folder / "replays.ndjson").read_bytes()
    assert replays["sha256"] == hashlib.sha256(data).hexdigest()
    lines = [json.loads(line) for line in data.splitlines()]
    assert replays["rows"] == len(lines)
    assert sorted(path.name for path in folder.iterdir()) == ["parts", "replays.ndjson"]
    return lines


def test_the_first_use_is_the_earliest_and_then_the_first_row(tmp_path: Path) -> None:
    a, b = _hash(1), _hash(2)
    uses = [
        (5_000_000, a),
        (1_000_000, b),
        (1_000_000, a),
        (2_000_000, None),
        (1_000_000, a),
        (1_000_000, _hash(3)),
        (None, b),
    ]
    found = _found(tmp_path, uses, size=2)
    first = {"file": "log", "row": 3, "time": "1970-01-01T00:00:01.000000Z"}
    assert [one for one in found if one["proof_hash"] == a] == [
        {"file": "log", "row": 1, "time": "1970-01-01T00:00:05.000000Z", "proof_hash": a, "first": first},
        {"file": "log", "row": 5, "time": "1970-01-01T00:00:01.000000Z", "proof_hash": a, "first": first},
    ]
    # A use without a time is after all others.
    assert [(one["row"], one["time"], one["first"]["row"]) for one in found if one["proof_hash"] == b] == [(7, None, 2)]


@pytest.mark.parametrize("output_format", ["parquet", "ndjson"])
def test_divisions_of_any_size_find_the_same(tmp_path: Path, output_format: str) -> None:
    rng = random.Random(7)
    uses = [
        (rng.randrange(100) * 1_000_000, _hash(rng.randrange(300)) if rng.random() < 0.8 else None) for _ in range(700)
    ]
    uses += [(50_000_000, _hash(1))] * 200
    found = []
    for largest in (10_000, 100, 3):
        folder = tmp_path / str(largest)
        folder.mkdir()
        some = _found(folder, uses, largest=largest, output_format=output_format)
        found.append(sorted(some, key=lambda one: one["row"]))
    assert found[0] == found[1] == found[2]
    firsts: dict[str, tuple] = {}
    for number, (time, proof) in enumerate(uses, 1):
        if proof is not None:
            firsts[proof] = min(firsts.get(proof, (time, number)), (time, number))
    expected = [n for n, (_, proof) in enumerate(uses, 1) if proof is not None and firsts[proof][1] != n]
    assert [one["row"] for one in found[0]] == expected
    assert all(one["first"]["row"] == firsts[one["proof_hash"]][1] for one in found[0])


def test_no_proofs_at_all(tmp_path: Path) -> None:
    assert _found(tmp_path, [(1, None)] * 5) == []
