"""``watchword audit``: options, exit statuses, what is printed, interrupts, a full disk, and checks of its output."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import termios
from pathlib import Path

import command_process
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from watchword.holder import KeyPair
from watchword.jwks.archive import ArchiveWriter
from watchword.testing import LocalIssuer

ISSUED = 1_750_000_000


@pytest.fixture(name="log_issuer", scope="module")
def _log_issuer() -> LocalIssuer:
    return LocalIssuer(clock=lambda: ISSUED)


@pytest.fixture(name="log")
def _log(log_issuer: LocalIssuer, tmp_path: Path) -> Path:
    """Forty uses of tokens: every tenth after the token expired."""
    return _parquet(tmp_path / "log.parquet", [log_issuer.mint(jti=str(n)) for n in range(40)])


def _parquet(path: Path, tokens: list[str], late: int = 10) -> Path:
    times = [ISSUED + (1_000 if number % late == 1 else 10) for number in range(len(tokens))]
    pq.write_table(pa.table({"token": tokens, "used_at": times}), path)
    return path


@pytest.fixture(name="keys")
def _keys(log_issuer: LocalIssuer, tmp_path: Path) -> Path:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(log_issuer.jwks()))
    return path


@pytest.fixture(name="options")
def _options(keys: Path, tmp_path: Path) -> list[str]:
    return [
        *("--keys", str(keys), "--issuer", "https://issuer.test", "--audience", "https://api.test"),
        *("--token-field", "token", "--time-field", "used_at", "--output", str(tmp_path / "out")),
    ]


def _lines(log_issuer: LocalIssuer, path: Path, count: int = 5) -> Path:
    records = [{"token": log_issuer.mint(jti=str(number)), "used_at": ISSUED + 10} for number in range(count)]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_counts_are_printed_and_the_status_says_that_some_are_invalid(run, log: Path, options, tmp_path: Path) -> None:
    answer = run("audit", str(log), *options)
    assert answer.status == 1
    assert "40  rows of 1 file" in answer.out
    assert "36  valid (90.00 %)" in answer.out
    assert "4  expired" in answer.out
    assert "40  given: " in answer.out
    assert str(tmp_path / "out/manifest.json") in answer.out
    assert answer.err == ""


def test_the_same_command_again_changes_nothing(run, log: Path, options, tmp_path: Path) -> None:
    first = run("audit", str(log), *options)
    manifest = (tmp_path / "out/manifest.json").read_bytes()
    assert run("audit", str(log), *options) == first
    assert (tmp_path / "out/manifest.json").read_bytes() == manifest


def test_all_valid_is_0(run, log_issuer: LocalIssuer, options, tmp_path: Path) -> None:
    path = _parquet(tmp_path / "good.parquet", [log_issuer.mint() for _ in range(5)], late=100)
    pq.write_table(pq.read_table(path).slice(2), path)
    assert run("audit", str(path), *options).status == 0


def test_unreadable_wins(run, log: Path, options, tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    answer = run("audit", str(log), str(tmp_path / "bad.parquet"), *options)
    assert answer.status == 3
    assert "1  place could not be read; see parts/*.unreadable.ndjson" in answer.out


def test_text_formats_and_standard_input(run, log_issuer: LocalIssuer, options, tmp_path: Path) -> None:
    path = _lines(log_issuer, tmp_path / "log.ndjson")
    assert run("audit", str(path), *options).status == 0
    options[-1] = str(tmp_path / "other")
    answer = run("audit", "-", "--format", "ndjson", *options, text=path.read_bytes())
    assert answer.status == 0
    assert "Standard input can be read once" in answer.err
    manifest = json.loads((tmp_path / "other/manifest.json").read_text())
    assert manifest["inputs"][0]["path"] == "-"
    assert manifest["inputs"][0]["bytes"] == path.stat().st_size
    again = run("audit", "-", "--format", "ndjson", *options, text=path.read_bytes())
    assert again.status == 2
    assert "an audit of standard input can't be resumed: give a new directory" in again.err


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (gzip.compress(b"not JSON\n") + b"followed by other data" * 100_000, "ndjson"),
        (b"other,columns\n" + b"1,2\n" * 100_000, "csv"),
    ],
    ids=["damaged", "without the column"],
)
def test_standard_input_is_read_to_its_end_whatever_it_has(run, options, tmp_path: Path, data: bytes, form) -> None:
    """Its digest, for which the audit waits, is that of all bytes."""
    assert run("audit", "-", "--format", form, *options, text=data).status == 3
    (read,) = json.loads((tmp_path / "out/manifest.json").read_text())["inputs"]
    assert (read["bytes"], read["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_lines_have_the_time_of_an_option(run, log_issuer: LocalIssuer, keys: Path, tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text(f"{log_issuer.mint()}\n\n{log_issuer.mint()}\n")
    options = [
        "--keys",
        str(keys),
        "--issuer",
        "https://issuer.test",
        "--any-audience",
        "--output",
        str(tmp_path / "out"),
    ]
    assert run("audit", str(path), *options, "--at", "2025-06-15T15:07:00Z", "--format", "lines").status == 0
    refused = run("audit", str(path), *options, "--time-field", "at", "--format", "lines")
    assert refused.status == 2
    assert "lines of tokens have no times. Give --at TIME" in refused.err


def test_an_archive_has_the_keys_of_that_time(run, log: Path, log_issuer, options, tmp_path: Path) -> None:
    path = tmp_path / "keys.ndjson"
    with ArchiveWriter(path) as archive:
        for at in (ISSUED - 1000, ISSUED + 5000):
            archive.record_key_set("https://issuer.test", log_issuer.jwks(), time=at, source="test")
    options[1] = str(path)
    answer = run("audit", str(log), *options)
    assert "40  listed: published before and after" in answer.out
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["keys"]["kind"] == "archive"
    assert manifest["keys"]["head"]["seq"] == 1
    assert manifest["keys"]["lifetimes"][0]["issuer"] == "https://issuer.test"


def test_how_long_keys_hold_is_an_option_and_recorded(run, log: Path, log_issuer, options, tmp_path: Path) -> None:
    path = tmp_path / "keys.ndjson"
    with ArchiveWriter(path) as archive:
        archive.record_key_set("https://issuer.test", log_issuer.jwks(), time=ISSUED + 1000, source="test")
    options[1] = str(path)
    assert "36  keys not recorded" in run("audit", str(log), *options).out
    output = tmp_path / "led"
    options[options.index("--output") + 1] = str(output)
    run("audit", str(log), *options, "--lead", "2000", "--max-gap", "60")
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["keys"]["rules"] == {"lead": 2000, "tolerance": 7200, "max_gap": 60}
    assert manifest["counts"]["key_states"] == {"early": 36, "uncertain": 4}
    # A sample is verified by the same rules, without options.
    assert run("audit", "verify", str(output), "--sample", "5", "--keys", str(path)).status == 0


def test_keys_by_issuer(run, log: Path, options, tmp_path: Path) -> None:
    options[1] = f"https://issuer.test={options[1]}"
    assert "36  valid" in run("audit", str(log), *options).out
    options[-1] = str(tmp_path / "other")
    options[1] = f"https://other.test={tmp_path / 'jwks.json'}"
    assert "0  valid" in run("audit", str(log), *options).out


def test_one_key_set_is_not_that_of_several_issuers_of_a_policy_file(run, keys: Path, tmp_path: Path) -> None:
    """Nor if they are accepted one after the other: an issuer could sign in the name of another."""
    path = _lines(LocalIssuer("https://other.test", clock=lambda: ISSUED), tmp_path / "log.ndjson")
    policies = tmp_path / "policies.toml"
    options = ["--policy", str(policies), "--token-field", "token", "--time-field", "used_at"]
    options += ["--output", str(tmp_path / "out")]
    for issuers in (
        '[[policy]]\nissuer = ["https://issuer.test", "https://other.test"]\nany_audience = true\n',
        '[[policy]]\nissuer = "https://issuer.test"\nany_audience = true\nto = 2025-06-15T15:10:00Z\n'
        '[[policy]]\nissuer = "https://other.test"\nany_audience = true\n',
    ):
        policies.write_text(issuers)
        refused = run("audit", str(path), *options, "--keys", str(keys))
        assert refused.status == 2
        assert "is one key set, and there are several issuers: give each its own, --keys ISSUER=FILE" in refused.err
    assert "0  valid" in run("audit", str(path), *options, "--keys", f"https://issuer.test={keys}").out


def test_policies_of_a_file(run, log: Path, keys: Path, tmp_path: Path) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text(
        '[[policy]]\nissuer = "https://issuer.test"\naudience = "https://api.test"\nto = 2025-06-15T15:10:00Z\n'
        '[[policy]]\nissuer = "https://issuer.test"\naudience = "https://later.test"\n'
    )
    options = ["--keys", str(keys), "--policy", str(policies), "--token-field", "token", "--time-field", "used_at"]
    answer = run("audit", str(log), *options, "--output", str(tmp_path / "out"))
    assert answer.status == 1
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert [(one["from"], one["to"]) for one in manifest["policy"]["intervals"]] == [
        (None, "2025-06-15T15:10:00Z"),
        ("2025-06-15T15:10:00Z", None),
    ]
    sample = ["--sample", "10", "--keys", str(keys)]
    assert run("audit", "verify", str(tmp_path / "out"), *sample, "--policy", str(policies)).status == 0
    refused = run("audit", "verify", str(tmp_path / "out"), *sample)
    assert refused.status == 2
    assert "--policy FILE" in refused.err
    contradiction = run("audit", str(log), *options, "--issuer", "x", "--output", str(tmp_path / "new"))
    assert "omit the other requirements" in contradiction.err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--keys": None}, "Give --keys"),
        ({"--issuer": None}, "no issuer is given"),
        ({"--audience": None}, "no audience is given"),
        ({"--token-field": None}, "--token-field is missing"),
        ({"--output": None}, "--output is missing"),
        ({"--time-field": None}, "give --time-field NAME, or --at TIME"),
        ({"--at": "yesterday"}, "once"),
        ({"--workers": "0"}, "--workers must be at least 1"),
        ({"--proof-field": "proof"}, "belong together"),
        ({"--keys": "missing.json"}, "can't be read"),
        ({"--signing-key": "missing.pem"}, "--signing-key: No such file"),
        ({"--policy": "missing.toml"}, "omit the other requirements"),
        ({"--algorithm": "none"}, "none"),
    ],
)
def test_usage_errors_say_what_to_do(run, log: Path, options, changes, words) -> None:
    given = dict(zip(options[::2], options[1::2], strict=True)) | changes
    answer = run("audit", str(log), *(text for pair in given.items() if pair[1] is not None for text in pair))
    assert answer.status == 2
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_one_key_set_is_not_shared_by_issuers(run, log: Path, options) -> None:
    answer = run("audit", str(log), *options, "--issuer", "https://other.test")
    assert answer.status == 2
    assert "--keys ISSUER=FILE" in answer.err


def test_no_input_and_no_such_input(run, options) -> None:
    assert "there is no input" in run("audit", *options).err
    assert "does not exist" in run("audit", "missing.parquet", *options).err


def test_a_missing_package_is_named_with_the_extra(run, log: Path, options, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    answer = run("audit", str(log), *options)
    assert answer.status == 2
    assert "the package zstandard is not installed; run: pip install 'watchword[audit]'" in answer.err


# The signature, and the check


def test_a_signed_audit_is_verified(run, log: Path, options, tmp_path: Path) -> None:
    signer = KeyPair.generate("EdDSA")
    signer.write(tmp_path / "key.pem")
    (tmp_path / "public.pem").write_text(signer.public_pem)
    assert run("audit", str(log), *options, "--signing-key", str(tmp_path / "key.pem")).status == 1
    check = ["audit", "verify", str(tmp_path / "out"), "--public-key", str(tmp_path / "public.pem")]
    answer = run(*check, "--sample", "20", "--keys", options[1])
    assert answer.status == 0
    assert "40 rows, 36 valid" in answer.out
    assert "Everything was checked." in answer.out
    assert "--seed" in answer.err
    assert "Not checked: the verdicts themselves (no --sample)." in run(*check).out
    assert "who signed the manifest" in run(*check[:3]).out
    (tmp_path / "other.pem").write_text(KeyPair.generate("EdDSA").public_pem)
    refused = run(*check[:-1], str(tmp_path / "other.pem"))
    assert refused.status == 1
    assert "The signature of the manifest is invalid" in refused.out


def test_a_changed_output_is_1(run, log: Path, options, tmp_path: Path) -> None:
    run("audit", str(log), *options)
    assert run("audit", "verify", str(tmp_path / "out")).status == 0
    part = tmp_path / "out/parts/part-000000.parquet"
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    answer = run("audit", "verify", str(tmp_path / "out"))
    assert answer.status == 1
    assert "was changed" in answer.out


def test_inputs_may_have_moved(run, log: Path, options, tmp_path: Path) -> None:
    run("audit", str(log), *options)
    (tmp_path / "archive").mkdir()
    log.rename(tmp_path / "archive/log.parquet")
    check = ["audit", "verify", str(tmp_path / "out")]
    assert "1 of the inputs, which are not there" in run(*check).out
    sampled = run(*check, "--sample", "5", "--keys", options[1])
    assert sampled.status == 2
    assert "Give --inputs DIR" in sampled.err
    found = run(*check, "--inputs", str(tmp_path / "archive"), "--sample", "5", "--keys", options[1])
    assert found.status == 0
    (tmp_path / "archive/log.parquet").write_bytes(b"other")
    assert run(*check, "--inputs", str(tmp_path / "archive")).status == 1


def test_what_was_read_from_standard_input_is_checked_if_it_was_kept(run, log_issuer, options, tmp_path, monkeypatch):
    data = _lines(log_issuer, tmp_path / "log.ndjson").read_bytes()
    run("audit", "-", "--format", "ndjson", *options, text=data)
    check = ["audit", "verify", str(tmp_path / "out"), "--sample", "5", "--keys", options[1]]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(b"something else")
    refused = run(*check)
    assert refused.status == 2
    assert "'-' is not there. Give --inputs DIR" in refused.err
    (tmp_path / "-").write_bytes(data)
    assert run(*check, "--inputs", str(tmp_path)).status == 0


def test_other_keys_are_not_those_of_the_audit(run, log: Path, options, tmp_path: Path) -> None:
    run("audit", str(log), *options)
    (tmp_path / "other.json").write_text(json.dumps(LocalIssuer().jwks()))
    answer = run("audit", "verify", str(tmp_path / "out"), "--sample", "5", "--keys", str(tmp_path / "other.json"))
    assert answer.status == 1
    assert "The keys are not those of the audit" in answer.out


def test_a_directory_without_an_audit_is_a_usage_error(run, tmp_path: Path) -> None:
    answer = run("audit", "verify", str(tmp_path))
    assert answer.status == 2
    assert "has no manifest" in answer.err


# The process


def _start(log: Path | str, options: list[str], **keywords) -> subprocess.Popen[bytes]:
    return command_process.start("audit", str(log), *options, **keywords)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_what_can_be_gone_on_with(log_issuer, options, tmp_path: Path, number, status) -> None:
    """Standard input that nobody ends: the audit waits for it until it is interrupted."""
    path = _lines(log_issuer, tmp_path / "log.ndjson", 3)
    process = _start("-", [*options, "--format", "ndjson"])
    assert process.stdin is not None
    assert process.stderr is not None
    # It says so before it reads.
    assert b"Standard input" in process.stderr.readline()
    process.stdin.write(path.read_bytes())
    process.stdin.flush()
    while not (tmp_path / "out/journal.ndjson").exists():
        assert process.poll() is None
    process.send_signal(number)
    assert process.wait(60) == status
    assert b"Traceback" not in process.stderr.read()
    assert not list((tmp_path / "out").rglob("*.tmp"))
    process.stdin.close()
    process.stderr.close()
    process.stdout.close()


def test_a_full_disk_is_said_in_words_and_gone_on_with(log_issuer, options, tmp_path: Path) -> None:
    log = _parquet(tmp_path / "log.parquet", [log_issuer.mint(jti=str(n)) for n in range(400)])

    def limit() -> None:
        # As a disk with so much room for each file.
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = _start(log, options, preexec_fn=limit)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"can't be written: File too large. Run the same command again to resume" in errors
    assert not list((tmp_path / "out").rglob("*.tmp"))
    process = _start(log, options)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"400  rows" in out


def test_the_report_is_written_if_nobody_reads_the_counts(log: Path, options, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = _start(log, [*options, "--report", str(tmp_path / "report.html")], stdout=writer)
    os.close(writer)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 141
    assert errors == b""
    assert (tmp_path / "report.html").exists()


def test_without_standard_output_the_status_is_that_of_the_audit(log_issuer, options, tmp_path: Path) -> None:
    path = _lines(log_issuer, tmp_path / "log.ndjson")
    process = _start(str(path), options, preexec_fn=lambda: os.close(1))
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")


def test_an_output_that_is_a_file_is_a_usage_error(run, log: Path, options, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    answer = run("audit", str(log), *options)
    assert answer.status == 2
    assert "is not a directory: give a new one." in answer.err


def test_progress_is_shown_on_a_terminal_only(log: Path, options) -> None:
    leader, follower = os.openpty()
    termios.tcsetwinsize(follower, (24, 120))
    process = _start(log, options, stderr=follower)
    os.close(follower)
    shown = b""
    try:
        while chunk := os.read(leader, 4096):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    os.close(leader)
    out, _ = process.communicate(timeout=60)
    assert b"40 rows, 4 invalid" in shown
    assert b"100%" in shown
    assert b"%|" not in out


def test_the_examples_of_the_documentation_run(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/audit.md").read_text()
    first, second = re.findall(r"^```sh\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "watchword").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m watchword.cli "$@"\n')
    (tmp_path / "watchword").chmod(0o755)
    folders = [str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {**os.environ, "PATH": os.pathsep.join(folders), "PYTHONPATH": os.pathsep.join(sys.path)}
    keywords = {"shell": True, "cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    audited = subprocess.run(first, check=False, **keywords)
    assert audited.returncode == 1, audited.stderr
    for line in (
        "2,000  rows of 1 file",
        "30  expired",
        "20  keys not recorded",
        "2  compromised: known to be in other hands by then",
    ):
        assert line in page
        assert line in audited.stdout
    shares = re.findall(r"[\d,]+  (?:valid|invalid) \(.*%\)|[\d,]+  listed", page)
    assert len(shares) == 3
    assert all(share in audited.stdout for share in shares)
    assert (tmp_path / "audit-2025.html").exists()
    checked = subprocess.run(second, check=False, **keywords)
    assert checked.returncode == 0, checked.stderr
