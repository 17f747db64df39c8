"""Output directories of audits, written as the command writes them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

NAMES = pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("us", "UTC")

SCHEMA = pa.schema(
    {
        "file": NAMES,
        "row": pa.int64(),
        "time": TIME,
        "valid": pa.bool_(),
        "code": NAMES,
        "key_state": NAMES,
        "issuer": NAMES,
        "subject": pa.string(),
        "client_id": NAMES,
        "actors": pa.list_(pa.string()),
        "scope": NAMES,
        "key_id": NAMES,
        "algorithm": NAMES,
        "token_id": pa.string(),
        "expires_at": TIME,
        "not_before": TIME,
        "issued_at": TIME,
        "seconds_past_expiry": pa.float64(),
        "token_hash": pa.string(),
    }
)

#: 2025-06-01, 12:00 UTC.
NOON = 1_748_779_200


def hash_of(name: object) -> str:
    """Return what stands for the hash of a token."""
    return base64.urlsafe_b64encode(hashlib.sha256(str(name).encode()).digest()).decode().rstrip("=")


def row(number: int, code: str | None = None, **members: object) -> dict[str, object]:
    """Return one row, valid if there is no ``code``; ``time`` is in Unix seconds."""
    values = {
        "file": "log.ndjson",
        "row": number,
        "time": NOON,
        "valid": code is None,
        "code": code,
        "key_state": "listed" if code is None else None,
        "issuer": "https://as.example" if code is None else None,
        "subject": "user-1" if code is None else None,
        "client_id": "agent-1" if code is None else None,
        "actors": ["agent-1"] if code is None else None,
        "key_id": "key-1" if code is None else None,
        "token_hash": hash_of(number),
    } | members
    return {name: values.get(name) for name in SCHEMA.names}


def write_audit(
    directory: Path,
    parts: list[list[dict[str, object]]] | list[pa.Table],
    *,
    form: str = "parquet",
    unreadable: list[dict[str, object]] = (),
    replays: list[dict[str, object]] | None = None,
    signed: bool = False,
    **manifest: object,
) -> Path:
    """Write an output directory with these parts; ``manifest`` replaces members of the manifest."""
    (directory / "parts").mkdir(parents=True)
    listed, rows, codes = [], 0, Counter()
    for number, content in enumerate(parts):
        path = directory / "parts" / f"part-{number:06}.{form}"
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
            written = content.num_rows
            codes.update(content["code"].cast(pa.string()).to_pylist())
        else:
            written = len(content)
            codes.update(one["code"] for one in content)
            if form == "parquet":
                columns = {name: [_value(one, name) for one in content] for name in SCHEMA.names}
                pq.write_table(pa.table(columns, SCHEMA), path)
            else:
                path.write_text("".join(json.dumps(_written(one)) + "\n" for one in content), "utf-8")
        rows += written
        listed.append({"path": f"parts/{path.name}", "sha256": _digest(path), "rows": written})
    if unreadable:
        lines(directory / "parts" / "part-000000.unreadable.ndjson", unreadable)
    if replays is not None:
        lines(directory / "replays.ndjson", replays)
    payload = {
        "watchword": "0.14.0",
        "inputs": [
            {"path": "log.ndjson", "bytes": 123_456, "sha256": hashlib.sha256(b"log").hexdigest(), "rows": rows}
        ],
        "parts": listed,
        "keys": {"kind": "archive", "sha256": "ab" * 32, "head": {"seq": 41, "sha256": "cd" * 32}},
        "policy": {"audience": ["https://api.example"], "leeway": 5},
        "counts": {
            "rows": rows,
            "valid": codes.pop(None, 0),
            "codes": dict(codes),
            "key_states": {},
            "unreadable": len(unreadable),
            "replays": len(replays or ()),
        },
    } | manifest
    data = json.dumps(payload).encode()
    if signed:
        header = {"alg": "EdDSA", "kid": "operator-1"}
        segments = (json.dumps(header).encode(), data, b"\0" * 64)
        jws = b".".join(base64.urlsafe_b64encode(one).rstrip(b"=") for one in segments)
        (directory / "manifest.jws").write_bytes(jws + b"\n")
    else:
        (directory / "manifest.json").write_bytes(data)
    return directory


def lines(path: Path, records: list[dict[str, object]]) -> None:
    """Write NDJSON."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")


def _value(one: dict[str, object], name: str) -> object:
    time = one[name]
    return round(time * 1e6) if name == "time" and time is not None else time


def _written(one: dict[str, object]) -> dict[str, object]:
    if one["time"] is None:
        return one
    at = datetime.datetime.fromtimestamp(one["time"], datetime.UTC)
    return one | {"time": at.isoformat().replace("+00:00", "Z")}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
