"""What verifying offline takes, for threads and for event loops: settings, keys, one way to a verdict."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from watchword._kernel import Policy, VerifiedToken
from watchword.arguments import as_tuple
from watchword.errors import KeysUnavailableError, VerificationError
from watchword.issuer import Issuer
from watchword.issuer_keys import IssuerKeys
from watchword.jwks import CacheSettings
from watchword.jwks.events import Listener, Stats
from watchword.jwks.urls import check_url
from watchword.providers.paphwey.errors import PaphweyTransportError, PaphweyVerificationError
from watchword.providers.paphwey.models import ActionContext, VerifiedOutcome
from watchword.providers.profiles import reason_of
from watchword.providers.profiles.paphwey import JWKS_PATH
from watchword.providers.profiles.paphwey.action import Action, AmountRule
from watchword.providers.profiles.paphwey.attestation import Expected, Rules
from watchword.providers.profiles.paphwey.claim_names import ClaimNames

if TYPE_CHECKING:
    from watchword.jwks.fetch import Fetcher, HttpxClient

_V = TypeVar("_V", bound="OfflineBase")
ExpectedAction = Mapping[str, Any] | ActionContext | None

#: Five minutes, as Paphwey documents it: the gateway's ``Cache-Control`` may only shorten that.
CACHE = CacheSettings(ttl=300, max_ttl=300)


class OfflineBase:
    """What both verifiers share: how they are made, and what they demand."""

    def __init__(
        self,
        issuer: Issuer,
        *,
        claim_names: ClaimNames | None = None,
        amount: AmountRule = "at_most",
        on_invalid: Literal["raise", "return"] = "raise",
        algorithms: Iterable[str] | None = None,
        types: Iterable[str | None] = ("JWT", "vc+jwt", None),
        credential_issuers: Iterable[str] = (),
        credential_type: str | None = None,
        required: Iterable[str] = (),
        leeway: float = 5,
        clock: Callable[[], float] = time.time,
        httpx_client: HttpxClient | None = None,
        fetcher: Fetcher | None = None,
        on_event: Listener | None = None,
    ) -> None:
        if not isinstance(issuer, Issuer):
            raise TypeError("issuer must be a watchword.Issuer; from_base_url makes one")
        if issuer.requirements():
            raise ValueError(
                "say to the verifier, not to the Issuer, what is demanded: " + ", ".join(issuer.requirements())
            )
        if amount not in ("at_most", "exactly"):
            raise ValueError('amount must be "at_most" or "exactly"')
        if on_invalid not in ("raise", "return"):
            raise ValueError('on_invalid must be "raise" or "return"')
        if claim_names is not None and not isinstance(claim_names, ClaimNames):
            raise TypeError("claim_names must be a ClaimNames")
        self._rules = Rules(
            issuers=(issuer.issuer,),
            algorithms=as_tuple("algorithms", algorithms),
            types=as_tuple("types", types) or (),
            required=as_tuple("required", required) or (),
            leeway=leeway,
            credential_issuers=frozenset(as_tuple("credential_issuers", credential_issuers) or ()),
            credential_type=credential_type,
            names=claim_names or ClaimNames(),
            amount=amount,
        )
        # Made for every audience; the kernel judges its other arguments here already.
        self._policy = functools.lru_cache(maxsize=64)(
            lambda audience: dataclasses.replace(self._rules, audience=audience).policy()
        )
        self._policy("any")
        self._returns_invalid = on_invalid == "return"
        if httpx_client is not None:
            from watchword.jwks.fetch import HttpxFetcher  # sockets are slow to import

            fetcher = HttpxFetcher(httpx_client)
        self._keys = IssuerKeys(
            issuer,
            accepted_issuers=(issuer.issuer, None),
            fetcher=fetcher,
            clock=clock,
            on_event=on_event,
        )

    @classmethod
    def from_base_url(
        cls: type[_V],
        base_url: str,
        *,
        issuer: str | None = None,
        jwks_uri: str | None = None,
        httpx_client: HttpxClient | None = None,
        cache_settings: CacheSettings = CACHE,
        allow_loopback_http: bool = False,
        **settings: Any,  # noqa: ANN401 - those of the constructor
    ) -> _V:
        """A verifier of the attestations of the gateway at ``base_url``. Nothing is fetched before it is needed.

        ``issuer`` is what ``iss`` must be: ``base_url`` without its final slash where it is not given. ``jwks_uri`` is
        where the keys are: ``/.well-known/jwks.json`` under ``base_url`` where it is not given. ``httpx_client`` is a
        client of yours (``httpx2.Client`` or ``httpx.Client``) to fetch them with; closing it stays with you.
        ``cache_settings``
        is how long they are kept: 5 minutes by default. URLs are https; ``allow_loopback_http=True`` lets http to this
        very machine pass, for development. ``settings`` are the constructor's.

        Raises ``TypeError`` or ``ValueError`` for what cannot be meant.
        """
        if not isinstance(base_url, str):
            raise TypeError("base_url must be a string")
        check_url(base_url, allow_loopback_http=allow_loopback_http, what="base_url")
        root = base_url.rstrip("/")
        return cls(
            Issuer(
                issuer or root,
                jwks_uri=jwks_uri or root + JWKS_PATH,
                cache_settings=cache_settings,
                allow_loopback_http=allow_loopback_http,
            ),
            httpx_client=httpx_client,
            **settings,
        )

    def stats(self) -> Stats:
        """What happened to the keys: fetches, failures, how old they are."""
        return self._keys.stats()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._rules.issuers[0]!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError(f"a {type(self).__name__} stays in the process that made it")

    def _demands(self, audience: str, delegation_id: str, action: ExpectedAction) -> tuple[Policy, Expected]:
        for name, value in (("audience", audience), ("expected_delegation_id", delegation_id)):
            # None would read as "whatever it says".
            if not isinstance(value, str):
                raise TypeError(f"{name} must be a string")
        if isinstance(action, ActionContext):
            action = action.model_dump(exclude_none=True)
        return self._policy(audience), Expected(delegation_id, None if action is None else Action.of(action))

    def _verify(
        self, raw: str | bytes, audience: str, delegation_id: str, action: ExpectedAction, now: float | None
    ) -> VerifiedOutcome:
        policy, expected = self._demands(audience, delegation_id, action)
        try:
            return self._outcome(self._keys.verify(raw, policy, now=now), expected, now)
        except VerificationError as error:
            return self._invalid(error)

    async def _verify_async(
        self, raw: str | bytes, audience: str, delegation_id: str, action: ExpectedAction, now: float | None
    ) -> VerifiedOutcome:
        policy, expected = self._demands(audience, delegation_id, action)
        try:
            return self._outcome(await self._keys.verify_async(raw, policy, now=now), expected, now)
        except VerificationError as error:
            return self._invalid(error)

    def _outcome(self, token: VerifiedToken, expected: Expected, now: float | None) -> VerifiedOutcome:
        found = self._rules.check(token, now=self._keys.at(now), expected=expected)
        return VerifiedOutcome(
            valid=True,
            claims=token.claims,
            delegation=found.delegation,
            actor_chain=found.actor_chain,
            receipt_id=found.receipt_id,
            cnf_jwk=found.confirmation_key,
        )

    def _invalid(self, error: VerificationError) -> VerifiedOutcome:
        """Raises as Paphwey does, or returns the outcome that is not valid."""
        if isinstance(error, KeysUnavailableError):
            raise transport_error(error) from error
        code = reason_of(error)
        if self._returns_invalid:
            return VerifiedOutcome(valid=False, code=code)
        raise PaphweyVerificationError(error.detail, code=code) from error


def transport_error(error: KeysUnavailableError) -> PaphweyTransportError:
    """That the keys could not be had, as Paphwey says it."""
    return PaphweyTransportError(error.detail, code=str(error.code))
