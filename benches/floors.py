"""Targets, and what was measured. Ratios are medians of the ratios within a round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from libraries import BARE, CACHED
from measured import Measured
from rounds import difference, median, ratio


@dataclass(frozen=True)
class Floor:
    """A target. ``measure`` raises ``KeyError`` if the groups that it needs did not run."""

    work: str
    against: str
    wanted: float
    measure: Callable[[Measured], float]
    at_most: bool = False
    unit: str = "×"


@dataclass(frozen=True)
class Verdict:
    floor: Floor
    found: float | None

    @property
    def holds(self) -> bool | None:
        if self.found is None:
            return None
        return self.found <= self.floor.wanted if self.floor.at_most else self.found >= self.floor.wanted


def verdicts(measured: Measured) -> list[Verdict]:
    return [Verdict(floor, _found(floor, measured)) for floor in FLOORS]


def _found(floor: Floor, measured: Measured) -> float | None:
    try:
        return floor.measure(measured)
    except KeyError:
        return None


def _times_as_fast(work: str, what: str, ours: str, other: str) -> Callable[[Measured], float]:
    return lambda measured: ratio(measured[work, what], other, ours)


def _verify(algorithm: str, other: str, wanted: float) -> Floor:
    measure = _times_as_fast("verify", algorithm, "Watchword", other)
    return Floor(f"{algorithm} `verify`, prepared key, claims checked", other, wanted, measure)


def _signature(name: str, state: str, ours: str, other: str, wanted: float) -> Floor:
    measure = _times_as_fast(f"signature in Rust, key {state}", name, ours, other)
    return Floor(f"{name} signature in Rust, key {state}", other, wanted, measure)


def _prepared(name: str, other: str, wanted: float) -> Floor:
    return _signature(name, "prepared", "Watchword", other, wanted)


def _cold(name: str, other: str, wanted: float) -> Floor:
    return _signature(name, "never seen", "Watchword, from the key's bytes", other, wanted)


def _around(measured: Measured) -> float:
    return difference(measured["around the signature", "EdDSA"], "Watchword", "signature alone")


def _gate_over_verify(measured: Measured) -> float:
    return difference(measured["the gate in Rust", "EdDSA"], "gate, new token", "verify")


def _gate_hit(measured: Measured) -> float:
    return median(measured["the gate in Rust", "EdDSA"], "gate, token in the cache")


def _hit(measured: Measured) -> float:
    return median(measured["verify", "EdDSA"], CACHED)


_MANY = "Watchword verify_many, 2 threads"
_ONE = "Watchword verify_many, 1 thread"

FLOORS = (
    _verify("EdDSA", "PyJWT", 12),
    _verify("EdDSA", "joserfc", 10),
    _verify("EdDSA", BARE, 7),
    _verify("ES256", "PyJWT", 6.5),
    _verify("ES256", BARE, 2.9),
    _verify("RS256", "PyJWT", 2.7),
    _verify("RS256", "joserfc", 1.7),
    _prepared("Ed25519", "aws-lc-rs ParsedPublicKey", 2.5),
    _prepared("P-256", "aws-lc-rs ParsedPublicKey", 2.6),
    _cold("Ed25519", "aws-lc-rs UnparsedPublicKey", 0.75),
    _cold("P-256", "aws-lc-rs UnparsedPublicKey", 0.75),
    _cold("P-256", "p256", 3.5),
    _prepared("RSA-2048 PKCS#1", "aws-lc-rs ParsedPublicKey", 0.45),
    _prepared("RSA-2048 PKCS#1", "rsa 0.9", 4),
    Floor("everything around the signature, EdDSA", "", 2, _around, at_most=True, unit="µs"),
    Floor("the gate in Rust, new EdDSA token", "`verify` alone", 1, _gate_over_verify, at_most=True, unit="µs"),
    Floor("the gate in Rust, token in the cache", "", 1.5, _gate_hit, at_most=True, unit="µs"),
    Floor("token-cache hit from Python", "", 0.5, _hit, at_most=True, unit="µs"),
    Floor(
        "token-cache hit from Python",
        "fast-jwt, token cached",
        10,
        _times_as_fast("cached token", "EdDSA", CACHED, "fast-jwt, token cached"),
    ),
    Floor("`verify_many`, 2 threads, EdDSA", "1 thread", 1.7, _times_as_fast("batch of 512", "EdDSA", _MANY, _ONE)),
    Floor(
        "`verify_many`, 2 threads, EdDSA",
        "PyJWT in a loop",
        22,
        _times_as_fast("batch of 512", "EdDSA", _MANY, "PyJWT in a loop"),
    ),
    Floor(
        "2 threads calling `verify`, EdDSA",
        "1 thread",
        1.6,
        _times_as_fast("threads", "EdDSA", "Watchword, 2 threads", "Watchword, 1 thread"),
    ),
    Floor(
        "`ResourceScopes.allows`, 20 scopes",
        "authpi-idp",
        70,
        _times_as_fast("scopes, resource: allows", "20 held", "Watchword", "authpi-idp"),
    ),
    Floor(
        "DPoP proof, key never seen",
        "authgent",
        2.5,
        _times_as_fast("DPoP proof", "ES256", "Watchword, key never seen", "authgent, key never seen"),
    ),
    Floor(
        "DPoP proof, key seen before",
        "authgent",
        8,
        _times_as_fast("DPoP proof", "ES256", "Watchword, key seen before", "authgent, key seen before"),
    ),
)
