"""``watchword verify``: tokens in, verdicts out."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from watchword import (
    ANY_AUDIENCE,
    Issuer,
    IssuerKeys,
    KeySet,
    KeysUnavailableError,
    Policy,
    VerificationError,
    VerifiedToken,
    Verifier,
    verify_many,
)
from watchword import verify as verify_token
from watchword.cli import certificates, provider, sources
from watchword.cli.command_error import CommandError, in_options
from watchword.cli.input import HELP as TOKEN_HELP
from watchword.cli.input import blocks_of_tokens, reads_standard_input
from watchword.cli.logs import log_suppressed
from watchword.cli.rejection_hint import rejection_hint
from watchword.cli.requirement_options import add_requirement_options, types_in
from watchword.cli.times import parse_time
from watchword.cli.verdicts import JsonLines, Tally, VerdictTable
from watchword.providers import PROVIDERS

if TYPE_CHECKING:
    from watchword.cli.verdicts import NumberedVerdict
    from watchword.providers.profiles import Rules

Verdict = VerifiedToken | VerificationError
VerifyBlock = Callable[[list["str | bytes"], float], Iterable[Verdict]]


class _Verification(NamedTuple):
    """What verifies a block of tokens, what to call at the end, and the keys if they were given."""

    verify: VerifyBlock
    close: Callable[[], None]
    keys: KeySet | None


_DESCRIPTION = """\
Verifies tokens: arguments, or the lines of files or of standard input.

The keys come from --jwks or --pem, otherwise from the metadata that each
--issuer publishes at its well-known URLs. A token is never printed.

Exit status: 0 all valid, 1 some not, 2 a usage error."""

_EXAMPLES = """\
examples:
  watchword verify --issuer https://as.example \\
      --audience https://api.example TOKEN
  watchword verify --jwks keys.json --any-audience tokens.txt
  watchword verify --pem key.pem --any-audience --at 2026-11-21 -"""


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "verify",
        help="verify tokens",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("token", nargs="*", help=TOKEN_HELP)
    keys = parser.add_argument_group("keys").add_mutually_exclusive_group()
    keys.add_argument("--jwks", metavar="FILE|URL", help="a JWK Set or a JWK")
    keys.add_argument("--pem", metavar="FILE", help="a public key in PEM")
    parser.add_argument("--allow-loopback-http", action="store_true", help="allow http:// to loopback")
    requirements = parser.add_argument_group("requirements (+ may be repeated)")
    add_requirement_options(requirements, default_leeway="5; authgent: 0")
    requirements.add_argument(
        "--provider", choices=PROVIDERS, metavar="NAME", help=f"apply a provider's rules: {', '.join(PROVIDERS)}"
    )
    requirements.add_argument(
        "--certificate", metavar="FILE", help="the client's certificate in PEM, for tokens that are bound to it"
    )
    parser.add_argument(
        "--at", metavar="TIME", help="verify as of TIME: Unix seconds, 2026-11-21T09:30:00Z, or a date (midnight UTC)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="number of threads (default: one per processor)")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Verify and print. Returns the exit status."""
    at = _time(arguments.at)
    verification = _verification(arguments)
    try:
        tally = _print_verdicts(arguments, verification.verify, at)
    finally:
        verification.close()
    return 0 if tally.all_valid else 1


def _print_verdicts(arguments: argparse.Namespace, verify: VerifyBlock, at: float | None) -> Tally:
    tally = Tally()
    printer = JsonLines() if arguments.json else VerdictTable()
    for block in blocks_of_tokens(arguments.token):
        if not block:
            continue
        now = time.time() if at is None else at
        verdicts = verify([token for _, token in block], now)
        numbered: list[NumberedVerdict] = [
            (number, verdict, _hint(token, verdict, arguments))
            for (number, token), verdict in zip(block, verdicts, strict=True)
        ]
        tally.add(numbered)
        sys.stdout.write(printer.block(numbered, now))
        sys.stdout.flush()
    if tally.total == 0:
        raise CommandError("there are no tokens. Give them as arguments, or as lines of a file or of standard input.")
    if not arguments.json:
        print(tally.summary(_not_checked(arguments)))
    return tally


def _hint(token: str | bytes, verdict: Verdict, arguments: argparse.Namespace) -> str | None:
    if isinstance(verdict, VerifiedToken):
        return None
    return provider.other_provider_hint(token, arguments) or rejection_hint(token, verdict, arguments)


def _verification(arguments: argparse.Namespace) -> _Verification:
    """Return what verifies tokens as the options require. Raises :class:`CommandError` if they contradict."""
    if arguments.audience and arguments.any_audience:
        raise CommandError("--audience and --any-audience contradict each other. Give one of them.")
    if arguments.jwks == "-" and reads_standard_input(arguments.token):
        raise CommandError("standard input can't hold both the keys and the tokens. Put the keys in a file.")
    if arguments.threads is not None and arguments.threads < 1:
        raise CommandError("--threads must be at least 1.")
    source = arguments.jwks or arguments.pem
    if source is None and not arguments.issuer:
        raise CommandError("no key source given. Give --jwks FILE or URL, --pem FILE, or --issuer URL for discovery.")
    rules = provider.rules_in(arguments)
    try:
        # A Verifier refreshes keys that come over HTTP. Keys from a file, without an issuer, or of a provider that
        # publishes none (its rules need the key set) are loaded once.
        if arguments.issuer and (source is None or sources.is_url(source)) and provider.publishes_keys(arguments):
            verification = _with_verifier(arguments, source, rules)
        else:
            verification = _with_key_set(arguments, source, rules)
    except ValueError as error:
        raise CommandError(in_options(error)) from None
    if rules is None:
        return verification

    def verify(tokens: list[str | bytes], now: float) -> Iterable[Verdict]:
        return provider.checked(tokens, verification.verify(tokens, now), rules, now, verification.keys)

    return verification._replace(verify=verify)


def _requirements(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the options require of a token, except for the issuer."""
    requirements: dict[str, Any] = {
        "audience": ANY_AUDIENCE if arguments.any_audience else arguments.audience or None,
        "algorithms": arguments.algorithm,
        "required": ("exp", *arguments.require),
        "bound_tokens": "accept" if arguments.accept_bound else "reject",
    }
    if arguments.leeway is not None:
        requirements["leeway"] = arguments.leeway
    if arguments.type:
        requirements["types"] = types_in(arguments)
    return requirements


def _with_key_set(arguments: argparse.Namespace, source: str, rules: Rules | None) -> _Verification:
    keys = sources.load_keys(
        source, allow_loopback_http=arguments.allow_loopback_http, read_pem=provider.read_pem_of(arguments)
    )
    command = f"watchword keys {source}"
    if len(keys) == 0:
        raise CommandError(f"{source!r} has no usable key. Run `{command}` to see why.")
    if keys.rejected:
        print(f"Rejected {len(keys.rejected)} of the keys; `{command}` shows which and why.", file=sys.stderr)
    policy = Policy(issuer=arguments.issuer or None, **_requirements(arguments)) if rules is None else rules.policy()
    certificate = certificates.load(arguments.certificate)

    def verify(tokens: list[str | bytes], now: float) -> Iterable[Verdict]:
        if certificate is not None:
            return _each(tokens, lambda token: verify_token(token, keys, policy, now=now, certificate=certificate))
        return verify_many(tokens, keys, policy, now=now, threads=arguments.threads)

    return _Verification(verify, lambda: None, keys)


def _with_verifier(arguments: argparse.Namespace, jwks_uri: str | None, rules: Rules | None) -> _Verification:
    issuers = [
        Issuer(
            name,
            jwks_uri=jwks_uri or provider.jwks_uri_of(name, arguments),
            allow_loopback_http=arguments.allow_loopback_http,
        )
        for name in arguments.issuer
    ]
    if rules is not None and not rules.kernel_checks_issuer:
        return _with_issuer_keys(arguments, issuers, rules)
    certificate = certificates.load(arguments.certificate)
    verifier = Verifier(issuers, **(_requirements(arguments) if rules is None else rules.requirements()))
    _refresh(verifier, lambda: any(stats.keys for stats in verifier.stats().values()))

    def verify(tokens: list[str | bytes], now: float) -> Iterable[Verdict]:
        if certificate is not None:
            return _each(tokens, lambda token: verifier.verify(token, now=now, certificate=certificate))
        return verifier.verify_many(tokens, now=now, threads=arguments.threads)

    return _Verification(verify, verifier.close, None)


def _with_issuer_keys(arguments: argparse.Namespace, issuers: Sequence[Issuer], rules: Rules) -> _Verification:
    """Return what verifies tokens that need not name their issuer."""
    if len(issuers) > 1:
        raise CommandError(
            f"--provider {arguments.provider} takes one --issuer if its keys come over HTTP,"
            " because a token need not name its issuer. Run the command for each, or give the keys with --jwks FILE."
        )
    certificate = certificates.load(arguments.certificate)
    keys, policy = IssuerKeys(issuers[0], accepted_issuers=(issuers[0].issuer, None)), rules.policy()
    _refresh(keys, lambda: keys.stats().keys > 0)

    def verify(tokens: list[str | bytes], now: float) -> Iterable[Verdict]:
        return _each(tokens, lambda token: keys.verify(token, policy, now=now, certificate=certificate))

    return _Verification(verify, keys.close, None)


def _each(tokens: Iterable[str | bytes], verify: Callable[[str | bytes], VerifiedToken]) -> Iterator[Verdict]:
    for token in tokens:
        try:
            yield verify(token)
        except VerificationError as error:
            yield error


def _refresh(source: Verifier | IssuerKeys, has_keys: Callable[[], bool]) -> None:
    """Fetch the keys. Raises :class:`CommandError` if none are available."""
    try:
        with log_suppressed():
            source.refresh()
    except KeysUnavailableError as error:
        if not has_keys():
            source.close()
            raise CommandError(f"{error.detail}. Check the URL, or give the keys with --jwks FILE.") from None
        print(f"Continuing without some keys: {error.detail}.", file=sys.stderr)


def _time(text: str | None) -> float | None:
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise CommandError(f"--at: {error}.") from None


def _not_checked(arguments: argparse.Namespace) -> list[str]:
    """Return what a reader of "valid" might wrongly assume to have been checked."""
    unchecked = []
    if not arguments.issuer:
        unchecked.append("the issuer (no --issuer)")
    if arguments.any_audience:
        unchecked.append("the audience (--any-audience)")
    if arguments.accept_bound:
        unchecked.append("possession of what bound tokens are bound to (--accept-bound)")
    return [*unchecked, *provider.not_checked(arguments)]
