"""Verify stored tokens as of the time each of them was used.

    python stored_tokens.py keys.json https://as.example < used-tokens.tsv

Each line is a moment in Unix seconds, a tab, and a token. `now` is an argument like any other: what was valid then is
valid here, however long ago that was. Lines of the same second share a call, which uses all processors.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import watchword as ww

Line = tuple[float, str]


def judged(lines: Iterable[Line], keys: ww.KeySet, policy: ww.Policy) -> Iterator[tuple[float, str]]:
    """Each line's moment, and the verdict on its token."""
    for moment, group in itertools.groupby(lines, key=lambda line: line[0]):
        for verdict in ww.verify_many([raw for _, raw in group], keys, policy, now=moment):
            yield moment, str(verdict.code) if isinstance(verdict, ww.VerificationError) else "valid"


def read(text: Iterable[str]) -> Iterator[Line]:
    for line in text:
        moment, _, raw = line.rstrip("\n").partition("\t")
        yield float(moment), raw


def main(jwks_file: str, issuer: str) -> int:
    # The keys of that time. Whom the tokens were for is not asked here; say so, and nobody wonders.
    keys = ww.KeySet.from_json(Path(jwks_file).read_bytes())
    policy = ww.Policy(issuer=issuer, audience=ww.ANY_AUDIENCE)
    bad = 0
    for number, (moment, verdict) in enumerate(judged(read(sys.stdin), keys, policy), 1):
        if verdict != "valid":
            bad += 1
            print(f"line {number}, used at {moment:.0f}: {verdict}")
    print(f"{bad} of the tokens were not valid when they were used")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
