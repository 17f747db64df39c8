"""What stands in for a signature where the connection is trusted to have brought the ID token unchanged.

OpenID Connect Core 1.0 section 3.1.3.7 (6) lets a client that got the ID token from the token endpoint itself, over
TLS, skip the signature. It lets nobody skip the rest. So the payload is signed here, by a key that never leaves this
process, and goes through the kernel like any other token.
"""

from __future__ import annotations

import json

import watchword
from watchword import KeySet, Policy, VerifiedToken, base64url


class ChannelKey:
    """A key of one process, which vouches for what a trusted connection brought."""

    def __init__(self) -> None:
        # Slow to import, and of use to those only who trust their connections.
        from watchword.holder import keys

        key = keys.new("EdDSA")
        self._sign = keys.signer(key)
        self._keys = KeySet.from_json(keys.public_jwk(key))

    def vouch(self, token: str | bytes, policy: Policy, now: float) -> tuple[VerifiedToken, object]:
        """The token under the policy, whoever signed it, and the ``alg`` that its own header names.

        The form is the kernel's matter to the last bit, header and payload; only who signed is not. Raises
        :class:`~watchword.VerificationError`.
        """
        unverified = watchword.decode_unverified(token)
        header = {"alg": "EdDSA", **({"typ": unverified.header["typ"]} if "typ" in unverified.header else {})}
        signing_input = f"{base64url.encode(json.dumps(header).encode())}.{base64url.encode(unverified.payload)}"
        signed = f"{signing_input}.{base64url.encode(self._sign(signing_input.encode('ascii')))}"
        return watchword.verify(signed, self._keys, policy, now=now), unverified.header["alg"]
