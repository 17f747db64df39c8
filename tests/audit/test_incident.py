"""The example of examples/incident: the commands of its README print what it says, and find the forged uses."""

from __future__ import annotations

import datetime
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import watchword as ww

EXAMPLE = Path(__file__).parents[2] / "examples" / "incident"

#: What stands for the two programs of the README.
PROGRAMS = {
    "python incident.py": [sys.executable, str(EXAMPLE / "incident.py")],
    "watchword": [sys.executable, "-m", "watchword.cli"],
}


def commands() -> list[tuple[str, str]]:
    """Each command of the README after a ``$``, with the output that follows it."""
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    lines = re.sub(r" \\\n +", " ", text).splitlines()
    blocks = "\n".join(line.removeprefix("    ") if line.startswith("    ") or not line else "\f" for line in lines)
    found = re.findall(r"^\$ (.*)\n([^\f]*)", blocks, re.MULTILINE)
    return [(command, output.strip("\n")) for command, output in found]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (program,) = (name for name in PROGRAMS if command.startswith(f"{name} "))
    return subprocess.run(
        [*PROGRAMS[program], *shlex.split(command.removeprefix(program))],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error", "NO_COLOR": "", "PYTHONUTF8": "1", "COLUMNS": "200"},
    )


@pytest.fixture(name="incident", scope="module")
def _incident() -> ModuleType:
    spec = importlib.util.spec_from_file_location("incident", EXAMPLE / "incident.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up.
    sys.modules["incident"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all commands of the README were run, each with the output that the README shows."""
    folder = tmp_path_factory.mktemp("incident")
    statuses = []
    for command, output in commands():
        done = run(command, folder)
        statuses.append(done.returncode)
        expected = ".*".join(re.escape(text) for text in output.split("…"))
        assert re.fullmatch(expected, done.stdout.strip("\n")), f"{command}\n{done.stdout}{done.stderr}"
    assert statuses == [0, 0, 0, 1, 0]
    return folder


def test_found_are_the_forged_uses_and_no_others(folder: Path, incident: ModuleType) -> None:
    _, uses, _ = incident.make_year()
    forged = {row for row, use in enumerate(uses, 1) if use.forged}
    printed = run("python incident.py forged after incident/issued.txt", folder).stdout
    rows = [int(row) for line in re.findall(r"^  rows (.*)$", printed, re.MULTILINE) for row in line.split(", ")]
    assert len(rows) == len(forged) > 20
    assert set(rows) == forged


def test_forged_tokens_are_dated_back_and_outlive_the_key(incident: ModuleType) -> None:
    keys, uses, issued = incident.make_year()
    stolen = ww.KeySet.from_json({"keys": [keys[6].jwk()]})
    policy = ww.Policy(issuer=incident.ISSUER, audience=incident.AUDIENCE)
    forged = [(use.time, ww.verify(use.token, stolen, policy, now=use.time)) for use in uses if use.forged]
    assert all(token.issued_at < incident.STOLEN for _, token in forged)
    assert not {token.token_id for _, token in forged} & set(issued)
    assert {token.subject for _, token in forged} <= set(incident.AGENTS)
    assert sum(1 for time, _ in forged if time >= incident.NOTICED) > 3
    # The key signs the issuer's own tokens, too: the archive alone cannot tell them apart.
    own = [use for use in uses if not use.forged and incident.STOLEN <= use.time < incident.NOTICED]
    assert ww.verify_many([use.token for use in own], stolen, policy, now=[use.time for use in own]).valid_count > 10


def test_the_report_shows_the_compromise(folder: Path, incident: ModuleType) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "key_compromised" in page
    examples = page[page.index("Examples of key_compromised") :]
    forged = [row for row, use in enumerate(incident.make_year()[1], 1) if use.forged]
    # Of the five examples, the first is one of the issuer's own tokens.
    assert all(f"row {row:,}<" in examples for row in forged[:4])


def test_another_make_leaves_a_directory_as_it_is(folder: Path) -> None:
    before = (folder / "incident" / "keys.ndjson").read_bytes()
    done = run("python incident.py make incident", folder)
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert (folder / "incident" / "keys.ndjson").read_bytes() == before


def test_what_a_thief_chose_is_found_and_printed_safely(
    incident: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "parts").mkdir()
    at = datetime.datetime(2025, 7, 20, tzinfo=datetime.UTC)
    columns = {
        "row": [1, 2, 3, 4],
        "time": [at] * 4,
        "code": ["key_compromised"] * 3 + ["expired"],
        "subject": [None, "a\x1b[2J", "agent-01", "agent-01"],
        "token_id": [None, "b", "issued", "c"],
    }
    pq.write_table(pa.table(columns), tmp_path / "parts" / "part-000000.parquet")
    (tmp_path / "issued.txt").write_text("issued\n")
    incident.forged(str(tmp_path), str(tmp_path / "issued.txt"))
    printed = capsys.readouterr().out
    assert re.findall(r"rows (.*)", printed) == ["2", "1"]
    assert "\x1b" not in printed
