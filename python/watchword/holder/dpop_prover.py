"""DPoP proofs of a client, signed with its key pair (RFC 9449 section 4.2)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from watchword import base64url
from watchword._kernel import normalize_uri, thumbprint
from watchword.holder.compact_jws import encode_part, sign_compact
from watchword.holder.signer import Signer

if TYPE_CHECKING:
    from watchword.holder.jwk import PrivateKey


class DpopProver:
    """Makes DPoP proofs (RFC 9449 section 4.2). It may be used from any number of threads at once.

    A new key pair is made for ``algorithm``: ``ES256`` (P-256, the default; every authorization server supports it) or
    ``EdDSA`` (Ed25519). Or give a key of yours: ``signer``, a :class:`KeyPair` or any other :class:`Signer`; or
    ``private_key``, an ``Ed25519PrivateKey`` or a P-256 ``EllipticCurvePrivateKey`` of the package ``cryptography``, or
    one in PEM without a password. ``clock`` returns Unix seconds.

    A signer that is not a :class:`KeyPair` signs a probe first, and each of its signatures is verified.

    Raises ``ValueError`` or ``TypeError`` if the algorithm or the kind of key is another, or they do not match, or two
    keys are given; :class:`SignerError` if the signer fails, or what it returns is invalid.
    """

    def __init__(
        self,
        algorithm: Literal["ES256", "EdDSA"] | None = None,
        *,
        private_key: PrivateKey | bytes | str | None = None,
        signer: Signer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # cryptography is slow to import, and only needed here
        from watchword.holder.checked_signer import check_signer
        from watchword.holder.key_pair import KeyPair

        if private_key is not None and signer is not None:
            raise ValueError("give one of private_key and signer")
        if signer is not None:
            self._signer: Signer = check_signer(signer)
        elif private_key is None:
            self._signer = KeyPair.generate(algorithm or "ES256")
        elif isinstance(private_key, (bytes, str)):
            self._signer = KeyPair.from_pem(private_key)
        else:
            self._signer = KeyPair(private_key)
        self._algorithm = self._signer.algorithm
        if algorithm is not None and self._algorithm != algorithm:
            raise ValueError(f"the key is for {self._algorithm}, and algorithm is {algorithm}")
        self._jwk = dict(self._signer.public_jwk)
        self._jkt = thumbprint(self._jwk)
        self._clock = clock
        # The same in every proof.
        self._header = encode_part({"typ": "dpop+jwt", "alg": self._algorithm, "jwk": self._jwk})

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

        Raises ``ValueError`` if ``uri`` is not an absolute http or https URI, or the token cannot be encoded as UTF-8;
        :class:`SignerError` if the signer fails.
        """
        claims: dict[str, Any] = {
            "jti": base64url.encode(os.urandom(16)),
            "htm": method,
            "htu": normalize_uri(uri),
            "iat": int(self._clock()),
        }
        if access_token is not None:
            import hashlib

            claims["ath"] = base64url.encode(hashlib.sha256(_bytes(access_token)).digest())
        if nonce is not None:
            claims["nonce"] = nonce
        return sign_compact(self._header, encode_part(claims), self._signer)

    def __repr__(self) -> str:
        """Return the algorithm and the public key's thumbprint."""
        return f"DpopProver(algorithm={self._algorithm!r}, jkt={self._jkt!r})"

    def __reduce__(self) -> tuple[object, ...]:
        """Raise ``TypeError``: a private key stays in its process."""
        raise TypeError("a DpopProver stays in the process that made it")


def _bytes(token: str | bytes) -> bytes:
    if not isinstance(token, str):
        return token
    with contextlib.suppress(UnicodeEncodeError):
        return token.encode()
    # Not the encoder's exception, which has the token as an attribute and in its repr.
    raise ValueError("access_token has a surrogate: it cannot be encoded as UTF-8")


__all__ = ["DpopProver"]
