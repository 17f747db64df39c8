"""What an access token must meet, and the Verifier that requires it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from watchword.arguments import as_audience
from watchword.dpop import DpopVerifier
from watchword.issuer import Issuer
from watchword.providers.profiles.authgent import Rules
from watchword.verifier import Verifier

if TYPE_CHECKING:
    from watchword import AnyAudience
    from watchword.jwks.source import KeySource

#: authgent-server signs with ES256, and binds tokens to ES256 keys.
ALGORITHMS: Final = ("ES256",)

#: Where nothing else is said, no proof is accepted twice by anything in this process.
DPOP: Final = DpopVerifier(algorithms=ALGORITHMS)


class Demands(NamedTuple):
    """The rules for tokens of one issuer, and what verifies their proofs."""

    rules: Rules
    dpop: DpopVerifier

    @classmethod
    def of(
        cls,
        issuer: str,
        audience: str | Iterable[str] | AnyAudience | None,
        *,
        leeway: float = 0,
        bound_tokens: Literal["reject", "accept"] = "reject",
        dpop: DpopVerifier | None = None,
    ) -> Demands:
        """What a caller said, completed."""
        rules = Rules(issuers=(issuer,), audience=as_audience(audience), leeway=leeway, bound_tokens=bound_tokens)
        return cls(rules, DPOP if dpop is None else dpop)

    def verifier(self, keys: KeySource) -> Verifier:
        """A Verifier that requires what the kernel can check of this, with keys from there."""
        (issuer,) = self.rules.issuers
        return Verifier([Issuer(issuer, source=keys)], dpop=self.dpop, **self.rules.requirements())


__all__ = ["ALGORITHMS", "DPOP", "Demands"]
