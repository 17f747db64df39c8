"""The service's side: agents' tokens, verified offline."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from watchword import Issuer, IssuerKeys, KeySet, TokenCache
from watchword.arguments import as_audience, as_tuple
from watchword.errors import KeysUnavailableError, VerificationError
from watchword.jwks import CacheSettings, Listener
from watchword.providers.clawauth.exceptions import ClawAuthError
from watchword.providers.clawauth.types import Agent, VerifyTokenResponse
from watchword.providers.clawauth.unavailable_keys import UnavailableKeys
from watchword.providers.profiles.clawauth import AGENT_ID_PREFIX, ClaimNames, Rules
from watchword.waiting import Steps, finish, finish_async

if TYPE_CHECKING:
    import types as _types

    from watchword import AnyAudience
    from watchword.jwks import Fetcher

BASE_URL = "https://api.clawauth.com"


class ClawAuth:
    """Verifies agents' tokens offline. Make one for the life of the process; any threads and event loops may use it.

    ``service_id`` is the id of the service: a token that has ``aud`` must name it. ``api_key`` is for calls of
    ClawAuth's servers; verification does not use it. ``base_url`` is ClawAuth's URL, and the required ``iss`` unless
    ``issuer`` is given; with ``check_issuer=False``, ``iss`` is not checked.

    The keys come from one of ``jwks`` (a JWK Set as a mapping, JSON or a ``KeySet``), ``pem`` (a public key in PEM),
    ``jwks_file`` and ``jwks_uri``, as for :class:`watchword.Issuer`. They must be P-256 keys: ES256 is the only
    algorithm that is accepted. ``fetcher`` (``watchword.jwks.HttpxFetcher(client)`` uses your own client),
    ``cache_settings``, ``allow_loopback_http`` and ``on_event`` apply to ``jwks_uri``. ``token_cache`` caches verified
    tokens: an agent sends the same one for an hour.

    ``audience`` is an audience that the token must name, or several (``watchword.ANY_AUDIENCE``: any). ``required``
    lists claims that must be present in addition to ``exp``. ``claim_names`` are the names of the claims;
    ``agent_id_prefix`` is the prefix of agents' ids, which tells them from people's (``""``: any id). ``types`` are the
    accepted values of ``typ``; ``leeway`` is the number of seconds by which clocks may differ; ``clock`` returns Unix
    seconds.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """

    def __init__(
        self,
        service_id: str,
        api_key: str,
        base_url: str = BASE_URL,
        *,
        jwks: Mapping[str, Any] | str | bytes | KeySet | None = None,
        pem: str | bytes | None = None,
        jwks_file: str | os.PathLike[str] | None = None,
        jwks_uri: str | None = None,
        issuer: str | None = None,
        check_issuer: bool = True,
        audience: str | Iterable[str] | AnyAudience | None = None,
        required: Iterable[str] = (),
        claim_names: ClaimNames | None = None,
        agent_id_prefix: str = AGENT_ID_PREFIX,
        types: Iterable[str | None] = ("JWT", None),
        leeway: float = 5,
        clock: Callable[[], float] = time.time,
        fetcher: Fetcher | None = None,
        cache_settings: CacheSettings | None = None,
        token_cache: TokenCache | None = None,
        allow_loopback_http: bool = False,
        on_event: Listener | None = None,
    ) -> None:
        for name, value in (("service_id", service_id), ("api_key", api_key), ("base_url", base_url)):
            if not isinstance(value, str):
                raise TypeError(f"{name} must be a string, not {type(value).__name__}")
            if not value:
                raise ValueError(f"{name} must not be empty")
        if not isinstance(agent_id_prefix, str):
            raise TypeError("agent_id_prefix must be a string")
        self._service_id = service_id
        self._api_key = api_key
        self._base_url = base_url
        name = issuer or base_url.rstrip("/")
        self._rules = Rules(
            issuers=(name,) if check_issuer else (),
            audience=as_audience(audience),
            types=as_tuple("types", types) or (),
            required=as_tuple("required", required) or (),
            leeway=leeway,
            service_id=service_id,
            claim_names=claim_names or ClaimNames(),
            agent_id_prefix=agent_id_prefix,
        )
        self._policy = self._rules.policy()
        given = any(way is not None for way in (jwks, pem, jwks_file, jwks_uri))
        source = Issuer(
            name,
            jwks=jwks,
            pem=pem,
            jwks_file=jwks_file,
            jwks_uri=jwks_uri,
            source=None if given else UnavailableKeys(),
            cache_settings=cache_settings or CacheSettings(),
            allow_loopback_http=allow_loopback_http,
        )
        self._keys = IssuerKeys(
            source,
            accepted_issuers=(name,) if check_issuer else "any",
            fetcher=fetcher,
            token_cache=token_cache,
            clock=clock,
            on_event=on_event,
        )
        if (jwks is not None or pem is not None) and not self._keys.can_verify("ES256"):
            raise ValueError("jwks or pem has no key for ES256: give the P-256 keys that sign agents' tokens")

    def verify(self, token: str | bytes, *, now: float | None = None) -> VerifyTokenResponse:
        """Verify an agent's token as of ``now`` in Unix seconds (``None``: the clock's).

        Returns the verdict, and never raises for an invalid token. Raises :class:`~.exceptions.ClawAuthError`
        (``keys_unavailable``) if there are no keys to verify it with; ``TypeError`` if the token is neither ``str`` nor
        ``bytes``.
        """
        return finish(self._verify(token, now))

    async def verify_async(self, token: str | bytes, *, now: float | None = None) -> VerifyTokenResponse:
        """As :meth:`verify`, waiting without blocking the event loop."""
        return await finish_async(self._verify(token, now))

    def close(self) -> None:
        """Stop refreshing keys in the background."""
        self._keys.close()

    def __enter__(self) -> ClawAuth:
        """Return the object itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: _types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        return f"ClawAuth(service_id={self._service_id!r}, base_url={self._base_url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a ClawAuth cannot be pickled or copied: make one in each process")

    def _verify(self, token: str | bytes, now: float | None) -> Steps[VerifyTokenResponse]:
        try:
            verified = self._keys.verify_current(token, self._policy, now)
            if verified is None:
                verified = yield from self._keys.verify_fetching(token, self._policy, now=now)
            return VerifyTokenResponse(valid=True, agent=Agent(**self._rules.check(verified)))
        except KeysUnavailableError as error:
            raise ClawAuthError(error.detail, code=str(error.code)) from error
        except VerificationError as error:
            return VerifyTokenResponse(valid=False, error=str(error))
