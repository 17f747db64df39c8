"""The report of an audit has exactly what is in the rows."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from audit_directory import NOON, hash_of, row, write_audit
from report_page import cells, mixed, report, section, text, tree

from watchword import ErrorCode

DAY = 86_400


@pytest.mark.parametrize("form", ["parquet", "ndjson"])
def test_the_totals_on_the_page_are_those_of_the_rows(tmp_path, form):
    rows = mixed()
    page = report(write_audit(tmp_path / "out", [rows[:150], rows[150:]], form=form))
    codes = Counter(one["code"] for one in rows)
    valid = codes.pop(None)
    assert f"Of 400 uses of tokens from 2025-06-01 to 2025-06-04 (4 days), {valid} were valid" in text(
        section(page, "summary")
    )
    assert "do not match" not in page
    heat = cells(section(page, "issuers"), "Uses by verdict and issuer, and the share of the issuer's uses")
    assert heat[0] == [
        "Verdict", "All", "https://as-1.example", "https://as-2.example", "https://as-0.example", "not established",
    ]  # fmt: skip
    assert {line[0]: int(line[1]) for line in heat[1:]} == {"valid": valid, "all uses": 400, **codes}
    assert [line[0] for line in heat[2:-1]] == [str(code) for code in ErrorCode if code in codes]
    for line in heat[1:]:
        assert int(line[1]) == sum(int(cell.split()[0]) for cell in line[2:])
    daily = cells(section(page, "verdicts"), "Verdicts per day")
    assert [line[0] for line in daily[1:]] == ["2025-06-01", "2025-06-02", "2025-06-03", "2025-06-04"]
    for line in daily[1:]:
        assert int(line[1]) == sum(map(int, line[2:]))
    assert sum(int(line[1]) for line in daily[1:]) == 400
    assert [int(line[2]) for line in daily[1:]] == [
        sum(one["valid"] and (one["time"] // DAY - NOON // DAY) == day for one in rows) for day in range(4)
    ]


def test_both_forms_of_parts_give_the_same_page(tmp_path):
    pages = [report(write_audit(tmp_path / form, [mixed()], form=form)) for form in ("parquet", "ndjson")]
    # They differ in the digests of the files.
    assert pages[0].partition('<section id="digests"')[0] == pages[1].partition('<section id="digests"')[0]


def test_times_of_ndjson_may_be_unix_seconds(tmp_path):
    directory = write_audit(tmp_path / "out", [[row(1), row(2, "expired")]], form="ndjson")
    part = directory / "parts" / "part-000000.ndjson"
    part.write_text(part.read_text().replace('"2025-06-01T12:00:00Z"', f"{NOON}.25"))
    assert "2025-06-01 12:00:00" in report(directory)


def test_an_audit_without_rows(tmp_path):
    page = report(write_audit(tmp_path / "out", [], counts={}))
    assert "No token was audited. The input had no rows." in text(section(page, "summary"))
    assert len(list(tree(page).find("body/main"))) == 11
    page = report(write_audit(tmp_path / "empty-part", [[]]))
    assert "No token was audited." in page


@pytest.mark.parametrize("form", ["parquet", "ndjson"])
@pytest.mark.parametrize("code", [None, "expired"])
def test_an_audit_of_one_row(tmp_path, code, form):
    page = report(write_audit(tmp_path / "out", [[row(1, code, seconds_past_expiry=None)]], form=form))
    said = text(section(page, "summary"))
    assert f"One use of a token on 2025-06-01 was audited: it was {'' if code is None else 'not '}valid" in said
    assert text(tree(page).find("head/title")) == "Audit of tokens, 2025-06-01"


def test_an_audit_in_which_all_rows_are_valid(tmp_path):
    page = report(write_audit(tmp_path / "out", [[row(number) for number in range(1, 21)]]))
    assert "Of 20 uses of tokens on 2025-06-01, all were valid" in text(section(page, "summary"))
    assert "No use was rejected." in page
    assert "No token was rejected as expired." in page
    assert "No token was used more than once." in page
    assert "All rows could be read." in page
    assert "were not part of this audit" in page


def test_rows_without_a_time_and_far_from_all_others(tmp_path):
    rows = [row(number, time=NOON + number * 60) for number in range(3000)]
    rows += [row(3001, "invalid_time", time=None), row(3002, time=0), row(3003, time=253_402_300_799)]
    page = report(write_audit(tmp_path / "out", [rows]))
    said = text(section(page, "verdicts"))
    assert "1 use before 2025-06-01 is outside the plots" in said
    assert "1 use from 2025-06-15 is outside the plots" in said
    assert "1 row without a valid time of use: not in the plots." in said
    assert len(cells(section(page, "verdicts"), "Verdicts per day")) == 1 + 3


@pytest.mark.parametrize(("years", "unit"), [(1, "day"), (5, "week"), (20, "month"), (80, "year")])
def test_long_periods_are_grouped(tmp_path, years, unit):
    rows = [
        row(number, None if number % 7 else "expired", time=number * years * 365 * DAY // 999) for number in range(1000)
    ]
    page = report(write_audit(tmp_path / "out", [rows]))
    lines = cells(section(page, "verdicts"), f"Verdicts per {unit}")
    assert len(lines) <= 402
    assert sum(int(line[1]) for line in lines[1:]) == 1000


def test_five_thousand_keys(tmp_path):
    rows = [row(number, key_id=f"key-{number % 5000:04}", time=NOON + number) for number in range(10_000)]
    rows += [row(20_000 + number, key_id="key-0007") for number in range(5)]
    rows += [row(30_000, "key_compromised", key_id="key-4242", key_state="compromised", issuer="https://as.example")]
    page = report(write_audit(tmp_path / "out", [rows]))
    keys = section(page, "keys")
    lines = cells(keys, "Keys and their use")[1:]
    assert len(lines) == 60
    assert "5,000 keys verified 10,006 signatures; 1 is marked as compromised." in text(keys)
    # The compromised one is there, and so is the busiest.
    assert {line[0]: (line[2], line[4]) for line in lines}.items() >= {
        "key-4242": ("3", "listed 2; compromised 1"),
        "key-0007": ("7", "listed 7"),
    }.items()
    rest = 10_006 - sum(int(line[2]) for line in lines)
    assert f"4,940 keys with fewer uses, {rest:,} uses together, are not shown." in text(keys)
    assert len(page) < 200_000


def test_keys_with_their_lifetimes_and_states(tmp_path):
    rows = [
        row(1, key_state="early", time=NOON),
        row(2, time=NOON + DAY),
        row(3, key_state="withdrawn", time=NOON + 9 * DAY),
        row(
            4,
            "key_compromised",
            key_id="key-1",
            issuer="https://as.example",
            key_state="compromised",
            time=NOON + 12 * DAY,
        ),
        row(5, key_id=None, issuer="https://other.example"),
    ]
    lifetimes = [
        {"issuer": "https://as.example", "key_id": "key-1", "from": NOON + 60, "to": None, "compromised": True}
    ]
    keys = {"kind": "archive", "sha256": "ab" * 32, "head": None, "lifetimes": lifetimes}
    page = report(write_audit(tmp_path / "out", [rows], keys=keys))
    lines = cells(section(page, "keys"), "Keys and their use")
    assert lines[1] == [
        "key-1", "https://as.example", "4", "2025-06-01 12:00:002025-06-13 12:00:00",
        "listed 1; early 1; withdrawn 1; compromised 1", "2025-06-01 12:01:00–",
    ]  # fmt: skip
    assert lines[2][:3] == ["no key id", "https://other.example", "1"]
    assert "1 use had a valid signature by a compromised key" in text(section(page, "summary"))
    marks = [one.get("class") for one in section(page, "keys").iter("rect")]
    assert {"lifetime", "use", "marked", "compromised"} <= set(marks)


def lifetime(issuer: str, key_id: str, start: float, end: float | None, *, compromised: bool = False) -> dict:
    return {"issuer": issuer, "key_id": key_id, "from": start, "to": end, "compromised": compromised}


def test_two_keys_with_one_kid_are_shown_as_one_that_is_compromised_if_either_is(tmp_path):
    stolen = lifetime("https://as.example", "key-1", NOON - 60, NOON, compromised=True)
    lifetimes = [stolen, lifetime("https://as.example", "key-1", NOON, NOON + 60)]
    keys = {"kind": "archive", "sha256": "ab" * 32, "head": None, "lifetimes": lifetimes}
    page = section(report(write_audit(tmp_path / "out", [[row(1)]], keys=keys)), "keys")
    assert cells(page, "Keys and their use")[1][-1] == "2025-06-01 11:59:002025-06-01 12:01:00"
    assert "1 key verified 1 signature; 1 is marked as compromised." in text(page)


def test_a_key_is_counted_once_if_the_issuer_of_some_tokens_is_not_established(tmp_path):
    rows = [
        row(1, "key_compromised", key_id="key-1", key_state="compromised", issuer="https://as.example"),
        row(2, "key_compromised", key_id="key-1", key_state="compromised"),
        row(3, "malformed_claims", key_id="key-9", key_state="listed"),
    ]
    page = report(write_audit(tmp_path / "out", [rows]))
    keys = section(page, "keys")
    assert "2 keys verified 3 signatures; 1 is marked as compromised." in text(keys)
    states = cells(keys, "State of the key at the time of use")[1:]
    assert [(line[0], *line[2:]) for line in states] == [("listed", "1", "1"), ("compromised", "2", "1")]
    assert "2 uses had a valid signature by a compromised key;" in text(section(page, "summary"))


def test_the_lifetimes_of_keys_in_a_file_for_each_issuer(tmp_path):
    files = {
        issuer: {"kind": "archive", "lifetimes": [lifetime(issuer, "key-1", NOON, None)]}
        for issuer in ("https://as.example", "https://other.example")
    } | {"https://plain.example": {"kind": "jwks"}}
    keys = {"kind": "issuers", "sha256": "ab" * 32, "head": None, "issuers": files}
    rows = [row(1), row(2, issuer="https://other.example"), row(3, issuer="https://plain.example")]
    page = report(write_audit(tmp_path / "out", [rows], keys=keys))
    published = [line[-1] for line in cells(section(page, "keys"), "Keys and their use")[1:]]
    assert published == ["2025-06-01 12:00:00–", "2025-06-01 12:00:00–", "–"]
    assert "a file for each issuer" in text(section(page, "digests"))


def test_codes_of_audits_stand_among_the_others(tmp_path):
    codes = ["unknown_key", "keys_not_recorded", "invalid_signature", "key_compromised", "expired"]
    page = report(write_audit(tmp_path / "out", [[row(number, code) for number, code in enumerate(codes)]]))
    assert [
        line[0]
        for line in cells(section(page, "issuers"), "Uses by verdict and issuer, and the share of the issuer's uses")[
            2:-1
        ]
    ] == codes


def test_lateness_and_depth(tmp_path):
    late = [0.5, 5, 5, 59.9, 60, 3600, 40 * DAY, 400 * DAY]
    rows = [row(number, "expired", seconds_past_expiry=float(one)) for number, one in enumerate(late)]
    rows += [row(100, seconds_past_expiry=3.0)]  # within the leeway: valid, and not late
    rows += [row(200 + number, actors=["a"] * number) for number in range(13)]
    page = report(write_audit(tmp_path / "out", [rows]))
    assert {line[0]: int(line[1]) for line in cells(section(page, "lateness"), "Expired uses by lateness")[1:]} == {
        "under 1 second": 1, "1 to 10 seconds": 2, "10 to 60 seconds": 1, "1 to 5 minutes": 1, "5 to 15 minutes": 0,
        "15 to 60 minutes": 0, "1 to 6 hours": 1, "6 to 24 hours": 0, "1 to 7 days": 0, "7 to 30 days": 0,
        "30 to 365 days": 1, "over 365 days": 1,
    }  # fmt: skip
    assert "1 year 35 days after expiry" in text(section(page, "lateness"))
    lines = cells(section(page, "depth"), "Uses by depth of delegation")[1:]
    assert [int(line[1]) for line in lines] == [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 3]
    assert "the longest chain has 12 actors. The chain of 8 further uses is not known." in text(section(page, "depth"))


def test_the_tokens_used_most_are_counted_exactly(tmp_path, monkeypatch):
    # Several temporary files, and tokens whose hashes begin alike.
    monkeypatch.setattr("watchword.audit.report.token_uses.ROWS_A_FILE", 100)
    names = dict(zip("abcdefghijklmnopqrstuvwxyz", range(30, 4, -1), strict=True))
    twins = {"AAAAAAAA" + "b" * 35: 40, "AAAAAAAA" + "c" * 35: 39}
    uses = [hash_of(name) for name, number in names.items() for _ in range(number)]
    uses += [name for name, number in twins.items() for _ in range(number)]
    uses += [hash_of(number) for number in range(500)]
    uses = [uses[(index * 7919) % len(uses)] for index in range(len(uses))]
    rows = [
        row(number, None if number % 10 else "expired", token_hash=name, time=NOON + number)
        for number, name in enumerate(uses)
    ]
    rows += [row(10_000 + number, "missing_token", token_hash=None) for number in range(100)]
    page = report(write_audit(tmp_path / "out", [rows[:700], rows[700:]]))
    tokens = section(page, "tokens")
    lines = cells(tokens, "Tokens used most")[1:]
    expected = Counter(uses).most_common(20)
    assert [(line[0], int(line[1])) for line in lines] == [(name, number) for name, number in expected]
    assert "The 20 tokens with the most uses, of 528." in text(tokens)
    first = [one for one in rows if one["token_hash"] == lines[0][0]]
    valid = sum(one["valid"] for one in first)
    assert lines[0][3] == f"valid {valid}; expired {40 - valid}"


def test_replays_are_listed(tmp_path):
    first = {"file": "log.ndjson", "row": 3, "time": "2025-06-01T12:00:00Z"}
    found = [
        {"proof_hash": hash_of("p"), "first": first, "file": "log.ndjson", "row": 10 + number, "time": NOON + 60.5}
        for number in range(25)
    ]
    page = report(write_audit(tmp_path / "out", [[row(1)]], replays=found))
    lines = cells(section(page, "replays"), "Replayed proofs")
    assert len(lines) == 21
    assert lines[1] == [
        hash_of("p"), "2025-06-01 12:00:00", "log.ndjson, row 3", "2025-06-01 12:01:00", "log.ndjson, row 10",
    ]  # fmt: skip
    assert "25 uses of a proof" in text(section(page, "replays"))


def test_the_first_rows_of_each_code_are_examples(tmp_path):
    rows = [row(number, "expired" if number % 2 else None) for number in range(1, 40)]
    page = report(write_audit(tmp_path / "out", [rows[:4], rows[4:]]))
    lines = cells(section(page, "examples"), "Examples of expired")
    assert [line[0] for line in lines[1:]] == [f"log.ndjson, row {number}" for number in (1, 3, 5, 7, 9)]


def test_unreadable_rows_are_counted_by_file_and_reason(tmp_path):
    found = [{"file": f"log-{number % 2}", "row": number, "reason": "not JSON"} for number in range(9)]
    found += [{"file": "other", "row": 1, "reason": f"reason {number}"} for number in range(60)]
    page = report(write_audit(tmp_path / "out", [[row(1)]], unreadable=found))
    lines = cells(section(page, "unreadable"), "Unreadable rows by file and reason")[1:]
    assert lines[:2] == [["log-0", "not JSON", "5", "0, 2, 4"], ["log-1", "not JSON", "4", "1, 3, 5"]]
    assert len(lines) == 50
    assert "12 rows in further files or with further reasons are not listed." in text(section(page, "unreadable"))


def test_an_input_that_could_not_be_read_is_listed_without_digest(tmp_path):
    inputs = [
        {"path": "log.ndjson", "bytes": 9, "sha256": "ab" * 32, "rows": 1},
        {"path": "gone.ndjson", "bytes": None, "sha256": None, "rows": 0},
    ]
    reason = "the file can't be read: Permission denied"
    unreadable = [{"file": "gone.ndjson", "row": None, "reason": reason}]
    page = report(write_audit(tmp_path / "out", [[row(1)]], unreadable=unreadable, inputs=inputs))
    assert cells(section(page, "digests"), "Inputs: 2 files")[2] == ["gone.ndjson", "–", "0", "–"]
    assert reason in text(section(page, "unreadable"))


def test_digests_and_how_to_check_them(tmp_path):
    directory = write_audit(tmp_path / "out", [[row(1)]], signed=True)
    page = report(directory)
    digests = text(section(page, "digests"))
    for path in (directory / "manifest.jws", directory / "parts" / "part-000000.parquet"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in digests
    assert "its signature was not checked when this page was made. watchword audit verify DIR checks" in digests
    assert "algorithm EdDSA, key id operator-1" in digests
    unsigned = text(section(report(write_audit(tmp_path / "unsigned", [[row(1)]])), "digests"))
    assert "The manifest is not signed" in unsigned
