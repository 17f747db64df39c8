"""ID tokens whose signature need not be verified, because they came from the token endpoint over TLS.

OpenID Connect Core 1.0 section 3.1.3.7 (6) allows a client to skip the signature then, and nothing else. So the payload
is signed again with a key that never leaves this process, and verified as any other token is.
"""

from __future__ import annotations

import json

import watchword
from watchword import KeySet, Policy, VerifiedToken, base64url


class ChannelKey:
    """A key of this process, which replaces the signatures of tokens from a trusted connection."""

    def __init__(self) -> None:
        # Slow to import, and rarely needed.
        from watchword.holder import KeyPair

        self._key = KeyPair.generate("EdDSA")
        self._keys = KeySet.from_json(self._key.public_jwk)

    def verify(self, token: str | bytes, policy: Policy, now: float) -> tuple[VerifiedToken, object]:
        """Verify a token under the policy, except for its signature. Returns it, and the ``alg`` of its own header.

        Raises :class:`~watchword.VerificationError`.
        """
        unverified = watchword.decode_unverified(token)
        header = {"alg": "EdDSA", **({"typ": unverified.header["typ"]} if "typ" in unverified.header else {})}
        signing_input = f"{base64url.encode(json.dumps(header).encode())}.{base64url.encode(unverified.payload)}"
        signed = f"{signing_input}.{base64url.encode(self._key.sign(signing_input.encode('ascii')))}"
        return watchword.verify(signed, self._keys, policy, now=now), unverified.header["alg"]
