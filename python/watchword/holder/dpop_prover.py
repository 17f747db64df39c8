"""The client's side of DPoP: a key pair, and proofs signed by it (RFC 9449 section 4.2)."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from watchword._kernel import normalize_uri, thumbprint

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    _PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


class DpopProver:
    """Makes proofs. It may be used from any number of threads at once.

    A new key pair is made for ``algorithm``: ``ES256`` (P-256; what every authorization server takes) or ``EdDSA``
    (Ed25519). ``private_key`` is a key of yours instead: an ``Ed25519PrivateKey`` or a P-256
    ``EllipticCurvePrivateKey`` of the package ``cryptography``, or one in PEM without a password. ``clock`` tells Unix
    seconds.

    Raises ``ValueError`` or ``TypeError`` for another algorithm or another kind of key.
    """

    def __init__(
        self,
        algorithm: Literal["ES256", "EdDSA"] | None = None,
        *,
        private_key: _PrivateKey | bytes | str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        from watchword.holder import keys  # cryptography takes long to import

        key = keys.new(algorithm or "ES256") if private_key is None else keys.load(private_key)
        if algorithm is not None and keys.algorithm(key) != algorithm:
            raise ValueError("private_key is not a key for this algorithm")
        self._sign: Callable[[bytes], bytes] = keys.signer(key)
        self._algorithm = keys.algorithm(key)
        self._jwk = keys.public_jwk(key)
        self._jkt = thumbprint(self._jwk)
        self._clock = clock
        # The same in every proof.
        self._header = _encoded({"typ": "dpop+jwt", "alg": self._algorithm, "jwk": self._jwk})

    @property
    def jkt(self) -> str:
        """The RFC 7638 thumbprint of the public key: what a token is bound to (``cnf.jkt``, ``dpop_jkt``)."""
        return self._jkt

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as a JWK."""
        return dict(self._jwk)

    @property
    def algorithm(self) -> str:
        """The algorithm of the proofs."""
        return self._algorithm

    def proof(self, method: str, uri: str, access_token: str | bytes | None = None, nonce: str | None = None) -> str:
        """A proof for one request: the value of its ``DPoP`` header.

        ``uri`` is the request's; its query and fragment are left out (RFC 9449 section 4.2). ``access_token`` must be
        given where the request carries one. ``nonce`` is the one that the server gave last (``DPoP-Nonce``).

        Raises ``ValueError`` where ``uri`` is not an absolute http or https URI.
        """
        claims: dict[str, Any] = {
            "jti": _base64url(os.urandom(16)),
            "htm": method,
            "htu": normalize_uri(uri),
            "iat": int(self._clock()),
        }
        if access_token is not None:
            import hashlib

            token = access_token.encode() if isinstance(access_token, str) else access_token
            claims["ath"] = _base64url(hashlib.sha256(token).digest())
        if nonce is not None:
            claims["nonce"] = nonce
        signing_input = f"{self._header}.{_encoded(claims)}"
        return f"{signing_input}.{_base64url(self._sign(signing_input.encode()))}"

    def __repr__(self) -> str:
        """The algorithm and the public key's thumbprint."""
        return f"DpopProver(algorithm={self._algorithm!r}, jkt={self._jkt!r})"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuses: a key stays in its process."""
        raise TypeError("a DpopProver stays in the process that made it")


def _encoded(document: dict[str, Any]) -> str:
    return _base64url(json.dumps(document, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
