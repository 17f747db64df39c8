"""DPoP proofs, and their verifiers: Watchword, and the published package of authgent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

from libraries import CannotError, Verify, check

import watchword as ww

URI = "https://api.example.com/v1/orders"
TOKEN = "a" * 700
Algorithm = Literal["ES256", "EdDSA"]

#: A proof and, for those who ask for no more than that, the claims of the token it goes with.
Proof = tuple[str, dict[str, Any]]
Make = Callable[[], Proof]


def by_one_key(algorithm: Algorithm) -> Make:
    prover = ww.dpop.DpopProver(algorithm)
    return lambda: _proof(prover)


def by_new_keys(algorithm: Algorithm) -> Make:
    return lambda: _proof(ww.dpop.DpopProver(algorithm))


def _proof(prover: ww.dpop.DpopProver) -> Proof:
    return prover.proof("GET", URI, TOKEN), {"cnf": {"jkt": prover.jkt}}


def watchword() -> Verify:
    """With the hash of the access token and the key that it is bound to, which the other contender gets too."""

    def verify(proof: Proof) -> Any:
        text, claims = proof
        jkt = claims["cnf"]["jkt"]
        return ww.dpop.verify_proof(text, method="GET", uri=URI, access_token=TOKEN, expected_jkt=jkt)

    return verify


def watchword_authgent() -> Verify:
    """authgent's verb in Watchword, which also stores the proof in the replay cache."""
    from watchword.providers.authgent import verify_dpop_proof

    return lambda proof: verify_dpop_proof(proof[1], proof[0], "GET", URI)


def authgent() -> Verify:
    """Supports P-256 only, and takes no access token whose hash it could compare."""
    from authgent.dpop import verify_dpop_proof

    return lambda proof: verify_dpop_proof(proof[1], proof[0], "GET", URI)


VERIFIERS: dict[str, Callable[[], Verify]] = {
    "Watchword": watchword,
    "Watchword, authgent's verb": watchword_authgent,
    "authgent": authgent,
}


def verifier(name: str, algorithm: Algorithm) -> Verify:
    """Return a verifier that was checked: it accepts valid proofs and none that are forged, old or by another key.

    Raises :class:`CannotError` if there is none.
    """
    if name != "Watchword" and algorithm != "ES256":
        raise CannotError(f"authgent has no {algorithm}")
    try:
        verify = VERIFIERS[name]()
    except ImportError:
        raise CannotError(f"{name} is not installed") from None
    make = by_one_key(algorithm)
    good, other = make(), _proof(ww.dpop.DpopProver(algorithm))
    forged = good[0].rpartition(".")[0] + "." + make()[0].rpartition(".")[2]
    old = ww.dpop.DpopProver(algorithm, clock=lambda: time.time() - 3600)
    check(name, verify, [good, make()], [(forged, good[1]), (good[0], other[1]), _proof(old)])
    return verify
