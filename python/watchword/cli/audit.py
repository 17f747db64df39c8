"""``watchword audit``: every token of a log, as of the time it was used."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword import ANY_AUDIENCE
from watchword.audit.errors import AuditError
from watchword.audit.inputs import FORMATS, find_inputs
from watchword.cli import audit_verify
from watchword.cli.audit_progress import progress_bar
from watchword.cli.command_error import CommandError
from watchword.cli.requirement_options import add_requirement_options, types_in
from watchword.cli.subcommands import CommandParser
from watchword.cli.terminal import escaped
from watchword.cli.times import parse_time

if TYPE_CHECKING:
    from watchword.audit.pipeline import AuditJob
    from watchword.holder import Signer
    from watchword.jwks.archive import KeyRules

_DESCRIPTION = """\
Verifies every token of a log as of the time it was used, with the keys and the
policy of that time. Writes a verdict for each row to a directory, and at the
end a manifest with digests of all that was read and written.

Inputs are Parquet, NDJSON, CSV, or lines of tokens, plain or compressed by gzip
or zstd: files, patterns, directories, or - for standard input. The keys are an
archive (see `watchword keys watch`), or a key set if they never changed.

An audit that was interrupted is resumed if the same command is run again.

Exit status: 0 all valid, 1 some not, 2 a usage error, or the output can't be
written, 3 some rows or files are unreadable (and the others were audited)."""

_USAGE = """%(prog)s INPUT... --keys FILE --issuer URL --audience URL
                       --token-field NAME --time-field NAME --output DIR
       %(prog)s {verify,report} ..."""

_EXAMPLES = """\
examples:
  watchword audit requests.parquet --keys keys.ndjson \\
      --issuer https://as.example --audience https://api.example \\
      --token-field token --time-field used_at --output audit-2026
  watchword audit verify audit-2026 --public-key auditor.pub.pem
  watchword audit report audit-2026 report.html"""

_TERMINATED = 128 + 15

# The fields of KeyRules.
_RULES = {
    "lead": "how long before it was first seen a key is accepted (default: 0)",
    "tolerance": "how long after it was first absent a key is still accepted (default: 7200)",
    "max-gap": "how far apart two polls may be, and how long the last one counts (default: 86400)",
}

#: What is kept of tokens that occur again, in bytes. An audit of text takes less memory in all.
_CACHE_BYTES = 64 << 20
_CACHE_BYTES_FOR_TEXT = 8 << 20


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "audit",
        help="verify the tokens of a log as of the times they were used",
        description=_DESCRIPTION,
        usage=_USAGE,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", nargs="*", metavar="INPUT", help="a file, a pattern, a directory, or -")
    _add_what_is_read(parser)
    add_requirements(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--output", metavar="DIR", help="a new directory, or that of the run to resume")
    output.add_argument("--output-format", choices=("parquet", "ndjson"), default="parquet", help="(default: parquet)")
    output.add_argument(
        "--signing-key", metavar="FILE", help="sign the manifest: an Ed25519 private key in PEM or a JWK, mode 0600"
    )
    output.add_argument("--report", metavar="FILE", help="write the report as one HTML page")
    parser.add_argument("--workers", type=int, metavar="N", help="threads that verify (default: one per processor)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.set_defaults(run=run)
    if isinstance(parser, CommandParser):
        commands = parser.add_commands()
        audit_verify.add_to(commands)
        _add_report(commands)


def _add_what_is_read(parser: argparse.ArgumentParser) -> None:
    read = parser.add_argument_group("what is read")
    read.add_argument("--format", choices=FORMATS, help="of all inputs (default: by the name of each)")
    read.add_argument("--token-field", metavar="NAME", help="the column or member with the token")
    read.add_argument("--time-field", metavar="NAME", help="the column or member with the time of use")
    read.add_argument("--at", metavar="TIME", help="the time of use of all tokens, instead of --time-field")
    for name, what in (("proof", "DPoP proof"), ("method", "method of the request"), ("uri", "URI of the request")):
        read.add_argument(f"--{name}-field", metavar="NAME", help=f"the column or member with the {what}")


def add_requirements(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is required of a token."""
    keys = parser.add_argument_group("keys and requirements (+ may be repeated)")
    keys.add_argument(
        "--keys",
        action="append",
        default=[],
        metavar="[ISSUER=]FILE",
        help="an archive of keys, a JWK Set, a JWK or a key in PEM; with ISSUER= only that issuer's +",
    )
    for name, what in _RULES.items():
        keys.add_argument(f"--{name}", type=float, metavar="SECONDS", help=what)
    add_requirement_options(keys)
    keys.add_argument(
        "--policy", metavar="FILE", help="requirements that changed over time, in TOML, instead of these options"
    )


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "report",
        help="write the report of an audit",
        description="Writes the report of a finished audit as one HTML page.\n\nExit status: 0 written, 2 not.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directory", metavar="DIR", help="the output of an audit")
    parser.add_argument("file", metavar="FILE", help="the page to write")
    parser.set_defaults(run=lambda arguments: _write_report(arguments.directory, arguments.file))


def run(arguments: argparse.Namespace) -> int:
    """Audit, and print the counts. Returns the exit status."""
    with _terminable(), errors_as_messages():
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    from watchword.audit.errors import required

    for module in ("pyarrow", "tqdm", "zstandard"):
        required(module)
    from watchword.audit.manifest import make_manifest, write_manifest
    from watchword.audit.pipeline import run_audit
    from watchword.audit.replays import find_replays
    from watchword.audit.summary import in_words

    signer = _signer(arguments.signing_key)
    job = _job(arguments)
    if any(one.is_standard_input for one in job.inputs):
        print("Standard input can be read once: if this audit is interrupted, it starts anew.", file=sys.stderr)
    try:
        with progress_bar(job.inputs, quiet=arguments.quiet) as progress:
            parts = run_audit(job, arguments.output, progress=progress)
        replays = find_replays(arguments.output, parts) if job.columns.proof else None
        manifest = make_manifest(job, parts, replays)
        path = write_manifest(arguments.output, manifest, signer)
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0]
        raise CommandError(
            f"{error.filename or arguments.output!r} can't be written: {reason}. Run the same command again to"
            " resume after the parts that are finished."
        ) from None
    try:
        if arguments.report:
            _write_report(arguments.output, arguments.report)
    finally:
        # At the end: nobody may read it, which ends the command.
        print(f"{in_words(manifest)}\n\nThe manifest is {escaped(path)}.")
    counts = manifest["counts"]
    if counts["unreadable"]:
        return 3
    return 0 if counts["valid"] == counts["rows"] and not counts["replays"] else 1


def _check(arguments: argparse.Namespace) -> None:
    """Raise :class:`CommandError` if options are missing, or contradict each other."""
    if not arguments.input:
        raise CommandError("there is no input. Give files, patterns, directories, or -.")
    for name in ("output", "token_field"):
        if getattr(arguments, name) is None and not (name == "token_field" and arguments.format == "lines"):
            raise CommandError(f"--{name.replace('_', '-')} is missing.")
    if not arguments.keys:
        raise CommandError("no key source given. Give --keys with an archive of keys or a key set.")
    if (arguments.time_field is None) == (arguments.at is None):
        raise CommandError("the time of use is needed, once: give --time-field NAME, or --at TIME for all tokens.")
    request = (arguments.proof_field, arguments.method_field, arguments.uri_field)
    if any(request) and not all(request):
        raise CommandError("--proof-field, --method-field and --uri-field belong together: give all or none.")
    if arguments.workers is not None and arguments.workers < 1:
        raise CommandError("--workers must be at least 1.")


def _job(arguments: argparse.Namespace) -> AuditJob:
    from watchword.audit.auditor import Auditor
    from watchword.audit.key_input import read_keys
    from watchword.audit.pipeline import AuditJob
    from watchword.audit.policy_input import issuers_in
    from watchword.audit.units import Columns

    inputs = find_inputs(arguments.input, format=arguments.format, output=arguments.output)
    columns = Columns(
        # A line has no names.
        token=arguments.token_field or "token",
        time=arguments.time_field,
        at=_time(arguments.at),
        method=arguments.method_field,
        uri=arguments.uri_field,
        proof=arguments.proof_field,
    )
    if columns.time is not None and any(one.format == "lines" for one in inputs):
        raise CommandError("lines of tokens have no times. Give --at TIME instead of --time-field.")
    policy, policy_described = policy_of(arguments)
    keys, keys_described = read_keys(arguments.keys, issuers_in(policy_described), rules_in(arguments))
    is_text = all(one.format != "parquet" for one in inputs)
    auditor = Auditor(keys, policy, cache_bytes=_CACHE_BYTES_FOR_TEXT if is_text else _CACHE_BYTES)
    workers = arguments.workers or os.cpu_count() or 1
    return AuditJob(
        inputs, columns, auditor, keys_described, policy_described, arguments.output_format, workers=workers
    )


def policy_of(arguments: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Return the policy that the options describe, and its description. Raises :class:`CommandError`."""
    from watchword.audit.policy_input import policy_from_file, policy_from_options

    options = requirements_in(arguments)
    if arguments.policy is not None:
        if options:
            raise CommandError("--policy says what is required of a token: omit the other requirements.")
        return policy_from_file(arguments.policy)
    if not arguments.issuer:
        raise CommandError("no issuer is given. Give --issuer URL, or --policy FILE.")
    if not arguments.audience and not arguments.any_audience:
        raise CommandError("no audience is given. Give --audience URL, --any-audience, or --policy FILE.")
    return policy_from_options(options)


def rules_in(arguments: argparse.Namespace) -> KeyRules:
    """Return how long the keys of an archive are accepted, by the options."""
    from watchword.jwks.archive import KeyRules

    given = {name.replace("-", "_"): getattr(arguments, name.replace("-", "_")) for name in _RULES}
    return KeyRules(**{name: seconds for name, seconds in given.items() if seconds is not None})


def requirements_in(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the options require of a token, as arguments of a policy."""
    if arguments.audience and arguments.any_audience:
        raise CommandError("--audience and --any-audience contradict each other. Give one of them.")
    options: dict[str, Any] = {}
    if arguments.issuer:
        options["issuer"] = arguments.issuer
    if arguments.audience or arguments.any_audience:
        options["audience"] = arguments.audience or ANY_AUDIENCE
    if arguments.algorithm:
        options["algorithms"] = arguments.algorithm
    if arguments.type:
        options["types"] = types_in(arguments)
    if arguments.require:
        options["required"] = ["exp", *arguments.require]
    if arguments.leeway is not None:
        options["leeway"] = arguments.leeway
    if arguments.accept_bound:
        options["bound_tokens"] = "accept"
    return options


def _signer(path: str | None) -> Signer | None:
    if path is None:
        return None
    from watchword.audit.manifest import check_signer
    from watchword.holder import KeyPair

    try:
        signer = KeyPair.from_file(path)
    except OSError as error:
        raise CommandError(f"--signing-key: {error.strerror or error}.") from None
    except ValueError as error:
        raise CommandError(f"--signing-key: {error}.") from None
    check_signer(signer)
    return signer


def _write_report(directory: str, path: str) -> int:
    with errors_as_messages():
        from watchword.audit.report import write_report

        try:
            write_report(Path(directory), Path(path))
        except OSError as error:
            raise CommandError(f"the report {path!r} can't be written: {error.strerror or error}.") from None
    return 0


def _time(text: str | None) -> float | None:
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise CommandError(f"--at: {error}.") from None


@contextlib.contextmanager
def errors_as_messages() -> Iterator[None]:
    """Report what ends an audit as a usage error."""
    try:
        yield
    except (AuditError, ValueError, TypeError) as error:
        raise CommandError(f"{str(error).removesuffix('.')}.") from None


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Within this context SIGTERM ends the audit as Ctrl-C does: the audit can be resumed from its directory."""

    def leave(*_: object) -> None:
        raise SystemExit(_TERMINATED)

    before: Callable[..., Any] | int | None = None
    installed = False
    with contextlib.suppress(ValueError):  # not in the main thread
        before, installed = signal.signal(signal.SIGTERM, leave), True
    try:
        yield
    finally:
        if installed:
            signal.signal(signal.SIGTERM, before)
