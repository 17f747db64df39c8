"""A signing key is stolen: which uses of tokens were forged?

    python incident.py make DIR                writes a log of a year, the archive of the issuer's keys, and the ids of
                                               the tokens that the issuer issued
    python incident.py forged AUDIT ISSUED     prints the forged uses: those that an audit refused because the key was
                                               compromised, of tokens that the issuer never issued

All data are made up from a seed, the keys included, so that they are the same each time.
"""

from __future__ import annotations

import datetime
import gzip
import hashlib
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc
import pyarrow.dataset as ds
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from watchword import base64url
from watchword.holder import KeyPair
from watchword.jwks.archive import ArchiveWriter

ISSUER, AUDIENCE = "https://as.example", "https://api.example"
SEED = 14
AGENTS = [f"agent-{number:02}" for number in range(1, 21)]
VICTIMS = ["agent-03", "agent-11", "agent-17"]

HOUR = 3600.0
DAY = 24 * HOUR
LIFETIME = 7 * DAY  # of a token


def day(number: int, hour: float = 0) -> float:
    """The time in Unix seconds at that hour (UTC) of a day of 2025; the first day is 1."""
    return datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC).timestamp() + (number - 1) * DAY + hour * HOUR


STOLEN = day(200, 4)  # 2025-07-19T04:00:00Z
NOTICED = day(203, 14)  # 2025-07-22T14:00:00Z: the issuer withdraws the key, and signs with a new one
END = day(366)


class Use(NamedTuple):
    """A line of the log, and what nobody in the story knows."""

    time: float
    token: str
    forged: bool


@dataclass
class Key:
    """A key of the issuer: it signs from ``start`` on, and is published from ``published`` to ``withdrawn``."""

    key_id: str
    start: float
    published: float
    withdrawn: float

    def __post_init__(self) -> None:
        # A key that follows from a seed is no secret.
        seed = hashlib.sha256(f"{SEED}/{self.key_id}".encode()).digest()
        self._pair = KeyPair(Ed25519PrivateKey.from_private_bytes(seed))

    def jwk(self) -> dict[str, str]:
        return {**self._pair.public_jwk, "kid": self.key_id, "alg": "EdDSA", "use": "sig"}

    def sign(self, subject: str, issued_at: float, token_id: str) -> str:
        header = {"alg": "EdDSA", "kid": self.key_id, "typ": "at+jwt"}
        times = {"iat": int(issued_at), "exp": int(issued_at + LIFETIME)}
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "scope": "orders:read", "jti": token_id, **times}
        signed = ".".join(base64url.encode(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{base64url.encode(self._pair.sign(signed.encode()))}"


def all_keys() -> list[Key]:
    """One key a month, published a day before it signs, and for as long as its tokens live; and the one of day 203."""
    firsts = [datetime.datetime(2025, month, 1, tzinfo=datetime.UTC).timestamp() for month in range(1, 13)]
    keys = [
        Key(f"2025-{month:02}", first, first - DAY, following + LIFETIME + DAY)
        for month, (first, following) in enumerate(zip(firsts, [*firsts[1:], END], strict=True), 1)
    ]
    july = keys[6]
    keys.insert(7, Key("2025-07b", NOTICED, NOTICED, july.withdrawn))
    july.withdrawn = NOTICED
    return keys


def regular_uses(keys: list[Key], issued: list[str]) -> Iterator[Use]:
    """The agents' own: each obtains a token every few days, and uses it some times. ``issued`` gets the ids."""
    chance = random.Random(SEED)
    for agent in AGENTS:
        now = day(1) + chance.uniform(0, DAY)
        while now < END:
            key = [key for key in keys if key.start <= now][-1]
            issued.append(f"{chance.getrandbits(64):016x}")
            token = key.sign(agent, now, issued[-1])
            renewed = now + chance.uniform(4 * DAY, 6.5 * DAY)
            times = [chance.uniform(now, renewed) for _ in range(chance.randint(2, 4))]
            now = min(renewed, key.withdrawn)
            yield from (Use(time, token, forged=False) for time in times if time < min(now, END))


def forged_uses(stolen: Key) -> Iterator[Use]:
    """The thief's: tokens for other subjects, which look as if they had been issued before the key was stolen."""
    chance = random.Random(SEED + 1)
    for victim in VICTIMS:
        for _ in range(2):
            token = stolen.sign(victim, STOLEN - chance.uniform(HOUR, 2 * DAY), f"{chance.getrandbits(64):016x}")
            times = [chance.uniform(STOLEN, STOLEN + HOUR)]
            times += [chance.uniform(STOLEN + HOUR, NOTICED) for _ in range(chance.randint(1, 4))]
            # Services use a key set for an hour or two: so long they accept a key that is no longer in it.
            times.append(chance.uniform(NOTICED, NOTICED + HOUR))
            yield from (Use(time, token, forged=True) for time in times)
    # One that uses an old key set for even longer: the first poll that lacks the key is that at 00:00 of this day.
    last = stolen.sign(VICTIMS[0], STOLEN - HOUR, f"{chance.getrandbits(64):016x}")
    yield Use(day(204, 0.5), last, forged=True)


def make_year() -> tuple[list[Key], list[Use], list[str]]:
    """Return the keys, the uses in the order of their times, and the ids of all tokens that were issued."""
    keys, issued = all_keys(), list[str]()
    uses = [*regular_uses(keys, issued), *forged_uses(keys[6])]
    return keys, sorted(uses), sorted(issued)


def make(directory: str) -> None:
    folder = Path(directory)
    if folder.exists():
        sys.exit(f"{folder} exists already: give the name of a new directory")
    folder.mkdir(parents=True)
    keys, uses, issued = make_year()

    times = [datetime.datetime.fromtimestamp(int(use.time), datetime.UTC).isoformat() for use in uses]
    lines = [json.dumps({"time": time, "token": use.token}) for time, use in zip(times, uses, strict=True)]
    (folder / "requests.ndjson.gz").write_bytes(gzip.compress("\n".join([*lines, ""]).encode(), mtime=0))
    (folder / "issued.txt").write_text("".join(f"{token_id}\n" for token_id in issued))
    with ArchiveWriter(folder / "keys.ndjson") as archive:  # as `watchword keys watch --every 86400` writes it
        for number in range(1, 367):
            now = day(number)
            published = [key.jwk() for key in keys if key.published <= now < key.withdrawn]
            archive.record_key_set(ISSUER, {"keys": published}, now, f"{ISSUER}/jwks.json")
    print(f"{len(uses):,} uses of tokens; the issuer has issued {len(issued):,} tokens")


def forged(audit: str, issued: str) -> None:
    ids = Path(issued).read_text().split()
    parts = ds.dataset(sorted(str(path) for path in Path(audit, "parts").glob("*.parquet")))
    columns = ["row", "time", "subject", "token_id"]
    refused = parts.to_table(columns=columns, filter=pc.field("code") == "key_compromised")
    # One without a token_id was never issued, either.
    found = refused.filter(~pc.field("token_id").isin(ids)).to_pylist()
    print(f"{refused.num_rows} uses of a compromised key, {len(found)} of them of tokens that were never issued:")
    # The thief chose the subjects: a repr has no control characters, which a terminal would obey.
    for subject in sorted({repr(use["subject"]) for use in found}):
        uses = [use for use in found if repr(use["subject"]) == subject]
        print(f"\n{subject}: {len(uses)} uses of {len({use['token_id'] for use in uses})} tokens")
        print(f"  from {moment(uses[0])} to {moment(uses[-1])}")
        print("  rows", ", ".join(str(use["row"]) for use in uses))


def moment(use: dict[str, Any]) -> str:
    return f"{use['time']:%Y-%m-%d %H:%M:%S} UTC"


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", directory]:
            make(directory)
        case ["forged", audit, issued]:
            forged(audit, issued)
        case _:
            sys.exit(__doc__)
