"""The archive of the year's keys: what somebody saw who looked every six hours."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import NamedTuple

import watchword
from watchword.jwks.archive import ArchiveWriter
from watchword.testing.token_log.key_plan import (
    ARCHIVE_START,
    DAY,
    END,
    HOUR,
    ISSUERS,
    POLL_INTERVAL,
    KeyPlan,
    PlannedKey,
)

#: How many polls of each issuer fail.
_FAILED_POLLS = 5


class Poll(NamedTuple):
    """One look at an issuer's keys, in Unix seconds: the keys that it listed, ``None`` if it could not be reached."""

    time: float
    issuer: str
    keys: tuple[PlannedKey, ...] | None


def polls(plan: KeyPlan) -> Iterator[Poll]:
    """Yield all polls, from a week after the beginning of the year to a day after its end.

    A few fail: none of them at a change of the keys, and not two in succession.
    """
    times = range(ARCHIVE_START, END + 1 * DAY + 1, POLL_INTERVAL)
    rng = random.Random(f"{plan.seed}/polls")  # noqa: S311 - times of a test, not secrets
    failed = {issuer: _failed_polls(plan, issuer, times, rng) for issuer in ISSUERS}
    for number, time in enumerate(times):
        for issuer in ISSUERS:
            yield Poll(time, issuer, None if number in failed[issuer] else plan.listed(issuer, time))


def _failed_polls(plan: KeyPlan, issuer: str, times: range, rng: random.Random) -> set[int]:
    quiet = [
        number
        for number in range(2, len(times) - 2, 4)
        if plan.listed(issuer, times[number - 1]) == plan.listed(issuer, times[number + 1])
    ]
    return set(rng.sample(quiet, _FAILED_POLLS))


def write_archive(path: str | os.PathLike[str], plan: KeyPlan) -> None:
    """Write the archive of all polls, and, from when the theft was noticed, that the stolen key is compromised."""
    with ArchiveWriter(path) as writer:
        is_noticed = False
        for poll in polls(plan):
            if not is_noticed and poll.time >= plan.detected + HOUR:
                is_noticed = True
                _record_theft(writer, plan)
            if poll.keys is None:
                writer.record_unreachable(poll.issuer, "HTTP status 503", poll.time, _source(poll.issuer))
            else:
                jwks = {"keys": [planned.key.public_jwk() for planned in poll.keys]}
                writer.record_key_set(poll.issuer, jwks, poll.time, _source(poll.issuer))


def _record_theft(writer: ArchiveWriter, plan: KeyPlan) -> None:
    jwk = plan.stolen.key.public_jwk()
    writer.record_compromised(
        plan.stolen.line.issuer,
        watchword.thumbprint(jwk),
        since=plan.stolen_since,
        note="stolen",
        key_id=plan.stolen.key.key_id,
        time=plan.detected + HOUR,
    )


def _source(issuer: str) -> str:
    return f"{issuer}/jwks.json"
