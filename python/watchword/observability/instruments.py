"""What is measured: the name, the unit and the meaning of each metric, for Prometheus and OpenTelemetry alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

#: Upper bounds of the buckets of durations, in seconds: a cached token takes microseconds, a wait for keys seconds.
BUCKETS: tuple[float, ...] = tuple(
    float(f"{digits}e{exponent}") for exponent in range(-6, 1) for digits in ("1", "2.5", "5")
)

_UNITS = {"s": "seconds", "By": "bytes"}


@dataclass(frozen=True)
class Instrument:
    """A metric.

    ``name`` is OpenTelemetry's, ``unit`` is in UCUM, and :attr:`prometheus_name` follows from both. ``labels`` are the
    names of its labels. ``merge`` makes one value of those that two sources report for the same labels.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    description: str
    labels: tuple[str, ...] = ()
    merge: Callable[[Iterable[float]], float] = math.fsum

    @property
    def prometheus_name(self) -> str:
        """The name in Prometheus, without the ``_total`` of a counter, as OpenTelemetry's exporters derive it."""
        suffix = _UNITS.get(self.unit)
        return self.name.replace(".", "_") + (f"_{suffix}" if suffix else "")


VERDICTS = Instrument(
    "watchword.verdicts",
    "counter",
    "{verdict}",
    "Checked requests, by the configured issuer of the token, the code, the scheme, and whether the token was cached.",
    ("issuer", "code", "scheme", "cached"),
)
DURATION = Instrument(
    "watchword.verdict.duration",
    "histogram",
    "s",
    "Time that a check took, waiting for keys included.",
    ("result", "scheme", "cached"),
)

_ISSUER = ("issuer",)


def _key_counter(name: str, unit: str, description: str) -> Instrument:
    return Instrument(f"watchword.keys.{name}", "counter", unit, description, _ISSUER)


def _key_gauge(name: str, unit: str, description: str, merge: Callable[[Iterable[float]], float] = max) -> Instrument:
    return Instrument(f"watchword.keys.{name}", "gauge", unit, description, _ISSUER, merge)


#: By the field of :class:`watchword.jwks.Stats`.
KEYS = {
    "keys": _key_gauge("cached", "{key}", "Keys in the cached set of the issuer.", min),
    "rejected_keys": _key_gauge("rejected", "{key}", "Keys of the cached set that are not used, as they are invalid."),
    "age": _key_gauge("age", "s", "Time since the cached set was requested."),
    "expires_in": _key_gauge(
        "expires_in", "s", "Time until the cached set has expired, from when on tokens are rejected.", min
    ),
    "consecutive_failures": _key_gauge(
        "consecutive_failures", "{fetch}", "Failed fetches since the last successful one."
    ),
    "fetches": _key_counter("fetches", "{fetch}", "Fetches started; of a file: times it was read."),
    "failures": _key_counter("fetch_failures", "{fetch}", "Failed fetches."),
    "set_changes": _key_counter("set_changes", "{change}", "Times that a set with other keys replaced the cached one."),
    "stale_uses": _key_counter("stale_uses", "{lookup}", "Look-ups answered with a set past its lifetime."),
    "waits": _key_counter("waits", "{lookup}", "Look-ups that had to wait for a fetch."),
    "waits_rejected": _key_counter(
        "waits_rejected", "{lookup}", "Look-ups that did not wait, as too many others were waiting."
    ),
    "unavailable": _key_counter("unavailable", "{lookup}", "Look-ups that ended without keys."),
    "unknown_keys": _key_counter("unknown", "{lookup}", "Look-ups for a kid that the set does not have."),
    "cooldown_rejections": _key_counter(
        "unknown_limited", "{lookup}", "Look-ups for an unknown kid within the cooldown or the back-off: no fetch."
    ),
    "negative_hits": _key_counter(
        "unknown_repeated", "{lookup}", "Look-ups for a kid that the issuer did not know shortly before: no fetch."
    ),
}

#: By the field of :class:`watchword.TokenCacheStats`.
TOKEN_CACHE = {
    "hits": Instrument("watchword.token_cache.hits", "counter", "{token}", "Tokens found in the token cache."),
    "misses": Instrument(
        "watchword.token_cache.misses", "counter", "{token}", "Tokens not found in the token cache, and verified."
    ),
    "evictions": Instrument(
        "watchword.token_cache.evictions", "counter", "{token}", "Tokens evicted from the token cache for others."
    ),
    "tokens": Instrument("watchword.token_cache.tokens", "gauge", "{token}", "Tokens in the token cache."),
    "bytes": Instrument("watchword.token_cache.size", "gauge", "By", "Memory that the token cache takes."),
    "max_bytes": Instrument("watchword.token_cache.limit", "gauge", "By", "Memory that the token cache may take."),
}

REPLAY_PROOFS = Instrument(
    "watchword.replay_store.proofs", "gauge", "{proof}", "Used DPoP proofs in the replay store of the process."
)
REPLAY_CAPACITY = Instrument(
    "watchword.replay_store.capacity", "gauge", "{proof}", "DPoP proofs that fit into the replay store of the process."
)
LOG_LINES = Instrument(
    "watchword.decision_log.lines",
    "counter",
    "{line}",
    "Lines of the decision log: written, dropped by the rate limit, failed to be written.",
    ("result",),
)
BUILD = Instrument("watchword.build.info", "gauge", "", "1, with the version of Watchword.", ("version",), max)

__all__ = [
    "BUCKETS",
    "BUILD",
    "DURATION",
    "KEYS",
    "LOG_LINES",
    "REPLAY_CAPACITY",
    "REPLAY_PROOFS",
    "TOKEN_CACHE",
    "VERDICTS",
    "Instrument",
]
