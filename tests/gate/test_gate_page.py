"""docs/gate.md: its program runs, its headers are those of the gate, and its rules hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import watchword as ww
from watchword.testing import LocalIssuer

PAGE = (Path(__file__).parents[2] / "docs" / "gate.md").read_text(encoding="utf-8")


def test_the_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    issuer = LocalIssuer("https://as.example", audience="https://api.example")
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    program = program.replace('ww.Issuer("https://as.example")', "issuer.as_issuer()")
    for token, seen in [(issuer.mint(scope="orders:read", sub="alice"), "alice"), (issuer.mint(), "403")]:
        exec(program.replace("eyJ…", token), {"issuer": issuer})
        assert seen in capsys.readouterr().out


def test_the_table_has_the_identity_headers() -> None:
    issuer = LocalIssuer()
    from watchword.gate import Gate, Route

    gate = Gate(issuer.verifier(), [Route("/x")], public_url="https://api.example")
    headers = [("Authorization", f"Bearer {issuer.mint()}")]
    names = [name for name, _ in gate.check(method="GET", target="/x", headers=headers).identity_headers]
    assert sorted(re.findall(r"`(X-Auth-[\w-]+)`", PAGE)) == sorted(names)


def test_the_codes_exist() -> None:
    codes = {code.value for code in ww.ErrorCode}
    named = set(re.findall(r"`([a-z_]+)`, [45]\d\d", PAGE))
    assert named
    assert named <= codes
