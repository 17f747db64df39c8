"""``watchword demo``: an issuer on loopback, valid and hostile tokens, and the verdicts of a Verifier on them."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from watchword import VerificationError, Verifier, __version__
from watchword.cli.terminal import coloured, fitted
from watchword.jwks import CacheSettings

if TYPE_CHECKING:
    from watchword.testing import ServedIssuer

_DESCRIPTION = """\
Starts an issuer on loopback, verifies valid and hostile tokens as a resource
server does (discovery, HTTP, key cache, kernel), rotates and withdraws keys,
and prints every verdict. Nothing leaves this machine.

Exit status: 0 all verdicts are as expected, 1 some are not."""

# The most instructive kinds of bad token; all kinds are tried.
_SHOWN = (
    "alg none",
    "HS256 keyed with the public key in PEM",
    "an attacker's key under a known kid",
    "embedded jwk of an attacker",
    "claims changed after signing",
    "signature all zero",
    "ECDSA signature in DER",
    "crit unknown",
    "claim twice",
    "exp a string",
    "non-canonical last character of the signature",
    "typ of a DPoP proof",
    "wrong audience",
    "expired",
    "bound to a key, without a proof",
    "five parts",
    "token too large",
)

# 30 seconds by default; the demonstration should not wait that long for a rotation.
_COOLDOWN = 0.3
_UNKNOWN_KEYS = 1_000


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "demo",
        help="verify valid and hostile tokens of an issuer on loopback",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print the verdicts. Returns the exit status."""
    from watchword.testing import LocalIssuer

    print(f"Watchword {__version__}: verdicts on valid and hostile tokens\n")
    with LocalIssuer(algorithms=("EdDSA", "ES256")).serve() as issuer:
        described = issuer.as_issuer(cache_settings=CacheSettings(cooldown=_COOLDOWN))
        with Verifier([described], audience=issuer.audience) as verifier:
            return _Demo(issuer, verifier).run()


class _Demo:
    def __init__(self, issuer: ServedIssuer, verifier: Verifier) -> None:
        self._issuer = issuer
        self._verifier = verifier
        self._verdicts = 0
        self._wrong = 0

    def run(self) -> int:
        issuer = self._issuer
        print(f"Issuer    {issuer.issuer} ({', '.join(issuer.algorithms)}; on loopback, discovered)")
        print(f"Audience  {issuer.audience}")
        self._valid_tokens()
        self._bad_tokens()
        self._keys_over_time()
        return self._conclusion()

    def _valid_tokens(self) -> None:
        _section("Valid tokens")
        for algorithm in self._issuer.algorithms:
            self._row(f"signed with {algorithm}", self._issuer.mint(algorithm=algorithm))
        self._row("without a kid", self._issuer.mint(header={"kid": None}))

    def _bad_tokens(self) -> None:
        _section("Hostile tokens")
        others = []
        for defect, code, token in self._issuer.defects():
            if defect in _SHOWN:
                self._row(str(defect), token, code)
            else:
                others.append((token, code.value))
        verdicts = [_verdict(self._verifier, token) for token, _ in others]
        as_expected = sum(got == code for got, (_, code) in zip(verdicts, others, strict=True))
        self._count(len(others), len(others) - as_expected)
        _print_row(f"and {len(others)} more kinds of bad token", "rejected", right=as_expected == len(others))

    def _keys_over_time(self) -> None:
        issuer = self._issuer
        _section("Keys over time")
        self._flood()
        old = issuer.mint()
        time.sleep(_COOLDOWN)
        new_key = issuer.rotate()[0]
        self._row(f"the issuer rotates to a new key, {new_key}", issuer.mint())
        self._row("the old key still signs", old)
        with issuer.outage():
            self._row("the issuer's endpoint is down", issuer.mint())
        issuer.remove_key("eddsa-1")
        self._verifier.refresh()
        self._row("the old key is withdrawn", old, "unknown_key")
        self._row("the new key still signs", issuer.mint())

    def _flood(self) -> None:
        """Verify tokens that each name another key: unknown ``kid``s must not trigger repeated fetches."""
        tokens = [self._issuer.mint(header={"kid": f"unknown-{number}"}) for number in range(_UNKNOWN_KEYS)]
        time.sleep(_COOLDOWN)  # After the cooldown a fetch is allowed; there must be only one.
        before = self._fetches()
        rejected = sum(code == "unknown_key" for code in self._verifier.verify_many(tokens).codes())
        self._count(_UNKNOWN_KEYS, _UNKNOWN_KEYS - rejected)
        fetches = self._fetches() - before
        what = f"{_UNKNOWN_KEYS:,} unknown kids cause {'one fetch' if fetches == 1 else f'{fetches} fetches'}"
        _print_row(what, "unknown key", right=rejected == _UNKNOWN_KEYS)

    def _conclusion(self) -> int:
        discoveries = sum(path.startswith("/.well-known/") for path in self._issuer.requests)
        print(f"\n{self._verdicts:,} verdicts on {discoveries} discovery and {self._fetches()} fetches of the key set.")
        if self._wrong:
            print(coloured(f"{self._wrong:,} of them are WRONG. Please report this.", "alarm"))
            return 1
        print(coloured("All verdicts are as expected.", "green"))
        return 0

    def _row(self, what: str, token: str, expected: str = "valid") -> None:
        got = _verdict(self._verifier, token)
        self._count(1, int(got != expected))
        _print_row(what, got.replace("_", " "), right=got == expected, expected=expected.replace("_", " "))

    def _count(self, verdicts: int, wrong: int) -> None:
        self._verdicts += verdicts
        self._wrong += wrong

    def _fetches(self) -> int:
        return self._issuer.requests.count("/jwks.json")


def _verdict(verifier: Verifier, token: str) -> str:
    try:
        verifier.verify(token)
    except VerificationError as error:
        return error.code.value
    return "valid"


def _section(title: str) -> None:
    print("\n" + coloured(fitted(title, 50) + "verdict", "bold"))


def _print_row(what: str, verdict: str, *, right: bool, expected: str = "") -> None:
    colour = "green" if verdict == "valid" else "red"
    mark = "" if right else coloured(f"  WRONG: expected {expected or 'another verdict'}", "alarm")
    print("  " + fitted(what, 48) + coloured(verdict, colour) + mark)
