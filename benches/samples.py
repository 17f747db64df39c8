"""What the contenders are given: the same tokens, by one key, and the same tokens with something wrong with them."""

from __future__ import annotations

import base64
import json
from typing import Any

from watchword.testing import LocalIssuer

ISSUER = "https://as.example"
AUDIENCE = "https://api.example"

#: How many tokens are gone through in turn, so that none of them is known by heart.
TOKENS = 64

#: Twelve, with those that every token of the issuer has: about 720 bytes of token.
CLAIMS = {
    "aud": AUDIENCE,
    "sub": "client:agnt_7f3a9d514d5e8f43",
    "client_id": "agnt_7f3a9d514d5e8f43",
    "scope": "orders:read orders:write invoices:read invoices:write customers:read",
    "agent_type": "autonomous",
    "agent_model": "planner-2",
    "tenant": "northwind",
    "session": "0b1e6f0c-9d51-4d5e-8f43-1f0a7b7d2c11",
}

#: Seconds for which the tokens are good: longer than any run.
LIFETIME = 86_400


class Samples:
    """``count`` tokens of one algorithm, the key that verifies them, and tokens that must be refused."""

    def __init__(self, algorithm: str, count: int = TOKENS) -> None:
        self.algorithm = algorithm
        self.issuer = LocalIssuer(ISSUER, algorithms=(algorithm,))
        self.tokens = [self._mint() for _ in range(count)]
        self.jwks = self.issuer.jwks()
        self.jwk: dict[str, Any] = dict(self.jwks["keys"][0])
        #: Refused by whoever verifies the signature.
        self.forged = [self._swapped(), self._altered()]
        #: Refused by whoever looks at the claims as well.
        self.unfit = [
            self._mint(expires_in=-3600),
            self._mint(aud="https://other.example"),
            self._mint(iss="https://x"),
        ]

    def task(self) -> dict[str, Any]:
        """All of it as a child process is told."""
        names = ("algorithm", "jwks", "tokens", "forged", "unfit")
        return {**{name: getattr(self, name) for name in names}, "issuer": ISSUER, "audience": AUDIENCE}

    def _mint(self, **changes: Any) -> str:
        return self.issuer.mint(CLAIMS, **{"expires_in": LIFETIME, **changes})

    def _swapped(self) -> str:
        """One token under the signature of another."""
        first, second = self.tokens[0], self._mint()
        return first.rpartition(".")[0] + "." + second.rpartition(".")[2]

    def _altered(self) -> str:
        """A signature in the middle of which one bit is the other way round."""
        signed, _, signature = self.tokens[0].rpartition(".")
        raw = bytearray(from_base64url(signature))
        raw[len(raw) // 2] ^= 1
        return f"{signed}.{base64url(bytes(raw))}"


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def split(token: str) -> tuple[bytes, bytes]:
    """The signed message and the signature."""
    signed, _, signature = token.rpartition(".")
    return signed.encode(), from_base64url(signature)


def header(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(from_base64url(token.partition(".")[0]))
    return found
