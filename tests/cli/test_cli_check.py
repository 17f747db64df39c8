"""``watchword check``: errors and warnings of a gate's configuration, with line and column."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from watchword.testing import LocalIssuer

GATE = """\
public_url = "https://api.test"

[token]
audience = "https://api.test"

[[issuers]]
issuer = "https://issuer.test"
jwks_file = "keys.json"

[[routes]]
path = "/orders/{id}"
methods = ["GET"]
scopes = ["orders:read"]
"""


@pytest.fixture(name="gate")
def _gate(tmp_path: Path, issuer: LocalIssuer, jwks: str) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(GATE)
    return path


def test_a_valid_file(run, gate: Path) -> None:
    answer = run("check", str(gate))
    assert (answer.status, answer.err) == (0, "")
    assert answer.out == f"{gate}: valid: 1 issuer, 1 route.\n"
    assert run("check", "--json", str(gate)) == (0, "", "")


def test_errors_as_compilers_write_them(run, gate: Path) -> None:
    gate.write_text(GATE.replace("methods", "method").replace('"orders:read"', '"orders:{key}"'))
    answer = run("check", str(gate))
    assert (answer.status, answer.err) == (1, "")
    assert answer.out.splitlines() == [
        f'{gate}:12:1: routes[0].method: unknown key; did you mean "methods"?',
        f'{gate}:13:11: routes[0].scopes[0]: "orders:{{key}}" has {{key}}, '
        'but the path "/orders/{id}" has no such variable',
        f"{gate}: invalid: 2 errors.",
    ]


def test_warnings_are_errors_only_if_strict(run, gate: Path) -> None:
    gate.write_text(GATE + '[[routes]]\npath = "/orders/new"\nmethods = ["GET"]\n')
    answer = run("check", str(gate))
    assert answer.status == 0
    assert answer.out.startswith(f"{gate}:14:1: warning: routes[1]: no request reaches this route, because routes[0] ")
    assert answer.out.endswith(f"{gate}: valid: 1 issuer, 2 routes; 1 warning.\n")
    assert run("check", "--strict", str(gate)).status == 1


def test_json_lines(run, gate: Path) -> None:
    gate.write_text(GATE.replace("https://api.test", "http://api.test").replace("[[routes]]", "[routes]"))
    (error,) = run("check", "--json", str(gate)).objects
    assert error == {
        "file": str(gate),
        "severity": "error",
        "line": 10,
        "column": 1,
        "path": "routes",
        "message": "must be a list of tables: write [[routes]]",
    }
    gate.write_text(GATE.replace("https://api.test", "http://api.test"))
    (warning,) = run("check", "--json", str(gate)).objects
    assert (warning["severity"], warning["path"], warning["line"]) == ("warning", "public_url", 1)


def test_files_that_the_configuration_names(run, gate: Path, jwks: str) -> None:
    Path(jwks).unlink()
    answer = run("check", str(gate))
    assert answer.status == 1
    assert answer.out.startswith(f"{gate}:8:13: issuers[0].jwks_file: {jwks!r} can't be read: ")


def test_several_files_and_one_that_cannot_be_read(run, gate: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    answer = run("check", str(gate), str(bad))
    assert answer.status == 1
    assert f"{gate}: valid" in answer.out
    assert f"{bad}: public_url is missing" in answer.out
    missing = run("check", str(tmp_path / "none.toml"))
    assert missing.status == 2
    assert "can't be read" in missing.err
    assert run("check").status == 2


def test_what_is_in_a_file_cannot_control_the_terminal(run, gate: Path) -> None:
    gate.write_text(GATE + '"\\u001b[31mx" = 1\n')
    assert "\x1b" not in run("check", str(gate)).out


def test_the_schema_for_editors(run) -> None:
    answer = run("check", "--schema")
    assert answer.status == 0
    assert json.loads(answer.out)["properties"]["public_url"]
