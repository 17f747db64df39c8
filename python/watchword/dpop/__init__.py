"""DPoP (RFC 9449): proofs that the sender of an access token has the key that the token is bound to.

    proof = watchword.dpop.verify_proof(header, method="GET", uri="https://api.example/orders", access_token=raw)
    token = watchword.verify(raw, keys, policy, proof=proof)

A :class:`DpopVerifier` adds a replay cache, so that no proof is accepted twice, and nonces; ``Verifier.verify_request``
verifies a whole request. :class:`DpopProver` is the client's side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword._kernel import DpopProof, ProofPolicy, UnverifiedProof, normalize_uri
from watchword.dpop.nonces import Nonces
from watchword.dpop.replay import AsyncReplayStore, MemoryReplayStore, ReplayStore
from watchword.dpop.verifier import DpopVerifier, verify_proof
from watchword.errors import DPOP_ALGORITHMS, ProofRequiredError
from watchword.errors import dpop as _errors
from watchword.errors.dpop import *  # noqa: F403

if TYPE_CHECKING:
    from watchword.holder.dpop_prover import DpopProver

__all__ = [
    "DPOP_ALGORITHMS",
    "AsyncReplayStore",
    "DpopProof",
    "DpopProver",
    "DpopVerifier",
    "MemoryReplayStore",
    "Nonces",
    "ProofPolicy",
    "ProofRequiredError",
    "ReplayStore",
    "UnverifiedProof",
    "normalize_uri",
    "verify_proof",
]
__all__ += _errors.__all__


def __getattr__(name: str) -> object:
    # Imported on first use: a resource server never needs the client's side.
    if name == "DpopProver":
        from watchword.holder.dpop_prover import DpopProver

        return DpopProver
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
