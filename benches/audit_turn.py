"""One turn of a contender of ``audit.py``, in a process of its own: ``audit_turn.py CONTENDER LOG ARGUMENT``.

Prints what the work took, without its preparation: rows, seconds of the wall clock and of CPU, and the peak in MiB.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jwt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import watchword as ww
from watchword.audit import Auditor
from watchword.jwks.archive import KeyArchive
from watchword.testing.token_log import AUDIENCE, ISSUERS

ALGORITHMS = ("EdDSA", "ES256", "RS256")
POLICY = ww.Policy(issuer=ISSUERS, audience=AUDIENCE, algorithms=ALGORITHMS)


def many(log: Path, threads: int) -> tuple[int, Callable[[], object]]:
    """``verify_many`` over a list of tokens, each as of its time, with all keys of the year."""
    table = _table(log)
    rows = [(token, at) for token, at in _rows(table) if token is not None and at is not None]
    tokens, times = [token for token, _ in rows], [at for _, at in rows]
    keys = ww.KeySet.from_json((log / "jwks.json").read_bytes())
    keys.prepare()
    return len(tokens), lambda: ww.verify_many(tokens, keys, POLICY, now=times, threads=threads).valid_count


def columns(log: Path, threads: int) -> tuple[int, Callable[[], object]]:
    """The audit of a table in memory, with the archive."""
    table = _table(log)
    auditor = Auditor(KeyArchive.open(log / "keys.ndjson"), POLICY)
    # Tables are for the life of the process, as the prepared keys of the other contender.
    pa.table(auditor.verify_column(table.slice(0, 20_000), token="token", time="used_at"))
    auditor = Auditor(KeyArchive.open(log / "keys.ndjson"), POLICY)
    audit = auditor.verify_column
    return table.num_rows, lambda: pa.table(audit(table, token="token", time="used_at", threads=threads)).num_rows


def pyjwt(log: Path, count: int) -> tuple[int, Callable[[], object]]:
    """A loop over the file with PyJWT, whose keys are parsed and whose times are checked here: it has no ``now``."""
    keys = {key["kid"]: jwt.PyJWK(key) for key in json.loads((log / "jwks.json").read_bytes())["keys"]}
    options = {"require": ["exp"], "verify_exp": False, "verify_nbf": False, "verify_iat": False}
    file = pq.ParquetFile(log / "tokens.parquet")

    def loop() -> int:
        valid = 0
        batch = next(file.iter_batches(count, columns=["token", "used_at"]))
        for token, now in _rows(pa.Table.from_batches([batch])):
            try:
                key = keys[jwt.get_unverified_header(token)["kid"]]
                claims = jwt.decode(
                    token, key, list(ALGORITHMS), audience=AUDIENCE, issuer=list(ISSUERS), options=options
                )
                valid += now < claims["exp"] + 5 and now >= claims.get("nbf", 0) - 5 and now >= claims["iat"] - 5
            except Exception:  # whatever a hostile row raises, it is not valid
                continue
        return valid

    return count, loop


def _table(log: Path) -> pa.Table:
    return pq.read_table(log / "tokens.parquet", columns=["token", "used_at"])


def _rows(table: pa.Table) -> zip[tuple[str | None, float | None]]:
    seconds = pc.divide(pc.cast(table["used_at"], pa.int64()), 1e6)
    return zip(table["token"].to_pylist(), seconds.to_pylist(), strict=True)


def main(contender: str, log: str, argument: str) -> None:
    contenders = {"verify_many": many, "columns": columns, "pyjwt": pyjwt}
    rows, work = contenders[contender](Path(log), int(argument))
    begin, cpu = time.perf_counter(), _cpu()
    work()
    took = {"wall": time.perf_counter() - begin, "cpu": _cpu() - cpu}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, **took, "peak": math.ceil(peak)}))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
