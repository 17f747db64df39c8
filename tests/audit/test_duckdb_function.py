"""``verify_token`` in DuckDB's SQL: arguments, nulls, mistakes, threads and proofs."""

from __future__ import annotations

import math
import threading
from typing import Any

import mint
import pytest

pa = pytest.importorskip("pyarrow", reason="the extra audit is not installed")
duckdb = pytest.importorskip("duckdb", reason="the extra duckdb is not installed")

import watchword as ww  # noqa: E402 - after what may be missing
from watchword.audit import Auditor  # noqa: E402
from watchword.audit.duckdb import register  # noqa: E402
from watchword.holder import DpopProver  # noqa: E402

KEYS = ww.KeySet.from_json(mint.jwks("ed25519"))
POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
AUDITOR = Auditor(KEYS, POLICY)
TOKEN = mint.token()


@pytest.fixture
def connection() -> Any:
    with duckdb.connect() as connected:
        yield connected


@pytest.fixture
def with_function(connection: Any) -> Any:
    register(connection, AUDITOR)
    return connection


def code(connection: Any, arguments: str, **parameters: Any) -> Any:
    ((found,),) = connection.execute(f"SELECT verify_token({arguments}).code", parameters).fetchall()
    return found


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("$token, $now::BIGINT", None),
        ("$token, $now::DOUBLE", None),
        ("$token, to_timestamp($now)", None),
        ("$token, to_timestamp($now) AT TIME ZONE 'UTC'", None),
        ("$token::BLOB, $now::BIGINT", None),
        ("$token, $now::BIGINT + 1000000", "expired"),
        ("NULL, $now::BIGINT + length($token)", "missing_token"),
        ("NULL::VARCHAR, to_timestamp($now + length($token))", "missing_token"),
        ("$token || 'x', $now::BIGINT", "malformed_token"),
        ("'\\xFF\\xFE'::BLOB, $now::BIGINT + length($token)", "malformed_token"),
        ("$token, if($now > 0, NULL, 1)", "invalid_time"),
        ("$token, if($now > 0, 'nan'::DOUBLE, 1)", "invalid_time"),
        ("$token, if($now > 0, 'infinity'::TIMESTAMP, NULL)", "invalid_time"),
        ("$token, if($now > 0, '-infinity'::TIMESTAMPTZ, NULL)", "invalid_time"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_arguments_of_the_function(with_function: Any, zone: str, arguments: str, expected: str | None) -> None:
    with_function.execute(f"SET TimeZone = '{zone}'")
    assert code(with_function, arguments, token=TOKEN, now=mint.NOW) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("$token", "verify_token takes 2 arguments: token, time"),
        ("$token, 1, 2", "verify_token takes 2 arguments: token, time"),
        ("$token, 'yesterday'", 'the column "time" is Utf8, not a column of times'),
        ("1, length($token)", 'the column "token" is Int32, not a column of texts'),
    ],
)
def test_mistakes_are_errors_of_the_query_that_say_what_to_do(with_function: Any, arguments: str, message: str) -> None:
    with pytest.raises(duckdb.Error, match=message) as caught:
        code(with_function, arguments, token=TOKEN)
    assert TOKEN not in str(caught.value)


def test_an_exact_number_is_told_to_be_cast(with_function: Any) -> None:
    with pytest.raises(duckdb.Error, match="cast it to timestamps, or to numbers of Unix seconds"):
        code(with_function, "$token, 1.5", token=TOKEN)


def test_no_rows_and_no_calls(with_function: Any) -> None:
    query = "SELECT verify_token(token, 0).code FROM (SELECT 'x' AS token) WHERE token = 'y'"
    assert with_function.sql(query).fetchall() == []


def test_functions_of_several_auditors(connection: Any) -> None:
    register(connection, AUDITOR)
    register(connection, Auditor(KEYS, ww.Policy(audience="https://other.example")), "verify_other")
    query = "SELECT verify_token($token, $now).code, verify_other($token, $now).code"
    values = {"token": TOKEN, "now": mint.NOW}
    assert connection.execute(query, values).fetchall() == [(None, "wrong_audience")]
    assert connection.cursor().execute(query, values).fetchall() == [(None, "wrong_audience")]
    with pytest.raises(duckdb.Error, match="already"):
        register(connection, AUDITOR)


def test_queries_on_several_threads(with_function: Any) -> None:
    query = (
        "SELECT count(*) FROM (SELECT verify_token(if(i % 2 = 0, $token, NULL), $now + i) AS v FROM range(20_000) t(i))"
        " WHERE v.code IS NULL"
    )
    expires = ww.verify(TOKEN, KEYS, POLICY, now=mint.NOW).expires_at
    late = math.ceil(expires) + 5 - mint.NOW
    found: list[int] = []

    def ask(cursor: Any) -> None:
        found.append(cursor.execute(query, {"token": TOKEN, "now": mint.NOW}).fetchall()[0][0])

    threads = [threading.Thread(target=ask, args=(with_function.cursor(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [len(range(0, late, 2))] * 4


def test_proofs_in_sql(connection: Any) -> None:
    register(connection, AUDITOR, proofs=True)
    prover = DpopProver(clock=lambda: mint.NOW)
    bound = mint.token(mint.claims(cnf={"jkt": prover.jkt}))
    uri = "https://api.example/orders"
    values = {"token": bound, "now": mint.NOW, "uri": uri, "proof": prover.proof("GET", uri, bound)}

    def row(method: str, proof: str) -> dict[str, Any]:
        query = f"SELECT unnest(verify_token($token, $now, {method}, $uri, {proof}))"
        (found,) = connection.sql(query, params=values).to_arrow_table().to_pylist()
        return found

    good = row("'GET'", "$proof")
    assert (good["code"], good["proof_key"], good["proof_hash"] is None) == (None, prover.jkt, False)
    assert row("'POST'", "$proof")["code"] == "dpop_wrong_method"
    del values["proof"]
    missing = row("'GET'", "NULL")
    assert (missing["code"], missing["proof_hash"]) == ("dpop_proof_required", None)
