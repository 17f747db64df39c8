"""The command line as a process: pipes, signals, terminals, and endless standard input."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios

import pytest
from command_process import COMMAND, COMMANDS, start

import watchword as ww
import watchword.cli.input
import watchword.cli.terminal
from watchword.testing import LocalIssuer


def test_the_version(run) -> None:
    answer = run("--version")
    assert (answer.status, answer.out) == (0, f"watchword {ww.__version__}\n")


def test_every_command_has_a_help_of_80_columns(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for verb in ([], *([verb] for verb in COMMANDS)):
        answer = run(*verb, "--help")
        assert answer.status == 0
        assert max(map(len, answer.out.splitlines())) <= 80


def test_no_command_prints_help_and_is_not_a_success(run) -> None:
    answer = run()
    assert (answer.status, answer.out, answer.err) == (2, run("--help").out, "")


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["verfy"], "'verify'"),
        (["thumbprints"], "'thumbprint'"),
        (["verify", "--isuer", "https://as.example", "a.b.c"], "'--issuer'"),
        (["verify", "--any-audiences"], "'--any-audience'"),
        (["inspect", "--jsn=1"], "'--json'"),
        (["--versio=1", "demo"], None),
        (["verify", "--provider", "authgnt"], "'authgent'"),
        (["completion", "fsh"], "'fish'"),
        (["frobnicate"], None),
    ],
)
def test_what_is_mistyped_gets_a_suggestion(run, arguments: list[str], suggestion: str | None) -> None:
    answer = run(*arguments)
    assert answer.status == 2
    if suggestion is None:
        assert "did you mean" not in answer.err
    else:
        assert answer.err.endswith(f"; did you mean {suggestion}?\n")


@pytest.mark.parametrize("arguments", [["frobnicate"], ["verify", "--frobnicate"]])
def test_an_unknown_command_or_option_is_status_2(run, arguments) -> None:
    answer = run(*arguments)
    assert answer.status == 2
    assert "usage:" in answer.err


def test_statuses_of_a_process(issuer: LocalIssuer, requirements) -> None:
    for token, status in ((issuer.mint(), 0), (issuer.mint_bad("expired"), 1)):
        assert (
            subprocess.run([*COMMAND, "verify", *requirements, token], capture_output=True, check=False).returncode
            == status
        )
    done = subprocess.run([*COMMAND, "verify"], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 2


def test_a_line_is_answered_before_the_next_one_comes(issuer: LocalIssuer, requirements) -> None:
    with start("verify", *requirements, "--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for token, valid in ((issuer.mint(), True), (issuer.mint_bad("expired"), False)):
            process.stdin.write(token.encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["valid"] is valid
        process.stdin.close()
        assert process.wait(timeout=30) == 1


def test_a_closed_pipe_is_not_reported(issuer: LocalIssuer, requirements) -> None:
    with start("verify", *requirements) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(issuer.mint().encode() + b"\n")
        process.stdin.flush()
        assert b"verdict" in process.stdout.readline()
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write((issuer.mint().encode() + b"\n") * 2_000)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        assert process.wait(timeout=30) == 128 + signal.SIGPIPE
        assert process.stderr.read() == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full to write to")
def test_a_full_disk_is_a_sentence(issuer: LocalIssuer, requirements) -> None:
    with open("/dev/full", "wb") as full, start("verify", *requirements, issuer.mint(), stdout=full) as process:
        assert process.stderr is not None
        assert process.wait(timeout=30) == 2
        assert process.stderr.read() == b"watchword: the output can't be written: No space left on device.\n"


def test_an_interrupt_is_quiet(issuer: LocalIssuer, requirements) -> None:
    with start("verify", *requirements, "--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(issuer.mint().encode() + b"\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 128 + signal.SIGINT
        assert process.stderr.read() == b""


def test_standard_input_is_not_kept_in_memory(requirements) -> None:
    """60 MB in lines, and 60 MB in one line: Python keeps a small part of it in memory."""
    program = f"""
import sys, tracemalloc
from watchword.cli import main
tracemalloc.start()
status = main({["verify", *requirements, "--json"]!r})
print(status, tracemalloc.get_traced_memory()[1], file=sys.stderr)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        for _ in range(60):
            process.stdin.write((b"a." + b"b" * 1_996 + b".c\n") * 500)
        for _ in range(60):
            process.stdin.write(b"a" * 1_000_000)
        process.stdin.close()
        status, peak = map(int, process.stderr.read().split())
    assert status == 1
    assert peak < 24 * 1024 * 1024


def test_a_line_that_is_too_long_is_one_bad_token(run, issuer: LocalIssuer, requirements) -> None:
    token = issuer.mint()
    text = f"{token}\n{token}{'A' * 3_000_000}\n{token}\n"
    assert [one["code"] for one in run("verify", *requirements, "--json", text=text).objects] == [
        None,
        "too_large",
        None,
    ]


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x00", "é".encode(), b"a\xc2\x85b"])
def test_bytes_that_are_not_text_are_a_malformed_token(run, requirements, data: bytes) -> None:
    for option in ([], ["--json"]):
        answer = run("verify", *requirements, *option, text=data)
        assert answer.status == 1
        assert "malformed" in answer.out


# On a terminal.

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def _on_a_terminal(arguments: list[str], columns: int = 80, **environment: str) -> tuple[int, str]:
    """The exit status, and what a terminal shows."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    with start(
        *arguments, stdin=there, stdout=there, stderr=there, env={**inherited, "TERM": "xterm", **environment}
    ) as process:
        os.close(there)
        seen = b""
        # The other end closes with an error once the process has gone.
        with contextlib.suppress(OSError):
            while data := os.read(here, 65536):
                seen += data
        os.close(here)
        return process.wait(timeout=30), seen.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colour_and_lines_that_fit(issuer: LocalIssuer, requirements) -> None:
    tokens = [
        issuer.mint(sub="s" * 200),
        issuer.mint(sub="語" * 90),
        *(token for _, _, token in issuer.defects() if token),
    ]
    status, seen = _on_a_terminal(["verify", *requirements, *tokens])
    assert status == 1
    assert "\x1b[32mvalid\x1b[0m" in seen
    assert "\x1b[31mrejected\x1b[0m" in seen
    plain = _COLOUR.sub("", seen)
    assert max(len(line) for line in plain.splitlines() if "語" not in line) <= 80
    assert "\x1b" not in plain


def test_columns_are_as_wide_as_the_first_good_token_needs(run, issuer: LocalIssuer, requirements, monkeypatch) -> None:
    bad, good = issuer.mint_bad("expired").encode(), issuer.mint(sub="a-subject-of-some-length").encode()
    # What one read returns is verified at once: here the bad token alone, then the good one.
    monkeypatch.setattr(watchword.cli.input, "_BLOCK", len(bad) + 1)
    monkeypatch.setattr(watchword.cli.terminal, "width", lambda: 120)
    bad_row, heading, good_row, *_ = run("verify", *requirements, text=bad + b"\n" + good + b"\n").out.splitlines()
    assert bad_row.startswith("1  rejected")
    assert heading.startswith("#  verdict")
    assert "a-subject-of-some-length  https://issuer.test" in good_row


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_gets_no_colour_if_it_is_disabled(issuer: LocalIssuer, requirements, environment) -> None:
    status, seen = _on_a_terminal(["verify", *requirements, issuer.mint()], **environment)
    assert status == 0
    assert "\x1b" not in seen


def test_a_terminal_shows_that_standard_input_is_read(requirements) -> None:
    here, there = pty.openpty()
    with start("verify", *requirements, stdin=there) as process:
        os.close(there)
        assert process.stderr is not None
        assert b"one a line; end with Ctrl-D" in process.stderr.readline()
        os.write(here, b"\x04")
        assert process.wait(timeout=30) == 2
    os.close(here)
