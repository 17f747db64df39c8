"""What an access token must meet, and the Verifier that requires it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from watchword import Issuer, Verifier
from watchword.arguments import as_audience
from watchword.dpop import DpopVerifier
from watchword.providers.profiles.authgent import Rules

if TYPE_CHECKING:
    from watchword import AnyAudience
    from watchword.jwks import KeySource

#: authgent-server signs with ES256, and binds tokens to ES256 keys.
ALGORITHMS: Final = ("ES256",)


class Requirements(NamedTuple):
    """The rules for tokens of one issuer, and what verifies their proofs."""

    rules: Rules
    dpop: DpopVerifier

    @classmethod
    def of(
        cls,
        issuer: str,
        audience: str | Iterable[str] | AnyAudience | None,
        dpop: DpopVerifier,
        *,
        leeway: float = 0,
        bound_tokens: Literal["reject", "accept"] = "reject",
    ) -> Requirements:
        """Return the requirements for a caller's arguments."""
        rules = Rules(issuers=(issuer,), audience=as_audience(audience), leeway=leeway, bound_tokens=bound_tokens)
        return cls(rules, dpop)

    def verifier(self, keys: KeySource) -> Verifier:
        """Return a Verifier that checks what the kernel can check of these, with keys from ``keys``."""
        (issuer,) = self.rules.issuers
        return Verifier([Issuer(issuer, source=keys)], dpop=self.dpop, **self.rules.requirements())


__all__ = ["ALGORITHMS", "Requirements"]
