"""``watchword completion`` and ``watchword man``: what shells complete, and what ``man`` renders."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_process import COMMANDS

pytest.importorskip("shtab", reason="the extra watchword[shell] is not installed")
pytest.importorskip("argparse_manpage", reason="the extra watchword[shell] is not installed")


def needed(program: str) -> str:
    """The path of a program; the test is skipped if it is not installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "keys.json").touch()
    return tmp_path


#: The words so far, and what completes the last one.
COMPLETIONS = [
    ("watchword ver", {"verify"}),
    ("watchword verify --an", {"--any-audience"}),
    ("watchword verify --provider auth", {"authgent", "authpi"}),
    ("watchword verify --jwks ke", {"keys.json"}),
    ("watchword thumbprint ke", {"keys.json"}),
    ("watchword completion ", {"bash", "zsh", "fish"}),
    ("watchword keys ke", {"keys.json"}),
    ("watchword keys wat", {"watch"}),
    ("watchword keys syn", {"sync"}),
    ("watchword keys sync --conf", {"--config"}),
    ("watchword keys archive comp", {"compromised"}),
    ("watchword keys archive ke", {"keys.json"}),
    ("watchword keys archive add --iss", {"--issuer"}),
]


@pytest.mark.parametrize(("line", "completions"), COMPLETIONS)
def test_bash_completes(run, folder: Path, line: str, completions: set[str]) -> None:
    words = line.split(" ")
    program = f"""
{run("completion", "bash").out}
COMP_WORDS=({" ".join(repr(word) for word in words)})
COMP_CWORD={len(words) - 1}
function=$(complete -p watchword | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
$function watchword {words[-1]!r} {words[-2]!r}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    assert completions <= set(_output([needed("bash"), "--norc", "-c", program], folder).split())


@pytest.mark.parametrize(("line", "completions"), COMPLETIONS)
def test_fish_completes(run, folder: Path, line: str, completions: set[str]) -> None:
    fish = needed("fish")
    (folder / "watchword.fish").write_text(run("completion", "fish").out)
    out = _output([fish, "--no-config", "-c", f"source watchword.fish; complete -C {line!r}"], folder)
    assert completions <= {found.partition("\t")[0] for found in out.splitlines()}


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("watchword verif", "watchword verify"),
        ("watchword verify --any", "watchword verify --any-audience"),
        ("watchword verify --provider authp", "watchword verify --provider authpi"),
        ("watchword thumbprint ke", "watchword thumbprint keys.json"),
        ("watchword keys ke", "watchword keys keys.json"),
        ("watchword keys arch", "watchword keys archive"),
    ],
)
def test_zsh_completes(run, folder: Path, line: str, completed: str) -> None:
    zsh = needed("zsh")
    (folder / "functions").mkdir()
    (folder / "functions" / "_watchword").write_text(run("completion", "zsh").out)
    settings = "fpath=($ZDOTDIR/functions $fpath); autoload -Uz compinit; compinit -u -d $ZDOTDIR/dump; PS1='READY'"
    (folder / ".zshrc").write_text(settings + "\n")
    here, there = pty.openpty()
    environment = {**os.environ, "ZDOTDIR": str(folder), "TERM": "dumb"}
    streams = {"stdin": there, "stdout": there, "stderr": there}
    with subprocess.Popen([zsh, "-i"], cwd=folder, env=environment, start_new_session=True, **streams) as process:
        os.close(there)
        try:
            _read_until(here, "READY")
            os.write(here, f"{line}\t".encode())
            assert completed in _read_until(here, completed)
        finally:
            process.kill()
            os.close(here)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_is_in_the_script(run, shell: str) -> None:
    answer = run("completion", shell)
    assert (answer.status, answer.err) == (0, "")
    assert all(verb in answer.out for verb in COMMANDS)


def test_the_man_page_renders_without_warnings(run, tmp_path: Path) -> None:
    answer = run("man")
    assert (answer.status, answer.err) == (0, "")
    page = tmp_path / "watchword.1"
    page.write_text(answer.out)
    done = subprocess.run(
        [needed("groff"), "-man", "-Tutf8", "-ww", str(page)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    for text in ("watchword verify", "--any-audience", "Exit status: 0 all valid", "examples:"):
        assert text in done.stdout


@pytest.mark.parametrize(("arguments", "missing"), [(["completion", "bash"], "shtab"), (["man"], "argparse-manpage")])
def test_without_the_extra_it_says_what_to_install(run, monkeypatch, arguments: list[str], missing: str) -> None:
    for module in ("shtab", "argparse_manpage", "argparse_manpage.manpage"):
        monkeypatch.setitem(sys.modules, module, None)
    answer = run(*arguments)
    assert answer.status == 2
    assert f"{missing} is not installed. Install it with: pip install 'watchword[shell]'." in answer.err


def _output(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    return done.stdout


def _read_until(terminal: int, text: str) -> str:
    seen = ""
    deadline = time.monotonic() + 60
    while text not in seen and time.monotonic() < deadline:
        seen += os.read(terminal, 4096).decode(errors="replace")
    return seen
