"""The DPoP proofs of a log (RFC 9449 section 4.2), each with the defect of its case."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import watchword
from watchword import base64url
from watchword.testing.draft import Draft
from watchword.testing.request_defects import RequestDefect
from watchword.testing.signing_key import SigningKey
from watchword.testing.token_log.cases import MALFORMED_PROOF, Case
from watchword.testing.token_log.seeded_keys import seeded_key

_HOUR = 3600
_HOLDERS = 40


class Holder:
    """A client with a key pair, which its tokens are bound to: ``jkt`` is its thumbprint (RFC 7638)."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self._jwk = {name: value for name, value in key.public_jwk().items() if name in ("kty", "crv", "x", "y")}
        self.jkt = watchword.thumbprint(self._jwk)

    def header(self) -> dict[str, Any]:
        """Return the header of its proofs."""
        return {"typ": "dpop+jwt", "alg": self.key.algorithm, "jwk": self._jwk}


def holders(seed: int) -> tuple[Holder, ...]:
    """Return the clients under that seed, with ES256 and EdDSA in turn."""
    algorithms = [("ES256", "EdDSA")[n % 2] for n in range(_HOLDERS)]
    return tuple(Holder(seeded_key(algorithm, f"holder-{n}", seed=seed)) for n, algorithm in enumerate(algorithms))


def proof(
    case: Case, holder: Holder, other: Holder, rng: random.Random, request: tuple[str, str], token: str, at: float
) -> str:
    """Return the proof for a request (method and URI) with ``token`` at that time (Unix seconds).

    It has the defect of ``case``. ``other`` is another client with a key for the same algorithm.
    """
    method, uri = request
    claims: dict[str, Any] = {
        "jti": f"{rng.getrandbits(128):032x}",
        "htm": method,
        "htu": uri,
        "iat": int(at),
        "ath": base64url.encode(hashlib.sha256(token.encode()).digest()),
    }
    draft = Draft(holder.key, holder.header(), claims, int(at))
    match case.defect:
        case RequestDefect.PROOF_FORGED:
            draft.sign = other.key.sign
        case RequestDefect.PROOF_OF_ANOTHER_KEY:
            draft.header, draft.sign = other.header(), other.key.sign
        case RequestDefect.PROOF_FOR_ANOTHER_METHOD:
            claims["htm"] = "DELETE" if method != "DELETE" else "GET"
        case RequestDefect.PROOF_FOR_ANOTHER_PATH:
            claims["htu"] = f"{uri}/items"
        case RequestDefect.PROOF_FOR_ANOTHER_HOST:
            claims["htu"] = uri.replace("://", "://other.", 1)
        case RequestDefect.PROOF_FOR_ANOTHER_TOKEN:
            claims["ath"] = base64url.encode(hashlib.sha256(b"another token").digest())
        case RequestDefect.PROOF_WITHOUT_TOKEN_HASH:
            del claims["ath"]
        case RequestDefect.PROOF_EXPIRED:
            claims["iat"] -= _HOUR
        case RequestDefect.PROOF_ISSUED_IN_FUTURE:
            claims["iat"] += _HOUR
        case _:
            pass
    text = draft.write()
    return text[:100] if case is MALFORMED_PROOF else text
