"""``watchword verify``: tokens in, verdicts out."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from watchword import _kernel
from watchword._kernel import ANY_AUDIENCE, KeySet, Policy, VerifiedToken
from watchword.cli import provider, sources
from watchword.cli.command_error import CommandError, in_options
from watchword.cli.hints import hint_for
from watchword.cli.input import blocks_of_lines, standard_input
from watchword.cli.times import parse_moment
from watchword.cli.verdicts import JsonLines, Tally, VerdictTable
from watchword.errors import KeysUnavailableError, VerificationError
from watchword.issuer import Issuer
from watchword.issuer_keys import IssuerKeys
from watchword.providers import PROVIDERS
from watchword.verifier import Verifier

if TYPE_CHECKING:
    from watchword.cli.verdicts import Judged
    from watchword.providers.profiles import Rules

Verdict = VerifiedToken | VerificationError
Judge = Callable[[list["str | bytes"], float], Iterable[Verdict]]
#: What judges a block of tokens, what ends it, and the keys where they are in hand.
Judging = tuple[Judge, Callable[[], None], "KeySet | None"]

_DESCRIPTION = """\
Verifies tokens: those given as arguments, or else the lines of standard
input, however many.

The keys come from --jwks or --pem, or else from the metadata that each
--issuer publishes at its well-known places. A token is never printed.
Exit status: 0 all valid, 1 some not, 2 usage."""

_EXAMPLES = """\
examples:
  watchword verify --issuer https://as.example --audience https://api.example \\
      TOKEN
  watchword verify --jwks keys.json --any-audience --json < tokens.txt
  watchword verify --jwks keys.json --any-audience \\
      --at 2026-11-21T09:30:00Z < stored-tokens.txt"""


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = verbs.add_parser(
        "verify",
        help="verify tokens",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("token", nargs="*", help="a token; without any, lines of standard input")
    keys = parser.add_argument_group("whose keys").add_mutually_exclusive_group()
    keys.add_argument("--jwks", metavar="FILE|URL", help="a JWK Set or a JWK")
    keys.add_argument("--pem", metavar="FILE", help="a public key in PEM")
    parser.add_argument("--allow-loopback-http", action="store_true", help="let http to this very machine pass")
    demands = parser.add_argument_group(
        "what is demanded of a token", "All but the provider and the leeway may be given several times."
    )
    demands.add_argument("--issuer", action="append", default=[], metavar="URL", help="who may have issued it")
    demands.add_argument("--audience", action="append", default=[], metavar="URL", help="for whom it may be")
    demands.add_argument("--any-audience", action="store_true", help="for anybody")
    demands.add_argument(
        "--provider", choices=PROVIDERS, metavar="NAME", help=f"whose shape it must have: {', '.join(PROVIDERS)}"
    )
    demands.add_argument(
        "--algorithm", action="append", metavar="ALG", help="EdDSA, ES256, ... (default: those of the keys)"
    )
    demands.add_argument(
        "--type", action="append", metavar="TYP", help="its typ; none: without (default: JWT, at+jwt, none)"
    )
    demands.add_argument(
        "--require", action="append", default=[], metavar="CLAIM", help="which claims it must have beside exp"
    )
    demands.add_argument(
        "--leeway", type=float, metavar="SECONDS", help="for exp, nbf and iat, both ways (default: 5; authgent: 0)"
    )
    demands.add_argument("--accept-bound", action="store_true", help="accept a token bound to a key without its proof")
    parser.add_argument("--at", metavar="TIME", help="as of then: Unix seconds, or 2026-11-21T09:30:00Z")
    parser.add_argument("--threads", type=int, metavar="N", help="on so many threads (default: one a processor)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Verifies and prints. Returns the exit status."""
    at = _moment(arguments.at)
    judge, close = _judge(arguments)
    try:
        tally = _print_verdicts(arguments, judge, at)
    finally:
        close()
    return 0 if tally.all_valid else 1


def _print_verdicts(arguments: argparse.Namespace, judge: Judge, at: float | None) -> Tally:
    tally = Tally()
    printer = JsonLines() if arguments.json else VerdictTable()
    for block in _blocks(arguments):
        if not block:
            continue
        now = time.time() if at is None else at
        verdicts = judge([token for _, token in block], now)
        judged: list[Judged] = [
            (number, verdict, _hint(token, verdict, arguments))
            for (number, token), verdict in zip(block, verdicts, strict=True)
        ]
        tally.add(judged)
        sys.stdout.write(printer.block(judged, now))
        sys.stdout.flush()
    if tally.total == 0:
        raise CommandError("there were no tokens. Give them as arguments, or as lines on standard input.")
    if not arguments.json:
        print(tally.summary(_not_checked(arguments)))
    return tally


def _hint(token: str | bytes, verdict: Verdict, arguments: argparse.Namespace) -> str | None:
    if isinstance(verdict, VerifiedToken):
        return None
    return provider.hint_at_another(token, arguments) or hint_for(token, verdict, arguments)


def _blocks(arguments: argparse.Namespace) -> Iterable[Sequence[tuple[int, str | bytes]]]:
    if arguments.token:
        return [list(enumerate(arguments.token, 1))]
    return blocks_of_lines(standard_input("tokens"))


def _judge(arguments: argparse.Namespace) -> tuple[Judge, Callable[[], None]]:
    """What judges a block of tokens, and what ends it."""
    if arguments.audience and arguments.any_audience:
        raise CommandError("--audience and --any-audience contradict each other. Give one of them.")
    if arguments.jwks == "-" and not arguments.token:
        raise CommandError("standard input can't hold both the keys and the tokens. Put the keys in a file.")
    if arguments.threads is not None and arguments.threads < 1:
        raise CommandError("--threads must be at least 1.")
    source = arguments.jwks or arguments.pem
    if source is None and not arguments.issuer:
        raise CommandError("whose keys? Give --jwks FILE or URL, --pem FILE, or --issuer URL to discover them.")
    rules = provider.rules_in(arguments)
    try:
        # A verifier keeps looking after keys that come over HTTP; keys in a file, or of nobody in particular, stay. So
        # do those of a provider that publishes none: its rules need them in hand.
        if arguments.issuer and (source is None or sources.is_url(source)) and provider.publishes_keys(arguments):
            judge, close, keys = _by_verifier(arguments, source, rules)
        else:
            judge, close, keys = _by_key_set(arguments, source, rules)
    except ValueError as error:
        raise CommandError(in_options(error)) from None
    if rules is None:
        return judge, close
    return lambda tokens, now: provider.checked(tokens, judge(tokens, now), rules, now, keys), close


def _requirements(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the options say of a policy, all but the issuer."""
    requirements: dict[str, Any] = {
        "audience": ANY_AUDIENCE if arguments.any_audience else arguments.audience or None,
        "algorithms": arguments.algorithm,
        "required": ("exp", *arguments.require),
        "bound_tokens": "accept" if arguments.accept_bound else "reject",
    }
    if arguments.leeway is not None:
        requirements["leeway"] = arguments.leeway
    if arguments.type:
        requirements["types"] = provider.types_in(arguments)
    return requirements


def _by_key_set(arguments: argparse.Namespace, source: str, rules: Rules | None) -> Judging:
    keys = sources.load_keys(
        source, allow_loopback_http=arguments.allow_loopback_http, read_pem=provider.read_pem_of(arguments)
    )
    command = f"watchword keys {source}"
    if len(keys) == 0:
        raise CommandError(f"{source!r} holds no usable key. Run `{command}` to see why.")
    if keys.rejected:
        print(f"Left out {len(keys.rejected)} of the keys; `{command}` says which and why.", file=sys.stderr)
    policy = Policy(issuer=arguments.issuer or None, **_requirements(arguments)) if rules is None else rules.policy()
    return lambda tokens, now: _kernel.verify_many(tokens, keys, policy, now, arguments.threads), lambda: None, keys


def _by_verifier(arguments: argparse.Namespace, jwks_uri: str | None, rules: Rules | None) -> Judging:
    issuers = [
        Issuer(
            name,
            jwks_uri=jwks_uri or provider.jwks_uri_of(name, arguments),
            allow_loopback_http=arguments.allow_loopback_http,
        )
        for name in arguments.issuer
    ]
    if rules is not None and not rules.kernel_checks_issuer:
        return _by_issuer_keys(arguments, issuers, rules)
    verifier = Verifier(issuers, **(_requirements(arguments) if rules is None else rules.requirements()))
    _refresh(verifier, lambda: any(stats.keys for stats in verifier.stats().values()))
    return lambda tokens, now: verifier.verify_many(tokens, now=now, threads=arguments.threads), verifier.close, None


def _by_issuer_keys(arguments: argparse.Namespace, issuers: Sequence[Issuer], rules: Rules) -> Judging:
    """For tokens that need not say who issued them."""
    if len(issuers) > 1:
        raise CommandError(
            f"--provider {arguments.provider} takes one --issuer if its keys come over HTTP,"
            " for a token need not name its issuer. Run the command once for each, or give the keys with --jwks FILE."
        )
    keys, policy = IssuerKeys(issuers[0], accepted_issuers=(issuers[0].issuer, None)), rules.policy()
    _refresh(keys, lambda: keys.stats().keys > 0)

    def judge(tokens: list[str | bytes], now: float) -> Iterable[Verdict]:
        for token in tokens:
            try:
                yield keys.verify(token, policy, now=now)
            except VerificationError as error:
                yield error

    return judge, keys.close, None


def _refresh(source: Verifier | IssuerKeys, has_keys: Callable[[], bool]) -> None:
    """Fetches the keys. Raises :class:`CommandError` if there are none to go on with."""
    try:
        source.refresh()
    except KeysUnavailableError as error:
        if not has_keys():
            source.close()
            raise CommandError(f"{error.detail}. Check the URL, or give the keys with --jwks FILE.") from None
        print(f"Going on without some keys: {error.detail}.", file=sys.stderr)


def _moment(text: str | None) -> float | None:
    try:
        return None if text is None else parse_moment(text)
    except ValueError as error:
        raise CommandError(f"--at: {error}.") from None


def _not_checked(arguments: argparse.Namespace) -> list[str]:
    """What a reader of "valid" might wrongly take for checked."""
    unchecked = []
    if not arguments.issuer:
        unchecked.append("who issued them (no --issuer)")
    if arguments.any_audience:
        unchecked.append("whom they are for (--any-audience)")
    if arguments.accept_bound:
        unchecked.append("whether their senders hold the keys they are bound to (--accept-bound)")
    return [*unchecked, *provider.not_checked(arguments)]
