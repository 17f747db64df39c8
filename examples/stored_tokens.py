"""Verify stored tokens as of the time each of them was used.

    python stored_tokens.py keys.json https://as.example < used-tokens.tsv

Each line is a time in Unix seconds, a tab, and a token. `now` lists these times: what was valid then is valid here. A
thousand lines at a time are verified in one call, which uses all processors.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import watchword as ww

Line = tuple[float, str]


def verdicts(lines: Iterable[Line], keys: ww.KeySet, policy: ww.Policy) -> Iterator[tuple[float, str]]:
    """Yield each line's time, and the verdict on its token."""
    lines = iter(lines)
    while some := list(itertools.islice(lines, 1000)):
        times, tokens = zip(*some, strict=True)
        for time, verdict in zip(times, ww.verify_many(tokens, keys, policy, now=times), strict=True):
            yield time, str(verdict.code) if isinstance(verdict, ww.VerificationError) else "valid"


def read(text: Iterable[str]) -> Iterator[Line]:
    for line in text:
        time, _, raw = line.rstrip("\n").partition("\t")
        yield float(time), raw


def main(jwks_file: str, issuer: str) -> int:
    # The keys of that time. ANY_AUDIENCE states that the audience is not checked.
    keys = ww.KeySet.from_json(Path(jwks_file).read_bytes())
    policy = ww.Policy(issuer=issuer, audience=ww.ANY_AUDIENCE)
    bad = 0
    for number, (time, verdict) in enumerate(verdicts(read(sys.stdin), keys, policy), 1):
        if verdict != "valid":
            bad += 1
            print(f"line {number}, used at {time:.0f}: {verdict}")
    print(f"{bad} of the tokens were not valid when they were used")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
