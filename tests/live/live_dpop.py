"""A DPoP proof (RFC 9449 section 4.2), made with nothing but ``cryptography``."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Holder:
    """The holder of a P-256 key, who requests tokens that are bound to it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        self.jwk = {
            "crv": "P-256",
            "kty": "EC",
            "x": base64url(numbers.x.to_bytes(32, "big")),
            "y": base64url(numbers.y.to_bytes(32, "big")),
        }

    @property
    def thumbprint(self) -> str:
        """RFC 7638: the members in order, without white space, SHA-256."""
        canonical = json.dumps(self.jwk, separators=(",", ":"), sort_keys=True)
        return base64url(hashlib.sha256(canonical.encode()).digest())

    def proof(self, method: str, uri: str) -> str:
        """The value of the ``DPoP`` header for one request."""
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk}
        payload = {"jti": secrets.token_urlsafe(16), "htm": method, "htu": uri, "iat": int(time.time())}
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
