"""The client's side: the holder of a token and of a key proves possession of the key.

    key = watchword.holder.KeyPair.from_file("agent-key.pem")
    prover = watchword.holder.DpopProver(signer=key)
    headers = {"DPoP": prover.proof("GET", "https://api.example/orders", token)}

A :class:`KeyPair` is in this process's memory; a :class:`Signer` may be a key in a KMS or a PKCS#11 token instead.
:class:`DpopProver` makes DPoP proofs (RFC 9449), :class:`ChallengeSigner` signs the nonces of servers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.holder.challenge import ChallengeError, ChallengeSigner
from watchword.holder.dpop_prover import DpopProver
from watchword.holder.key_file import KeyFileError
from watchword.holder.signer import Signer, SignerError

if TYPE_CHECKING:
    from watchword.holder.checked_signer import check_signer
    from watchword.holder.ecdsa import ecdsa_from_der, ecdsa_to_der
    from watchword.holder.key_pair import KeyPair

__all__ = [
    "ChallengeError",
    "ChallengeSigner",
    "DpopProver",
    "KeyFileError",
    "KeyPair",
    "Signer",
    "SignerError",
    "check_signer",
    "ecdsa_from_der",
    "ecdsa_to_der",
]


def __getattr__(name: str) -> object:
    # Imported on first use: they import cryptography, which is slow, and a process that only verifies never needs it.
    if name == "KeyPair":
        from watchword.holder.key_pair import KeyPair

        return KeyPair
    if name == "check_signer":
        from watchword.holder.checked_signer import check_signer

        return check_signer
    if name in ("ecdsa_from_der", "ecdsa_to_der"):
        from watchword.holder import ecdsa

        return getattr(ecdsa, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
