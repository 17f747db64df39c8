"""libwatchword from a program in C, which is compiled here, as it is and under valgrind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from watchword.testing import LocalIssuer

ROOT = Path(__file__).parents[2]
CRATE = ROOT / "rust" / "capi"
#: Where ``cargo build --release -p watchword-capi`` puts the library.
LIBRARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
ORIGIN = "https://api.example"


def _missing(reason: str) -> None:
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture(name="program", scope="module")
def _program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (LIBRARIES / "libwatchword.so").exists():
        _missing("there is no libwatchword.so: cargo build --release -p watchword-capi")
    compiler = shutil.which("cc")
    if compiler is None:
        _missing("there is no C compiler")
    program = tmp_path_factory.mktemp("program") / "program"
    source = CRATE / "tests" / "c" / "program.c"
    strict = ["-std=c11", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{CRATE / 'include'}"]
    linked = [f"-L{LIBRARIES}", "-lwatchword", f"-Wl,-rpath,{LIBRARIES}"]
    subprocess.run([str(compiler), *strict, "-g", str(source), "-o", str(program), *linked], check=True)
    return program


@pytest.fixture(name="issuer", scope="module")
def _issuer() -> LocalIssuer:
    return LocalIssuer("https://as.example", audience=ORIGIN)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, issuer: LocalIssuer) -> Path:
    config = {
        "public_url": ORIGIN,
        "token": {"audience": ORIGIN},
        "issuers": [{"issuer": issuer.issuer, "jwks": issuer.jwks()}],
        "routes": [{"path": "/orders/{id}", "scopes": ["orders:read"], "name": "order"}],
    }
    (tmp_path / "gate.json").write_text(json.dumps(config))
    return tmp_path


def _run(
    program: Path, folder: Path, token: str, proof: str | None = None, *, under: tuple[str, ...] = ()
) -> list[str]:
    (folder / "token").write_text(token)
    (folder / "proof").write_text(proof or "")
    arguments = [str(folder / "gate.json"), str(folder / "token"), str(folder / "proof") if proof else "-"]
    finished = subprocess.run([*under, str(program), *arguments], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()


def test_a_token(program: Path, folder: Path, issuer: LocalIssuer) -> None:
    lines = _run(program, folder, issuer.mint(sub="alice", scope="orders:read"))
    assert lines[:3] == ["1 200 allowed", "removed 1", "X-Auth-Sub: alice"]
    assert "X-Auth-Route: order" in lines
    # An unknown value is empty, and set.
    assert "X-Auth-Jkt: " in lines


def test_a_rejected_token(program: Path, folder: Path, issuer: LocalIssuer) -> None:
    lines = _run(program, folder, issuer.mint(sub="alice", scope="orders:list"))
    assert lines[0] == "2 403 insufficient_scope"
    assert any(line.startswith('WWW-Authenticate: Bearer error="insufficient_scope"') for line in lines)
    assert json.loads(lines[lines.index("Cache-Control: no-store") + 2])["code"] == "insufficient_scope"


def test_a_proof_is_confirmed_by_the_caller(program: Path, folder: Path, issuer: LocalIssuer) -> None:
    prover = issuer.prover()
    token = issuer.mint(sub="alice", scope="orders:read", cnf={"jkt": prover.jkt})
    lines = _run(program, folder, token, prover.proof("GET", f"{ORIGIN}/orders/1", token))
    verdicts = [line for line in lines if line[:2] in ("1 ", "2 ")]
    assert verdicts == ["1 200 allowed", "2 401 dpop_replayed", "2 429 dpop_too_many_proofs"]
    assert f"X-Auth-Jkt: {prover.jkt}" in lines


@pytest.mark.parametrize("proven", [False, True])
def test_memory_by_valgrind(program: Path, folder: Path, issuer: LocalIssuer, proven: bool) -> None:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        _missing("there is no valgrind (apt-get install valgrind)")
    prover = issuer.prover()
    claims = {"cnf": {"jkt": prover.jkt}} if proven else {}
    token = issuer.mint(sub="alice", scope="orders:read", **claims)
    proof = prover.proof("GET", f"{ORIGIN}/orders/1", token) if proven else None
    # What is reachable at the end are the library's own tables; the thread that reads files may still be ending.
    checks = (
        "--leak-check=full",
        "--show-leak-kinds=definite",
        "--errors-for-leak-kinds=definite",
        "--error-exitcode=9",
        "--child-silent-after-fork=yes",
    )
    lines = _run(program, folder, token, proof, under=(str(valgrind), "-q", *checks))
    assert lines[0] == "1 200 allowed"
