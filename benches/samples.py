"""The input of all contenders: distinct valid tokens signed by one key, and invalid ones made from them."""

from __future__ import annotations

import base64
import functools
import json
from typing import Any

from watchword.testing import LocalIssuer

ISSUER = "https://as.example"
AUDIENCE = "https://api.example"

#: How many distinct tokens a contender verifies in turn: more than the processor's caches and branch predictors keep.
#: (With 64, Ed25519 looked up to a fifth faster than it is.)
TOKENS = 4096
#: The same for ``--quick``, which measures nothing.
QUICK_TOKENS = 64

#: With those that the issuer adds to every token, twelve claims: a token of about 720 bytes.
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

#: Lifetime of the tokens in seconds: longer than any run.
LIFETIME = 86_400


class Samples:
    """``count`` tokens of one algorithm, the key that verifies them, and tokens that must be rejected.

    Use :func:`samples`, which mints them once for all groups.
    """

    def __init__(self, algorithm: str, count: int) -> None:
        self.algorithm = algorithm
        self.issuer = LocalIssuer(ISSUER, algorithms=(algorithm,))
        self.tokens = [self._mint() for _ in range(count)]
        self.jwks = self.issuer.jwks()
        self.jwk: dict[str, Any] = dict(self.jwks["keys"][0])
        #: Rejected by every contender that verifies the signature.
        self.forged = [self._swapped(), self._altered()]
        #: Rejected by every contender that checks claims too.
        self.unfit = [
            self._mint(expires_in=-3600),
            self._mint(aud="https://other.example"),
            self._mint(iss="https://x"),
        ]

    def task(self) -> dict[str, Any]:
        """The samples as a child process receives them."""
        names = ("algorithm", "jwks", "tokens", "forged", "unfit")
        return {**{name: getattr(self, name) for name in names}, "issuer": ISSUER, "audience": AUDIENCE}

    def _mint(self, **changes: Any) -> str:
        return self.issuer.mint(CLAIMS, **{"expires_in": LIFETIME, **changes})

    def _swapped(self) -> str:
        """A token with the signature of another one."""
        first, second = self.tokens[0], self._mint()
        return first.rpartition(".")[0] + "." + second.rpartition(".")[2]

    def _altered(self) -> str:
        """A token with one bit of its signature flipped."""
        signed, _, signature = self.tokens[0].rpartition(".")
        raw = bytearray(from_base64url(signature))
        raw[len(raw) // 2] ^= 1
        return f"{signed}.{base64url(bytes(raw))}"


@functools.cache
def samples(algorithm: str, count: int = TOKENS) -> Samples:
    """Return the samples of an algorithm. They are minted once: 4,096 signatures take up to four seconds."""
    return Samples(algorithm, count)


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
