"""``watchword demo``: its output, and that it fails if a verdict is wrong."""

from __future__ import annotations

import os
import re
import subprocess
from urllib.parse import urlsplit

import pytest
from command_process import COMMAND

from watchword.testing import Defect, LocalIssuer


def test_all_verdicts_are_as_expected(run) -> None:
    answer = run("demo")
    assert answer.status == 0
    assert answer.err == ""
    assert answer.out.rstrip().endswith("All verdicts are as expected.")
    assert "WRONG" not in answer.out
    for what, verdict in (
        ("signed with EdDSA", "valid"),
        ("alg none", "algorithm not allowed"),
        ("the issuer rotates to a new key, eddsa-2", "valid"),
        ("the issuer's endpoint is down", "valid"),
        ("the old key is withdrawn", "unknown key"),
    ):
        assert re.search(rf"^  {re.escape(what)} +{verdict}$", answer.out, re.MULTILINE), what


def test_it_fits_80_columns_and_is_plain_text_in_a_pipe(run) -> None:
    out = run("demo").out
    assert max(map(len, out.splitlines())) <= 80
    assert out.isascii()
    assert "\x1b" not in out


def test_fetches_are_few_and_counted(run) -> None:
    out = run("demo").out
    found = re.search(r"([\d,]+) verdicts on 1 discovery and (\d) fetches", out)
    assert found is not None
    assert int(found[1].replace(",", "")) > 1_000
    assert "1,000 unknown kids cause one fetch " in out


def test_all_defects_are_tried(run) -> None:
    out = run("demo").out
    (more,) = re.findall(r"and (\d+) more kinds of bad token", out)
    listed = out.partition("Hostile tokens")[2].partition("\n  and ")[0].strip().splitlines()[1:]
    assert len(listed) + int(more) == len(Defect)


def test_it_fails_when_a_bad_token_is_accepted(run, monkeypatch: pytest.MonkeyPatch) -> None:
    original = LocalIssuer.mint_bad

    def mint_bad(self: LocalIssuer, defect: Defect, *, algorithm: str | None = None) -> str:
        return self.mint() if defect in ("alg none", "crit empty") else original(self, defect, algorithm=algorithm)

    monkeypatch.setattr(LocalIssuer, "mint_bad", mint_bad)
    answer = run("demo")
    assert answer.status == 1
    assert "valid  WRONG: expected algorithm not allowed" in answer.out
    assert "2 of them are WRONG" in answer.out
    assert "All verdicts" not in answer.out


def test_it_connects_to_loopback_only() -> None:
    done = subprocess.run(
        [*COMMAND, "demo"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        # A proxy that does not exist: no request may use it.
        env={**os.environ, **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:1")},
    )
    urls = re.findall(r"https?://[^\s)]+", done.stdout)
    assert {urlsplit(url).hostname for url in urls} == {"127.0.0.1", "api.test"}
