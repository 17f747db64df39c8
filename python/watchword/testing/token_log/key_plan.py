"""The keys of the year: three issuers with twelve keys each, when each is published, signs and is withdrawn."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import NamedTuple

from watchword import KeySet
from watchword.testing.signing_key import SigningKey
from watchword.testing.token_log.seeded_keys import seeded_key

HOUR = 3600
DAY = 24 * HOUR
#: The year, in Unix seconds: from 2025-01-01 to 2026-01-01 UTC.
START = 1_735_689_600
END = START + 365 * DAY
#: When somebody begins to record the keys, and how often they look.
ARCHIVE_START = START + 7 * DAY
POLL_INTERVAL = 6 * HOUR


class Line(NamedTuple):
    """One algorithm of an issuer: at every time one of its keys signs. ``percent`` is its share of the tokens."""

    issuer: str
    algorithm: str
    percent: int


#: Every issuer has two algorithms; together 45 % EdDSA, 35 % ES256, 20 % RS256.
LINES = (
    Line("https://as-1.example", "EdDSA", 25),
    Line("https://as-1.example", "ES256", 15),
    Line("https://as-2.example", "ES256", 20),
    Line("https://as-2.example", "RS256", 10),
    Line("https://as-3.example", "EdDSA", 20),
    Line("https://as-3.example", "RS256", 10),
)
ISSUERS = tuple(dict.fromkeys(line.issuer for line in LINES))
AUDIENCE = "https://api.example"
_KEYS_PER_LINE = 6

#: The line with the stolen key, and the one that signs in its place: it has the same algorithm.
STOLEN_LINE, SUBSTITUTE_LINE = LINES[0], LINES[4]


@dataclass(frozen=True)
class PlannedKey:
    """A key and its times, in Unix seconds: it is listed from ``published`` and signs from ``starts``.

    It signs until ``ends``, and is listed until ``withdrawn``.
    """

    line: Line
    key: SigningKey
    published: float
    starts: float
    ends: float
    withdrawn: float


class KeyPlan:
    """All keys under a seed. Rotations are at irregular times, and lines rotate independently of each other.

    One key, :attr:`stolen`, is stolen on day 200 (:attr:`stolen_since`, Unix seconds). Three days later the issuer
    notices, signs with the next key, and withdraws the stolen one at once; every other key stays listed for some days.
    """

    def __init__(self, seed: int) -> None:
        rng = random.Random(f"{seed}/keys")  # noqa: S311 - times of a test, not secrets
        self.seed = seed
        self.stolen_since = START + 200 * DAY + rng.randrange(12 * HOUR)
        self.detected = self.stolen_since + 3 * DAY
        self.lines = {line: self._keys_of(line, seed, rng) for line in LINES}
        self.keys = tuple(planned for line in LINES for planned in self.lines[line])
        self.stolen = self.current(STOLEN_LINE, self.stolen_since)

    def _keys_of(self, line: Line, seed: int, rng: random.Random) -> tuple[PlannedKey, ...]:
        length = (END - START) / _KEYS_PER_LINE
        changes = [START + round(n * length) + rng.randrange(-9 * DAY, 9 * DAY) for n in range(1, _KEYS_PER_LINE)]
        if line == STOLEN_LINE:
            changes[next(n for n, at in enumerate(changes) if at > self.stolen_since)] = self.detected
        starts, ends = [START, *changes], [*changes, END]
        name = f"{line.issuer.removeprefix('https://').removesuffix('.example')}-{line.algorithm.lower()}"
        rsa_lines = [each for each in LINES if each.algorithm == "RS256"]
        first_rsa = _KEYS_PER_LINE * rsa_lines.index(line) if line in rsa_lines else 0
        return tuple(
            PlannedKey(
                line,
                seeded_key(line.algorithm, f"{name}-{n + 1}", seed=seed, rsa_index=first_rsa + n),
                published=starts[n] - rng.randrange(1 * DAY, 3 * DAY),
                starts=starts[n],
                ends=ends[n],
                withdrawn=ends[n] if ends[n] == self.detected else ends[n] + rng.randrange(2 * DAY, 4 * DAY),
            )
            for n in range(_KEYS_PER_LINE)
        )

    def current(self, line: Line, at: float) -> PlannedKey:
        """Return the key that signs the tokens of ``line`` at a time of the year (Unix seconds)."""
        return next(planned for planned in self.lines[line] if at < planned.ends or planned.ends == END)

    def listed(self, issuer: str, at: float) -> tuple[PlannedKey, ...]:
        """Return the keys that the issuer publishes at that time (Unix seconds)."""
        return tuple(
            planned
            for planned in self.keys
            if planned.line.issuer == issuer and planned.published <= at < planned.withdrawn
        )

    def key_set(self, issuer: str, at: float) -> KeySet:
        """Return the keys that the issuer publishes at that time (Unix seconds), as a key set."""
        return _key_set(self.listed(issuer, at))

    def unlisted(self, line: Line, at: float, *, margin: float) -> tuple[PlannedKey, ...]:
        """Return the keys of ``line`` that are not listed at that time, nor ``margin`` seconds before or after.

        The stolen key is never among them: it would be a compromised key, not an unknown one.
        """
        return tuple(
            planned
            for planned in self.lines[line]
            if (planned.withdrawn + margin < at or at < planned.published - margin) and planned is not self.stolen
        )


@functools.lru_cache(maxsize=256)
def _key_set(listed: tuple[PlannedKey, ...]) -> KeySet:
    return KeySet.from_json({"keys": [planned.key.public_jwk() for planned in listed]})
