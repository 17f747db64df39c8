"""The service's side: whether a token is an agent's, and whose."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from watchword._kernel import KeySet, TokenCache, VerifiedToken
from watchword.arguments import as_audience, as_tuple
from watchword.errors import KeysUnavailableError, VerificationError
from watchword.issuer import Issuer
from watchword.issuer_keys import IssuerKeys
from watchword.jwks import CacheSettings
from watchword.jwks.events import Listener
from watchword.providers.clawauth.exceptions import ClawAuthError
from watchword.providers.clawauth.no_keys import NoKeys
from watchword.providers.clawauth.types import Agent, VerifyTokenResponse
from watchword.providers.profiles.clawauth import AGENT_ID_PREFIX, ClaimNames, Rules

if TYPE_CHECKING:
    import types as _types

    from watchword import AnyAudience
    from watchword.jwks.fetch import HttpxClient

BASE_URL = "https://api.clawauth.com"


class ClawAuth:
    """Verifies agents' tokens, offline. Make one for the life of the process; any threads and event loops may use it.

    ``service_id`` is what the service is called: a token that names audiences must name it. ``api_key`` is kept for
    calls of ClawAuth's servers; verifying needs none. ``base_url`` is ClawAuth's, and what ``iss`` must be where
    ``issuer`` is not given; ``check_issuer=False`` says openly that ``iss`` is not looked at.

    The keys come from one of ``jwks`` (a JWK Set as a mapping, JSON or a ``KeySet``), ``pem`` (a public key in PEM),
    ``jwks_file`` and ``jwks_uri``, as for :class:`watchword.Issuer`. They must be P-256 keys: an agent's token is
    signed by ES256, and nothing else is ever accepted. ``httpx_client``, ``cache_settings``, ``allow_loopback_http``
    and
    ``on_event`` are for ``jwks_uri``. ``token_cache`` remembers verified tokens: an agent sends the same for an hour.

    ``audience`` demands that the token names this audience, or one of these (``watchword.ANY_AUDIENCE``: whatever it
    names). ``required`` lists claims that must be there beside ``exp``. ``claim_names`` says which claims mean what;
    ``agent_id_prefix`` is how agents' ids begin, so that a person's token is never an agent's (``""``: anyhow).
    ``types`` are the values of ``typ`` that are accepted; ``leeway`` is by how many seconds clocks may differ;
    ``clock`` tells Unix seconds.

    Raises ``TypeError`` or ``ValueError`` where these cannot be meant.
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
        httpx_client: HttpxClient | None = None,
        cache_settings: CacheSettings | None = None,
        token_cache: TokenCache | None = None,
        allow_loopback_http: bool = False,
        on_event: Listener | None = None,
    ) -> None:
        for name, value in (("service_id", service_id), ("api_key", api_key), ("base_url", base_url)):
            if not isinstance(value, str):
                raise TypeError(f"{name} must be a string")
            if not value:
                raise ValueError(f"{name} must not be empty")
        if not isinstance(agent_id_prefix, str):
            raise TypeError("agent_id_prefix must be a string")
        self._service_id = service_id
        self._api_key = api_key
        self._base_url = base_url
        if httpx_client is not None:
            from watchword.jwks.fetch import HttpxFetcher  # sockets are slow to import

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
            source=None if given else NoKeys(),
            cache_settings=cache_settings or CacheSettings(),
            allow_loopback_http=allow_loopback_http,
        )
        self._keys = IssuerKeys(
            source,
            accepted_issuers=(name,) if check_issuer else "any",
            fetcher=HttpxFetcher(httpx_client) if httpx_client is not None else None,
            token_cache=token_cache,
            clock=clock,
            on_event=on_event,
        )
        if (jwks is not None or pem is not None) and not self._keys.can_verify("ES256"):
            raise ValueError("none of the keys is for ES256: agents' tokens are signed by P-256 keys")

    def verify(self, token: str | bytes, *, now: float | None = None) -> VerifyTokenResponse:
        """Verifies an agent's token as of ``now`` in Unix seconds (``None``: by the clock).

        Returns the verdict, and never raises for a bad token. Raises :class:`~.exceptions.ClawAuthError`
        (``keys_unavailable``) where there are no keys to verify by, which says nothing of the token; ``TypeError`` for
        a token that is neither ``str`` nor ``bytes``.
        """
        try:
            return self._response(self._keys.verify(token, self._policy, now=now))
        except VerificationError as error:
            return _refused(error)

    async def verify_async(self, token: str | bytes, *, now: float | None = None) -> VerifyTokenResponse:
        """As :meth:`verify`, waiting without blocking the event loop."""
        try:
            return self._response(await self._keys.verify_async(token, self._policy, now=now))
        except VerificationError as error:
            return _refused(error)

    def close(self) -> None:
        """Ends the refreshing of keys in the background."""
        self._keys.close()

    def __enter__(self) -> ClawAuth:
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: _types.TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    def __repr__(self) -> str:
        return f"ClawAuth(service_id={self._service_id!r}, base_url={self._base_url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a ClawAuth stays in the process that made it")

    def _response(self, token: VerifiedToken) -> VerifyTokenResponse:
        return VerifyTokenResponse(valid=True, agent=Agent(**self._rules.check(token)))


def _refused(error: VerificationError) -> VerifyTokenResponse:
    if isinstance(error, KeysUnavailableError):
        raise ClawAuthError(error.detail, code=str(error.code)) from error
    return VerifyTokenResponse(valid=False, error=str(error))
