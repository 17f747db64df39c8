"""The generated log: the same bytes for the same seed, and exactly the verdicts that it announces."""

from __future__ import annotations

import collections
import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import watchword as ww
from watchword.jwks.archive import KeyArchive, KeyState, KeyTimeline
from watchword.testing.token_log import ISSUERS, Row, TokenLog
from watchword.testing.token_log.__main__ import main
from watchword.testing.token_log.data_set import write_data_set
from watchword.testing.token_log.workers import batches

ROWS = 3_000

#: Verdicts that need more than a token, a key set and a time.
OF_AUDITS = {"missing_token", "invalid_time", "keys_not_recorded", "key_compromised"}


@pytest.fixture(scope="module")
def log() -> TokenLog:
    return TokenLog(ROWS, seed=5)


@pytest.fixture(scope="module")
def rows(log: TokenLog) -> list[Row]:
    return list(log)


@pytest.fixture(scope="module")
def directory(log: TokenLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log")
    write_data_set(path, log, formats=("parquet", "ndjson", "csv", "txt", "ndjson.gz", "csv.zst"), processes=1)
    return path


@pytest.fixture(scope="module")
def archive(directory: Path) -> KeyArchive:
    return KeyArchive.open(directory / "keys.ndjson")


def at(row: Row) -> float:
    assert row.used_at is not None
    return row.used_at / 1_000_000


def decoded(token: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims of a token, both empty if it cannot be decoded."""
    try:
        unverified = ww.decode_unverified(token or "")
    except ww.VerificationError:
        return {}, {}
    return unverified.header, unverified.claims or {}


def named_issuer(token: str) -> str | None:
    """Return the configured issuer that a token names."""
    issuer = decoded(token)[1].get("iss")
    return issuer if issuer in ISSUERS else None


def keys_for(log: TokenLog, row: Row) -> ww.KeySet:
    """Return the keys that the token's issuer lists at the time of use; those of all if it names none."""
    assert row.token is not None
    issuer = named_issuer(row.token)
    if issuer is not None:
        return log.key_set(issuer, at(row))
    listed = [planned for each in ISSUERS for planned in log.keys.listed(each, at(row))]
    return ww.KeySet.from_json({"keys": [planned.key.public_jwk() for planned in listed]})


def code_of(token: str, keys: ww.KeySet, policy: ww.Policy, now: float, **options: Any) -> str | None:
    try:
        ww.verify(token, keys, policy, now=now, **options)
    except ww.VerificationError as error:
        return error.code.value
    return None


@pytest.mark.parametrize(("uses", "proofs"), [(1, False), (50, False), (1, True), (50, True)])
def test_every_code_occurs_exactly_as_often_as_announced(uses: int, proofs: bool) -> None:
    log = TokenLog(ROWS, seed=5, uses_per_token=uses, proofs=proofs)
    rows = list(log)
    counts = collections.Counter(row.case.code for row in rows)
    assert len(rows) == ROWS == log.valid_count + sum(log.codes.values())
    assert counts == {None: log.valid_count, **log.codes}
    assert collections.Counter(row.case.name for row in rows) == log.defects


@pytest.mark.parametrize("rows", [1_000, 16_384, 16_385, 40_001, 200_000, 5_000_000])
def test_the_numbers_are_exact_for_any_size(rows: int) -> None:
    # Without signing: what is to be made is planned before.
    log = TokenLog(rows)
    assert log.valid_count + sum(log.codes.values()) == rows
    assert log.first_row(0) == 1
    assert log.first_row(log.blocks) == rows + 1
    if rows <= 200_000:
        planned = [case for number in range(log.blocks) for case, _ in log._plan.block(number)]
        assert collections.Counter(case.name for case in planned) == log.defects


def test_the_log_has_every_code_that_an_audit_gives_without_proofs(log: TokenLog) -> None:
    # The others are about proofs, requests, delegation, scopes, and keys or certificates of a connection.
    assert log.codes.keys() == OF_AUDITS | {
        "algorithm_not_allowed",
        "certificate_required",
        "dpop_proof_required",
        "expired",
        "invalid_signature",
        "issued_in_future",
        "malformed_claims",
        "malformed_header",
        "malformed_token",
        "missing_claim",
        "not_yet_valid",
        "too_large",
        "unknown_key",
        "unsupported",
        "unsupported_critical_header",
        "wrong_audience",
        "wrong_issuer",
        "wrong_type",
    }


def test_the_same_seed_makes_the_same_rows(log: TokenLog, rows: list[Row]) -> None:
    assert list(TokenLog(ROWS, seed=5)) == rows
    assert TokenLog(ROWS, seed=5).jwks() == log.jwks()


def test_another_seed_makes_other_tokens_and_keys(log: TokenLog, rows: list[Row]) -> None:
    other = TokenLog(ROWS, seed=6)
    assert {row.token for row in other}.isdisjoint({row.token for row in rows if row.token is not None})
    assert other.codes == log.codes
    # RSA keys are the same: making them takes too long.
    assert {key["x"] for key in other.jwks()["keys"] if "x" in key}.isdisjoint(
        {key["x"] for key in log.jwks()["keys"] if "x" in key}
    )


def test_several_processes_make_the_same_rows_as_one() -> None:
    log = TokenLog(17_000, uses_per_token=50)
    assert log.blocks == 2
    for (rows, truth), (others, other_truth) in zip(batches(log, 1), batches(log, 2), strict=True):
        assert rows.equals(others)
        assert truth.equals(other_truth)


@pytest.mark.parametrize(("uses", "seed"), [(1, 5), (50, 5), (7, 6)])
def test_verify_gives_exactly_the_expected_code(uses: int, seed: int) -> None:
    log = TokenLog(4_000, seed=seed, uses_per_token=uses)
    checked = [row for row in log if row.case.code not in OF_AUDITS]
    assert len(checked) > 3_000
    wrong = [
        (row.case.name, row.case.code, found)
        for row in checked
        if (found := code_of(row.token or "", keys_for(log, row), log.policy, at(row))) != row.case.code
    ]
    assert not wrong


def test_with_all_keys_of_the_year_only_the_findings_that_need_an_archive_are_missed(
    log: TokenLog, rows: list[Row]
) -> None:
    jwks = log.jwks()["keys"]
    own = {
        issuer: [planned.key.key_id for planned in log.keys.keys if planned.line.issuer == issuer] for issuer in ISSUERS
    }
    issuers = [
        ww.Issuer(issuer, jwks={"keys": [key for key in jwks if key["kid"] in ids]}) for issuer, ids in own.items()
    ]
    used = [row for row in rows if row.token is not None and row.used_at is not None]
    with ww.Verifier(issuers, audience="https://api.example") as verifier:
        results = verifier.verify_many([row.token or "" for row in used], now=[at(row) for row in used])
        found = [result.code.value if isinstance(result, ww.VerificationError) else None for result in results]
    missed = {row.case.name for row, code in zip(used, found, strict=True) if code != row.case.code}
    assert missed == {
        "before the archive begins",
        "forged with the stolen key, iat before the theft",
        "key withdrawn, or not yet published",
        "signed by the issuer with the stolen key",
    }
    assert {code for row, code in zip(used, found, strict=True) if row.case.name in missed} == {None}


def test_a_leeway_of_a_minute_changes_no_verdict(log: TokenLog, rows: list[Row]) -> None:
    for leeway in (0, 60):
        policy = ww.Policy(issuer=ISSUERS, audience="https://api.example", leeway=leeway)
        for row in rows:
            if row.case.code not in OF_AUDITS:
                assert code_of(row.token or "", keys_for(log, row), policy, at(row)) == row.case.code, row.case.name


def audited(row: Row, timelines: dict[str, KeyTimeline], policy: ww.Policy) -> tuple[str | None, KeyState | None]:
    """Return the code and the key state of a row by the archive: what an audit does, in its simplest form."""
    if row.token is None:
        return "missing_token", None
    if row.used_at is None:
        return "invalid_time", None
    issuer = named_issuer(row.token)
    epoch = timelines[issuer or ISSUERS[0]].at(at(row))
    code: str | None = "keys_not_recorded"
    for state, keys in epoch.layers if epoch.is_covered else ():
        found = code_of(row.token, keys, policy, at(row))
        if found is None:
            return ("key_compromised" if state is KeyState.COMPROMISED else None), state
        # The furthest of the codes.
        code = found if code in ("keys_not_recorded", "unknown_key") else code
    return code, None


def test_the_archive_gives_exactly_the_expected_code_and_every_valid_key_is_listed(
    log: TokenLog, rows: list[Row], archive: KeyArchive
) -> None:
    assert archive.issuers == ISSUERS
    timelines = {issuer: archive.timeline(issuer) for issuer in ISSUERS}
    wrong = []
    for row in rows:
        if row.case.code == "wrong_issuer":
            continue  # which keys such a token is verified with is a matter of the auditor
        code, state = audited(row, timelines, log.policy)
        if code != row.case.code or (code is None and state is not KeyState.LISTED):
            wrong.append((row.case.name, row.case.code, code, state))
    assert not wrong


def test_the_stolen_key_is_used_after_the_theft_by_known_rows_only(log: TokenLog, rows: list[Row]) -> None:
    uses = []
    for row in rows:
        header, claims = decoded(row.token)
        if header.get("kid") == log.keys.stolen.key.key_id and row.time / 1_000_000 >= log.keys.stolen_since:
            uses.append((row.case.code, claims["iat"] < log.keys.stolen_since))
    assert {code for code, _ in uses} == {"key_compromised"}
    assert len(uses) == log.codes["key_compromised"]
    # The thief backdates: only the time of use tells.
    assert sum(backdated for _, backdated in uses) == log.defects["forged with the stolen key, iat before the theft"]


def test_the_algorithms_are_mixed(rows: list[Row]) -> None:
    tokens = {row.token for row in rows if row.case.code is None}
    algorithms = collections.Counter(ww.decode_unverified(token).header["alg"] for token in tokens if token)
    assert {name: round(100 * count / len(tokens)) for name, count in algorithms.items()} == {
        "EdDSA": pytest.approx(45, abs=3),
        "ES256": pytest.approx(35, abs=3),
        "RS256": pytest.approx(20, abs=3),
    }


def test_a_token_is_used_as_often_as_asked() -> None:
    uses = collections.Counter(row.token for row in TokenLog(ROWS, uses_per_token=50) if row.case.code is None)
    assert max(uses.values()) <= 50
    # The last token of a block has fewer uses.
    assert sorted(uses.values())[len(uses) // 2] > 40


def test_proofs_have_exactly_the_expected_code_and_replays_are_counted() -> None:
    log = TokenLog(ROWS, seed=5, proofs=True)
    seen: set[bytes] = set()
    replays = 0
    for row in log:
        if row.proof is None or row.token is None:
            assert (
                row.case.code is None or not row.case.code.startswith("dpop_") or row.case.code == "dpop_proof_required"
            )
            continue
        code, proof = None, None
        try:
            proof = ww.dpop.verify_proof(row.proof, method=row.method, uri=row.uri, access_token=row.token, now=at(row))
        except ww.VerificationError as error:
            code = error.code.value
        code = code or code_of(row.token, keys_for(log, row), log.policy, at(row), proof=proof)
        assert code == row.case.code, row.case.name
        if code is None and proof is not None:
            replays += proof.replay_id in seen
            seen.add(proof.replay_id)
            assert row.case.name in ("valid, with a proof", "proof used before")
    assert replays == log.replay_count == log.defects["proof used before"] > 0


def ndjson(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    return map(json.loads, (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines())


def test_all_formats_have_the_same_rows(directory: Path, rows: list[Row]) -> None:
    tokens = [row.token for row in rows]
    parquet = pq.read_table(directory / "tokens.parquet")
    assert parquet.column("token").to_pylist() == tokens
    assert parquet.column("used_at").cast("int64").to_pylist() == [row.used_at for row in rows]
    for name in ("tokens.ndjson", "tokens.ndjson.gz"):
        assert [record["token"] for record in ndjson(directory / name)] == tokens
    with (directory / "tokens.csv").open(encoding="utf-8", newline="") as text:
        records = list(csv.DictReader(text))
    assert [record["token"] or None for record in records] == tokens
    assert pyarrow.csv.read_csv(directory / "tokens.csv.zst").column("request_id").to_pylist() == [
        row.request_id for row in rows
    ]
    assert (directory / "tokens.txt").read_text(encoding="utf-8").split("\n") == [
        *(token or "" for token in tokens),
        "",
    ]
    times = [record["used_at"] for record in ndjson(directory / "tokens.ndjson")]
    assert [record["used_at"] or None for record in records] == times
    assert times[0].startswith("2025-01-01T")
    assert times[0].endswith("Z")


def test_the_truth_is_apart_and_by_row_number(directory: Path, rows: list[Row]) -> None:
    assert pq.read_schema(directory / "tokens.parquet").names == ["used_at", "request_id", "method", "path", "token"]
    truth = pq.read_table(directory / "truth.parquet")
    assert truth.column("row").to_pylist() == list(range(1, ROWS + 1))
    assert truth.column("code").to_pylist() == [row.case.code for row in rows]
    assert truth.column("case").to_pylist() == [row.case.name for row in rows]


def test_the_jwks_has_all_keys_of_the_year(directory: Path, log: TokenLog) -> None:
    keys = ww.KeySet.from_json((directory / "jwks.json").read_bytes())
    assert len(keys) == 36
    assert not keys.rejected
    assert json.loads((directory / "jwks.json").read_bytes()) == log.jwks()


def test_the_archive_marks_the_stolen_key_when_the_theft_is_noticed(archive: KeyArchive, log: TokenLog) -> None:
    marks = [record for record in archive.records if record.event == "compromised"]
    assert [(mark.key_id, mark.since) for mark in marks] == [(log.keys.stolen.key.key_id, log.keys.stolen_since)]
    assert marks[0].time > log.keys.detected


def test_a_data_set_is_made_once(directory: Path, log: TokenLog) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}
    complete = write_data_set(directory, log, formats=("csv",), processes=1)
    assert {path.name: path.stat().st_mtime_ns for path in directory.iterdir()} == before
    assert complete["codes"] == log.codes
    assert complete["valid"] == log.valid_count


def test_other_parameters_need_another_directory(directory: Path) -> None:
    with pytest.raises(ValueError, match="other parameters: delete it, or choose another directory"):
        write_data_set(directory, TokenLog(ROWS, seed=6))


def test_an_incomplete_data_set_is_made_again_and_row_groups_have_the_size_asked_for(tmp_path: Path) -> None:
    log = TokenLog(1_000, uses_per_token=50)
    write_data_set(tmp_path, log, row_group_rows=300)
    path = tmp_path / "tokens.parquet"
    groups = pq.ParquetFile(path).metadata
    assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [300, 300, 300, 100]
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    write_data_set(tmp_path, log, row_group_rows=300, formats=["parquet", "ndjson"])
    assert path.read_bytes() == whole
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "complete.json",
        "jwks.json",
        "keys.ndjson",
        "tokens.ndjson",
        "tokens.parquet",
        "truth.parquet",
    ]


def test_the_command_writes_one_row_group_and_says_what_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tmp_path / "new"), "--rows", "1000", "--uses", "50", "--row-group-rows", "0", "--proofs"]
    assert main([*arguments, "--seed", "3", "--processes", "1"]) == 0
    assert pq.ParquetFile(tmp_path / "new" / "tokens.parquet").metadata.num_row_groups == 1
    assert pq.read_schema(tmp_path / "new" / "tokens.parquet").names[-2:] == ["uri", "proof"]
    out, err = capsys.readouterr()
    log = TokenLog(1_000, seed=3, uses_per_token=50, proofs=True)
    assert f"{log.valid_count:,} of 1,000 rows valid" in out
    assert all(f"{count}  {code}\n" in out for code, count in log.codes.items())
    assert "1,000 of 1,000 rows" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rows", "10"], "rows must be at least 1,000"),
        (["--uses", "0"], "uses_per_token must be at least 1; it is 0"),
        (["--format", "parquet,xml"], "unknown format 'xml': must be of parquet, ndjson"),
    ],
)
def test_the_command_says_what_is_wrong_with_an_argument(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_status:
        main([str(tmp_path), *arguments])
    assert exit_status.value.code == 2
    assert message in capsys.readouterr().err
