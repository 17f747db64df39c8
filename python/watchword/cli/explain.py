"""``watchword explain``: what a gate decides on a request, check by check."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
import time
from typing import Any

from watchword import Issuer, KeySet
from watchword.cli import certificates, sources, terminal
from watchword.cli.command_error import CommandError
from watchword.cli.explanation import Check, Explanation
from watchword.cli.logs import log_suppressed
from watchword.cli.remedy import remedy
from watchword.cli.request_input import has_header, parse_headers, split_url
from watchword.cli.terminal import coloured, escaped
from watchword.cli.times import parse_time, utc
from watchword.dpop import MemoryReplayStore
from watchword.gate import ConfigError, Decision, Gate, GateConfig
from watchword.printable import to_json

_DESCRIPTION = """\
Decides on a request as a gate with this configuration does, and explains it:
each check in order, what passed, what failed, what would have to change, and
the answer that the client would get. The headers are read from standard input,
one a line, as HTTP and curl -v write them. Neither the token nor the secret of
the identity headers is printed, and no proof is used up.

Exit status: 0 the request may pass, 1 it is rejected, 2 a usage error."""

_EXAMPLES = """\
examples:
  watchword explain --config gate.toml GET /orders/1 < headers
  watchword explain --config gate.toml --keys keys.json \\
      --at 2026-11-21T09:30:00Z POST /orders < headers"""

_COLOURS = {"passed": "green", "failed": "red", "not reached": "dim", "not needed": "dim"}
_MOST_BYTES = 1 << 20
_RESULT = len("not reached")


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "explain",
        help="explain what a gate decides on a request",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("method", metavar="METHOD", help="the method of the request")
    parser.add_argument("url", metavar="URL", help="its URL, or its path with the query")
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration of the gate")
    parser.add_argument(
        "--keys",
        action="append",
        default=[],
        metavar="[ISSUER=]FILE",
        help="the keys of an issuer, instead of fetching them (may be repeated)",
    )
    parser.add_argument("--certificate", metavar="FILE", help="the client's certificate, in PEM")
    parser.add_argument(
        "--at", metavar="TIME", help="decide as of TIME: Unix seconds, 2026-11-21T09:30:00Z, or a date (midnight UTC)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the decision on a request and why. Returns the exit status."""
    config = _config(arguments.config)
    authority, target = split_url(arguments.url)
    now = _time(arguments.at)
    headers = parse_headers(_standard_input())
    if authority is not None and not has_header(headers, "Host"):
        headers.append(("Host", authority))
    decision = _decide(arguments, config, target, headers, now)
    explanation = Explanation(config, decision, method=arguments.method, target=target, now=now)
    checks = explanation.checks()
    change = None if decision.error is None else remedy(decision.error, explanation.route)
    if arguments.json:
        print(to_json(_as_object(decision, checks, change)))
    else:
        print(f"{escaped(arguments.method)} {escaped(target)} as of {utc(now)}\n")
        _print(decision, checks, change)
        if decision.allowed and config.identity_secret_file is not None:
            print(f"  and the secret of {escaped(str(config.identity_secret_file))}")
    return 0 if decision.allowed else 1


def _config(path: str) -> GateConfig:
    try:
        return GateConfig.from_file(path)
    except OSError as error:
        raise CommandError(f"{path!r} can't be read: {error.strerror}. Give a configuration.") from None
    except ConfigError as error:
        raise CommandError(f"{path!r} is invalid; run `watchword check {path}`:\n{error}") from None


def _decide(
    arguments: argparse.Namespace, config: GateConfig, target: str, headers: list[tuple[str, str]], now: float
) -> Decision:
    certificate = certificates.load(arguments.certificate)
    issuers = _with_keys(config.issuers, arguments.keys)
    try:
        # A replay store of its own, so that no proof is used up.
        dpop = config.dpop_verifier(replay=MemoryReplayStore())
        verifier = config.verifier(issuers=issuers, dpop=dpop)
        with log_suppressed(), Gate(verifier, config.routes, **config.gate_keywords(with_secret=False)) as gate:
            return gate.check(
                method=arguments.method,
                target=target,
                headers=headers,
                certificate=certificate,
                now=now,
            )
    except ConfigError as error:
        raise CommandError(f"{arguments.config!r}: {error}.") from None
    except ValueError as error:
        raise CommandError(f"{error}.") from None


def _with_keys(issuers: tuple[Issuer, ...], given: list[str]) -> list[Issuer]:
    """Return the issuers, with the keys of files instead of what the configuration says."""
    keys: dict[str, KeySet] = {}
    for one in given:
        name, _, file = one.rpartition("=")
        if not name and len(issuers) > 1:
            raise CommandError(f"--keys {one}: there are several issuers. Give ISSUER=FILE for each.")
        name = name or issuers[0].issuer
        if name not in [issuer.issuer for issuer in issuers]:
            raise CommandError(f"--keys: no issuer has the name {name!r}. Configured: {_names(issuers)}.")
        keys[name] = sources.load_keys(file)
    return [
        dataclasses.replace(issuer, jwks=keys[issuer.issuer], jwks_uri=None, jwks_file=None, pem=None)
        if issuer.issuer in keys
        else issuer
        for issuer in issuers
    ]


def _names(issuers: tuple[Issuer, ...]) -> str:
    return ", ".join(repr(issuer.issuer) for issuer in issuers)


def _time(text: str | None) -> float:
    try:
        return time.time() if text is None else parse_time(text)
    except ValueError as error:
        raise CommandError(f"--at: {error}.") from None


def _standard_input() -> str:
    if sys.stdin is None:
        return ""
    if sys.stdin.isatty():
        print("Reading headers from standard input, one a line; end with Ctrl-D.", file=sys.stderr)
    return sys.stdin.buffer.read(_MOST_BYTES).decode("utf-8", "surrogateescape")


def _print(decision: Decision, checks: list[Check], change: str | None) -> None:
    width = max(len(check.name) for check in checks)
    for (result, detail), group in itertools.groupby(checks, key=lambda check: (check.result, check.detail)):
        names = [check.name for check in group]
        if len(names) > 1 and result not in ("passed", "failed"):
            # The names of many checks, in place of as many lines.
            _print_row(result, "", width, f"{', '.join(names)}{': ' if detail else ''}{detail}")
            continue
        for name in names:
            _print_row(result, name, width, detail)
    print()
    if decision.allowed:
        print(f"{coloured('allowed', 'green')}: the application gets")
        for name, value in decision.identity_headers:
            print(escaped(f"  {name}: {value}").rstrip())
        return
    print(f"{coloured('rejected', 'red')}: {decision.code}")
    if change is not None:
        print(terminal.wrapped(escaped(change), first="To change: ", rest=" " * 11))
    print(f"\nThe client gets status {decision.status} and")
    for name, value in decision.headers:
        print(escaped(f"  {name}: {value}"))
    if decision.body:
        print(escaped(f"  {decision.body.decode()}"))


def _print_row(result: str, name: str, width: int, detail: str) -> None:
    lead = f"  {result:<{_RESULT}}  " + (f"{name:<{width}}  " if name else "")
    row = terminal.wrapped(escaped(detail), first=lead, rest=" " * len(lead)).rstrip()
    print(row.replace(result, coloured(result, _COLOURS[result]), 1))


def _as_object(decision: Decision, checks: list[Check], change: str | None) -> dict[str, Any]:
    return {
        "allowed": decision.allowed,
        "code": str(decision.code),
        "route": decision.route,
        "issuer": decision.issuer,
        "checks": [check._asdict() for check in checks],
        "change": change,
        "status": decision.status,
        "headers": [list(pair) for pair in decision.headers],
        "body": decision.body.decode(),
        "identity_headers": [list(pair) for pair in decision.identity_headers] if decision.allowed else [],
    }
