"""What the verifiers for threads and for event loops share: settings, keys, and the steps of a verification."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from watchword import Issuer, IssuerKeys, Policy, VerifiedToken
from watchword.arguments import as_tuple
from watchword.errors import KeysUnavailableError, VerificationError
from watchword.jwks import CacheSettings, Listener, Stats
from watchword.jwks.urls import check_url
from watchword.providers.paphwey.errors import PaphweyTransportError, PaphweyVerificationError
from watchword.providers.paphwey.models import ActionContext, VerifiedOutcome, VerifyOutcomeRequest
from watchword.providers.profiles import reason_of
from watchword.providers.profiles.paphwey import JWKS_PATH
from watchword.providers.profiles.paphwey.action import Action, AmountRule
from watchword.providers.profiles.paphwey.attestation import Expected, Rules
from watchword.providers.profiles.paphwey.claim_names import ClaimNames
from watchword.waiting import Steps

if TYPE_CHECKING:
    from watchword.jwks import Fetcher, HttpxClient

_V = TypeVar("_V", bound="OfflineBase")
ExpectedAction = Mapping[str, Any] | ActionContext | None

#: Five minutes, as Paphwey documents: ``Cache-Control`` of the gateway may only shorten it.
CACHE = CacheSettings(ttl=300, max_ttl=300)


class OfflineBase:
    """What both verifiers share: their settings, and the steps of a verification."""

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
        if requirements := issuer.requirements():
            raise ValueError(f"give {', '.join(requirements)} to the verifier, not to the Issuer")
        if issuer.aliases or issuer.tenants is not None:
            raise ValueError(
                f"the issuer {issuer.issuer!r} has aliases or tenants: make a verifier for each value of iss instead"
            )
        if amount not in ("at_most", "exactly"):
            raise ValueError(f'amount is {amount!r}: it must be "at_most" or "exactly"')
        if on_invalid not in ("raise", "return"):
            raise ValueError(f'on_invalid is {on_invalid!r}: it must be "raise" or "return"')
        if claim_names is not None and not isinstance(claim_names, ClaimNames):
            raise TypeError(f"claim_names must be a ClaimNames, not {type(claim_names).__name__}")
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
        # One for each audience. The first call finds what is invalid in the other settings.
        self._policy = functools.lru_cache(maxsize=64)(
            lambda audience: dataclasses.replace(self._rules, audience=audience).policy()
        )
        self._policy("any")
        self._returns_invalid = on_invalid == "return"
        if httpx_client is not None:
            from watchword.jwks import HttpxFetcher  # sockets are slow to import

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
        """Return a verifier of the attestations of the gateway at ``base_url``. Nothing is fetched before it is needed.

        ``issuer`` is the required ``iss``, by default ``base_url`` without its final slash. ``jwks_uri`` is the URL of
        the keys, by default ``/.well-known/jwks.json`` below ``base_url``. ``httpx_client`` is your own client
        (``httpx2.Client`` or ``httpx.Client``), which fetches them and which the caller closes. ``cache_settings`` sets
        how long they are cached, by default 5 minutes. URLs must be https; ``allow_loopback_http=True`` also allows
        http to loopback, for development. ``settings`` are those of the constructor.

        Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
        """
        if not isinstance(base_url, str):
            raise TypeError(f"base_url must be a string, not {type(base_url).__name__}")
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
        """Return the counters of the keys: fetches, failures, their age."""
        return self._keys.stats()

    def steps(self, asked: VerifyOutcomeRequest) -> Steps[VerifiedOutcome]:
        """Return the steps of a verification, for threads and for event loops."""
        return self._verify(
            asked.attestation_token, asked.audience, asked.expected_delegation_id, asked.expected_action, None
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._rules.issuers[0]!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied: make one in each process")

    def _verify(
        self, raw: str | bytes, audience: str, delegation_id: str, action: ExpectedAction, now: float | None
    ) -> Steps[VerifiedOutcome]:
        policy, expected = self._requirements(audience, delegation_id, action)
        try:
            token = self._keys.verify_current(raw, policy, now)
            if token is None:
                token = yield from self._keys.verify_fetching(raw, policy, now=now)
            return self._outcome(token, expected, now)
        except KeysUnavailableError as error:
            raise _transport_error(error) from error
        except VerificationError as error:
            code = reason_of(error)
            if self._returns_invalid:
                return VerifiedOutcome(valid=False, code=code)
            raise PaphweyVerificationError(error.detail, code=code) from error

    def _refresh(self) -> Steps[None]:
        try:
            yield self._keys.source.refresh()
        except KeysUnavailableError as error:
            raise _transport_error(error) from error

    def _requirements(self, audience: str, delegation_id: str, action: ExpectedAction) -> tuple[Policy, Expected]:
        for name, value in (("audience", audience), ("expected_delegation_id", delegation_id)):
            # None would be understood as "any".
            if not isinstance(value, str):
                raise TypeError(f"{name} must be a string, not {type(value).__name__}")
        if isinstance(action, ActionContext):
            action = action.model_dump(exclude_none=True)
        return self._policy(audience), Expected(delegation_id, None if action is None else Action.of(action))

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


def _transport_error(error: KeysUnavailableError) -> PaphweyTransportError:
    return PaphweyTransportError(error.detail, code=str(error.code))
