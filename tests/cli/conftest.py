"""The command line in this process, and files for it to read."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from watchword.cli import main
from watchword.testing import LocalIssuer


class Answer(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def objects(self):
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Answer]


@pytest.fixture(scope="session", name="issuer")
def _issuer() -> LocalIssuer:
    return LocalIssuer(algorithms=("EdDSA", "ES256"))


@pytest.fixture(name="jwks")
def _jwks(issuer: LocalIssuer, tmp_path: Path) -> str:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(issuer.jwks()))
    return str(path)


@pytest.fixture(name="requirements")
def _requirements(jwks: str) -> list[str]:
    """The options for which a good token of the issuer is valid."""
    return ["--jwks", jwks, "--issuer", "https://issuer.test", "--audience", "https://api.test"]


@pytest.fixture(name="run")
def _run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process; ``text`` is its standard input."""

    def run(*arguments: str, text: str | bytes = "") -> Answer:
        data = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        status = main(list(arguments))
        return Answer(status, *capsys.readouterr())

    return run
