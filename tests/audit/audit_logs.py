"""Small logs of tokens for audits, and the audits of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import watchword as ww
from watchword.audit import Auditor
from watchword.audit.inputs import find_inputs
from watchword.audit.manifest import make_manifest, write_manifest
from watchword.audit.pipeline import AuditJob, run_audit
from watchword.audit.replays import find_replays
from watchword.audit.units import Columns, Limits
from watchword.testing import LocalIssuer

#: The time at which the tokens were issued, in Unix seconds.
ISSUED = 1_750_000_000

#: Small enough that a log of some hundred rows has several parts.
LIMITS = Limits(unit_rows=100, unit_bytes=40_000, batch_rows=32, text_rows=32, block_bytes=8_192)


@dataclass(frozen=True)
class Log:
    """Rows of (token, time of use), and what verifies them."""

    issuer: LocalIssuer
    rows: list[tuple[str, int]]

    @property
    def keys(self) -> ww.KeySet:
        return ww.KeySet.from_json(self.issuer.jwks())

    @property
    def policy(self) -> ww.Policy:
        return ww.Policy(issuer="https://issuer.test", audience="https://api.test")

    def auditor(self) -> Auditor:
        return Auditor(self.keys, self.policy)

    @property
    def expired(self) -> int:
        return sum(1 for number in range(len(self.rows)) if number % 10 == 3)


def make_log(rows: int = 560) -> Log:
    """Every tenth token is used after it expired."""
    issuer = LocalIssuer(clock=lambda: ISSUED)
    tokens = [issuer.mint(sub=f"agent-{number}", jti=f"t-{number}") for number in range(rows)]
    used = [ISSUED + (1_000 if number % 10 == 3 else 10) for number in range(rows)]
    return Log(issuer, list(zip(tokens, used, strict=True)))


def table(log: Log) -> pa.Table:
    tokens, times = zip(*log.rows, strict=True)
    return pa.table(
        {
            "token": pa.array(tokens),
            "used_at": pa.array([time * 1_000_000 for time in times], pa.timestamp("us", "UTC")),
            "other": [str(number) for number in range(len(tokens))],
        }
    )


def write_parquet(log: Log, path: Path, **options) -> Path:
    pq.write_table(table(log), path, **{"row_group_size": 77, **options})
    return path


def ndjson(log: Log) -> bytes:
    return b"".join(json.dumps({"used_at": at, "token": token}).encode() + b"\n" for token, at in log.rows)


def csv(log: Log) -> bytes:
    return b"token,used_at\n" + b"".join(f"{token},{at}\n".encode() for token, at in log.rows)


def job(log: Log, *inputs: Path | str, **options) -> AuditJob:
    columns = options.pop("columns", None) or Columns("token", "used_at")
    found = find_inputs([str(one) for one in inputs], format=options.pop("format", None))
    settings = {"workers": 2, "limits": LIMITS, **options}
    return AuditJob(
        found, columns, log.auditor(), {"kind": "jwks", "sha256": "k", "head": None}, {"intervals": []}, **settings
    )


def audit(what: AuditJob, directory: Path, signer=None) -> dict:
    """Run an audit to its end. Returns the manifest."""
    parts = run_audit(what, str(directory))
    replays = find_replays(str(directory), parts) if what.columns.proof else None
    manifest = make_manifest(what, parts, replays)
    write_manifest(str(directory), manifest, signer)
    return manifest


def rows_of(directory: Path) -> list[dict]:
    """The rows of all parts, in their order."""
    rows: list[dict] = []
    for path in sorted((directory / "parts").iterdir()):
        if path.suffix == ".parquet":
            rows += pq.read_table(path).to_pylist()
        elif not path.name.endswith(".unreadable.ndjson"):
            rows += [json.loads(line) for line in path.read_bytes().splitlines()]
    return rows


def unreadable_of(directory: Path) -> list[dict]:
    paths = sorted((directory / "parts").glob("*.unreadable.ndjson"))
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


def content(directory: Path) -> dict[str, bytes]:
    """What must not depend on how an audit ran."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "journal.ndjson"
    }
