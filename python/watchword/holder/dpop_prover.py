"""DPoP proofs of a client, signed with its key pair (RFC 9449 section 4.2)."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from watchword import base64url
from watchword._kernel import normalize_uri, thumbprint

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    _PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


class DpopProver:
    """Makes DPoP proofs (RFC 9449 section 4.2). It may be used from any number of threads at once.

    A new key pair is made for ``algorithm``: ``ES256`` (P-256, the default; every authorization server supports it) or
    ``EdDSA`` (Ed25519). ``private_key`` is a key of yours instead: an ``Ed25519PrivateKey`` or a P-256
    ``EllipticCurvePrivateKey`` of the package ``cryptography``, or one in PEM without a password. ``clock`` returns
    Unix seconds.

    Raises ``ValueError`` or ``TypeError`` if the algorithm or the kind of key is another, or they do not match.
    """

    def __init__(
        self,
        algorithm: Literal["ES256", "EdDSA"] | None = None,
        *,
        private_key: _PrivateKey | bytes | str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        from watchword.holder import keys  # cryptography is slow to import, and only needed here

        key = keys.new(algorithm or "ES256") if private_key is None else keys.load(private_key)
        if algorithm is not None and keys.algorithm(key) != algorithm:
            raise ValueError(f"private_key is a key for {keys.algorithm(key)}, and algorithm is {algorithm}")
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
        """The JWS algorithm of the proofs."""
        return self._algorithm

    def proof(self, method: str, uri: str, access_token: str | bytes | None = None, nonce: str | None = None) -> str:
        """Return a proof for one request: the value of its ``DPoP`` header.

        ``uri`` is the request's; its query and fragment are removed (RFC 9449 section 4.2). ``access_token`` must be
        given if the request carries one. ``nonce`` is the last one received from the server (``DPoP-Nonce``).

        Raises ``ValueError`` if ``uri`` is not an absolute http or https URI.
        """
        claims: dict[str, Any] = {
            "jti": base64url.encode(os.urandom(16)),
            "htm": method,
            "htu": normalize_uri(uri),
            "iat": int(self._clock()),
        }
        if access_token is not None:
            import hashlib

            token = access_token.encode() if isinstance(access_token, str) else access_token
            claims["ath"] = base64url.encode(hashlib.sha256(token).digest())
        if nonce is not None:
            claims["nonce"] = nonce
        signing_input = f"{self._header}.{_encoded(claims)}"
        return f"{signing_input}.{base64url.encode(self._sign(signing_input.encode()))}"

    def __repr__(self) -> str:
        """Return the algorithm and the public key's thumbprint."""
        return f"DpopProver(algorithm={self._algorithm!r}, jkt={self._jkt!r})"

    def __reduce__(self) -> tuple[object, ...]:
        """Raise ``TypeError``: a private key stays in its process."""
        raise TypeError("a DpopProver stays in the process that made it")


def _encoded(document: dict[str, Any]) -> str:
    return base64url.encode(json.dumps(document, separators=(",", ":")).encode())


__all__ = ["DpopProver"]
