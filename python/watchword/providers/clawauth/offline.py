"""Offline verification of agents' tokens."""

from __future__ import annotations

import inspect
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
from watchword.providers.profiles.clawauth import AGENT_ID_PREFIX, ClaimNames, Rules
from watchword.waiting import Steps

if TYPE_CHECKING:
    from watchword import AnyAudience
    from watchword.jwks import Fetcher


class OfflineVerifier:
    """Verifies tokens by keys that the service was given; the arguments are those of ``ClawAuth``."""

    def __init__(
        self,
        service_id: str,
        base_url: str,
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
        if not isinstance(agent_id_prefix, str):
            raise TypeError("agent_id_prefix must be a string")
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
        source = Issuer(
            name,
            jwks=jwks,
            pem=pem,
            jwks_file=jwks_file,
            jwks_uri=jwks_uri,
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

    def verify(self, token: str | bytes, now: float | None) -> Steps[VerifyTokenResponse]:
        """Return the verdict on a token as of ``now`` in Unix seconds (``None``: the clock's).

        Raises :class:`ClawAuthError` (``keys_unavailable``) if the keys are unavailable.
        """
        try:
            verified = self._keys.verify_current(token, self._policy, now)
            if verified is None:
                verified = yield from self._keys.verify_fetching(token, self._policy, now=now)
            return VerifyTokenResponse(valid=True, agent=Agent(**self._rules.check(verified)))
        except KeysUnavailableError as error:
            raise ClawAuthError(error.detail, code=str(error.code)) from error
        except VerificationError as error:
            return VerifyTokenResponse(valid=False, error=str(error))

    def close(self) -> None:
        """Stop refreshing keys in the background."""
        self._keys.close()


def changed_settings(settings: Mapping[str, object]) -> list[str]:
    """Return the names of the arguments of :class:`OfflineVerifier` that differ from their defaults."""
    defaults = inspect.signature(OfflineVerifier).parameters
    return [name for name, value in settings.items() if value != defaults[name].default]


__all__ = ["OfflineVerifier", "changed_settings"]
