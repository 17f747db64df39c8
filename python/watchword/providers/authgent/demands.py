"""What is demanded of an access token, and the Verifier that demands it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from watchword._kernel import ANY_AUDIENCE, VerifiedToken
from watchword.dpop import DpopVerifier
from watchword.errors import WrongAudienceError
from watchword.issuer import Issuer, as_audience
from watchword.providers.profiles.authgent import PROFILE, check_access_token
from watchword.verifier import Verifier

if TYPE_CHECKING:
    from watchword._kernel import _AnyAudience
    from watchword.jwks.source import KeySource

#: authgent-server signs with ES256, and binds tokens to ES256 keys.
ALGORITHMS: Final = ("ES256",)

#: Where nothing else is said, no proof is accepted twice by anything in this process.
DPOP: Final = DpopVerifier(algorithms=ALGORITHMS)


class Demands(NamedTuple):
    """What a token must be."""

    issuer: str
    audience: str | tuple[str, ...] | _AnyAudience | None
    leeway: float
    bound_tokens: Literal["reject", "accept"]
    dpop: DpopVerifier

    @classmethod
    def of(
        cls,
        issuer: str,
        audience: str | Iterable[str] | _AnyAudience | None,
        *,
        leeway: float = 0,
        bound_tokens: Literal["reject", "accept"] = "reject",
        dpop: DpopVerifier | None = None,
    ) -> Demands:
        """What a caller said, completed."""
        return cls(issuer, as_audience(audience), leeway, bound_tokens, DPOP if dpop is None else dpop)

    def verifier(self, keys: KeySource) -> Verifier:
        """A Verifier that demands this, with keys from there."""
        return Verifier(
            [Issuer(self.issuer, source=keys)],
            audience=ANY_AUDIENCE if self.audience is None else self.audience,
            algorithms=ALGORITHMS,
            types=PROFILE.types,
            leeway=self.leeway,
            required=PROFILE.required,
            bound_tokens=self.bound_tokens,
            dpop=self.dpop,
        )

    def check(self, token: VerifiedToken) -> None:
        """What the Verifier cannot say. Raises :class:`~watchword.VerificationError`.

        Who has not said who they are may take what is for nobody in particular: tokens without an audience, and those
        for the issuer itself, as authgent-server's are where no resource was asked for.
        """
        if self.audience is None and token.audience and self.issuer not in token.audience:
            raise WrongAudienceError("the token is for an audience: say which one is yours (audience=)")
        check_access_token(token)


__all__ = ["ALGORITHMS", "DPOP", "Demands"]
