"""Verify the ID token of a token set, and make the agent that it belongs to."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from watchword import Issuer, VerifiedToken, Verifier
from watchword.providers.authpi.agent import AuthenticatedAgent
from watchword.providers.authpi.errors import ConfigurationError, OAuthError, TokenParseError, translate_errors
from watchword.providers.authpi.token_sets import Tokens, agent_of, agent_without_id_token, id_token_of, token_set
from watchword.providers.authpi.trusted_channel import ChannelKey
from watchword.providers.profiles.authpi import FOREIGN_CLAIMS, SUBJECT_PREFIXES, Rules
from watchword.waiting import Steps, finish, finish_async

if TYPE_CHECKING:
    import types

    from watchword import KeySet, TokenCache
    from watchword.jwks import Fetcher


class IdTokenVerifier:
    """Makes an :class:`AuthenticatedAgent` of a token set, after verifying its ID token.

    ``issuer_url`` is the ``iss`` of the ID tokens (without final slashes, as in the package), ``client_id`` the client
    that they must be for. The issuer's keys are discovered (OpenID Connect Discovery), unless they are given as for
    :class:`watchword.Issuer`: ``jwks``, ``jwks_uri``, ``jwks_file`` or ``pem``. ``algorithms`` are those accepted
    (``None``: those of the keys); ``trusted_audiences`` may be in ``aud`` in addition to the client;
    ``subject_prefixes`` are the prefixes that a subject may have (``None``: any); ``foreign_claims`` are those of other
    kinds of tokens, which an ID token must not have (by default :data:`FOREIGN_CLAIMS`; without them, an access token
    of the same issuer for this client may pass for an ID token); ``leeway`` is in seconds; ``allow_loopback_http``
    and ``allow_http_hosts`` allow keys over plain http, as for :class:`watchword.Issuer`; ``fetcher`` fetches the keys
    (:class:`watchword.jwks.Fetcher`); ``token_cache`` caches verified tokens (:class:`watchword.TokenCache`); ``clock``
    returns Unix seconds, used if ``now`` is ``None``.

    Make one for the life of the process: it caches the keys. Nothing is fetched before the first token. Raises
    :class:`ConfigurationError` if an argument is invalid.
    """

    def __init__(
        self,
        issuer_url: str,
        client_id: str,
        *,
        jwks: Mapping[str, Any] | str | bytes | KeySet | None = None,
        jwks_uri: str | None = None,
        jwks_file: str | os.PathLike[str] | None = None,
        pem: str | bytes | None = None,
        algorithms: Iterable[str] | None = None,
        trusted_audiences: Iterable[str] = (),
        subject_prefixes: Iterable[str] | None = SUBJECT_PREFIXES,
        foreign_claims: Iterable[str] = FOREIGN_CLAIMS,
        leeway: float = 5,
        allow_loopback_http: bool = False,
        allow_http_hosts: Iterable[str] = (),
        fetcher: Fetcher | None = None,
        token_cache: TokenCache | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(client_id, str) or not client_id.strip():
            raise ConfigurationError(f"client_id is {client_id!r}: it must be the id of the client at the issuer")
        if not isinstance(issuer_url, str) or not issuer_url.strip("/ "):
            raise ConfigurationError(f"issuer_url is {issuer_url!r}: it must be the URL of the issuer")
        if isinstance(trusted_audiences, str) or isinstance(subject_prefixes, str):
            raise ConfigurationError("trusted_audiences and subject_prefixes must be lists of strings, not one string")
        foreign = None if isinstance(foreign_claims, str) or foreign_claims is None else tuple(foreign_claims)
        if foreign is None or not all(isinstance(name, str) for name in foreign):
            raise ConfigurationError("foreign_claims must be a list of the names of claims; an empty one for none")
        self._issuer = issuer_url.rstrip("/")
        self._client_id = client_id
        self._clock = clock
        self._channel_key: ChannelKey | None = None
        try:
            self._rules = Rules(
                issuers=(self._issuer,),
                audience=client_id,
                trusted_audiences=tuple(trusted_audiences),
                subject_prefixes=None if subject_prefixes is None else tuple(subject_prefixes),
                foreign_claims=foreign,
                leeway=leeway,
            )
            issuer = Issuer(
                self._issuer,
                jwks=jwks,
                jwks_uri=jwks_uri,
                jwks_file=jwks_file,
                pem=pem,
                algorithms=algorithms,
                allow_loopback_http=allow_loopback_http,
                allow_http_hosts=allow_http_hosts,
            )
            requirements = self._rules.requirements()
            self._verifier = Verifier([issuer], clock=clock, fetcher=fetcher, token_cache=token_cache, **requirements)
            self._channel_policy = self._rules.policy()
        except (ValueError, TypeError) as error:
            raise ConfigurationError(str(error)) from None

    # ID tokens.

    def verify(self, id_token: str | bytes, *, nonce: str | None = None, now: float | None = None) -> VerifiedToken:
        """Verify an ID token as of ``now`` in Unix seconds (OpenID Connect Core 1.0 section 3.1.3.7).

        ``nonce`` is the one that was sent with the login, if any. Returns the token. Raises :class:`TokenExpiredError`,
        :class:`TokenParseError` if it is invalid otherwise, ``OAuthError`` with ``invalid_nonce``, and with
        ``temporarily_unavailable`` if the issuer's keys are unavailable.
        """
        return finish(self._verify(id_token, nonce, now))

    async def verify_async(
        self, id_token: str | bytes, *, nonce: str | None = None, now: float | None = None
    ) -> VerifiedToken:
        """As :meth:`verify`, waiting for keys without blocking the event loop."""
        return await finish_async(self._verify(id_token, nonce, now))

    # Token sets.

    def create_agent(
        self, tokens: Tokens, *, nonce: str | None = None, expected_sub: str | None = None, now: float | None = None
    ) -> AuthenticatedAgent:
        """Return the agent that a token set belongs to, after verifying its ID token as :meth:`verify` does.

        ``expected_sub`` is the required subject: the former one, if the tokens were refreshed. A token set without an
        ID token is rejected, since nothing else in it can be verified. Raises what :meth:`verify` raises, and
        :class:`SubjectMismatchError`.
        """
        return finish(self._create_agent(tokens, nonce, expected_sub, now))

    async def create_agent_async(
        self, tokens: Tokens, *, nonce: str | None = None, expected_sub: str | None = None, now: float | None = None
    ) -> AuthenticatedAgent:
        """As :meth:`create_agent`, waiting for keys without blocking the event loop."""
        return await finish_async(self._create_agent(tokens, nonce, expected_sub, now))

    def create_agent_from_trusted_channel(
        self, tokens: Tokens, *, nonce: str | None = None, expected_sub: str | None = None, now: float | None = None
    ) -> AuthenticatedAgent:
        """Return the agent of a token set **without verifying its signature**.

        Use it only for the token endpoint's response, received by this process over TLS a moment ago: whoever can write
        a session could put any agent into it. All but the signature is checked as in :meth:`verify`. A token set
        without an ID token, which the client credentials grant returns, belongs to its ``subject_hint``, or to the
        client itself. Raises :class:`TokenParseError` if it has a refresh token and neither an ID token nor a
        ``subject_hint``.
        """
        found = token_set(tokens)
        if found.id_token is None:
            if found.subject_hint is None and found.refresh_token is not None:
                raise TokenParseError("the token set has neither an ID token nor a subject_hint")
            return agent_without_id_token(found, found.subject_hint or self._client_id, expected_sub)
        if self._channel_key is None:
            self._channel_key = ChannelKey()
        with translate_errors():
            at = self._clock() if now is None else now
            token, algorithm = self._channel_key.verify(found.id_token, self._channel_policy, at)
            self._check(token, nonce)
        return agent_of(found, token, algorithm, expected_sub)

    # Keys.

    def refresh(self) -> None:
        """Fetch the issuer's keys now, to fail early. Raises ``OAuthError`` if that fails."""
        with translate_errors():
            self._verifier.refresh()

    def close(self) -> None:
        """Drop the keys, and stop what runs in the background. A second call has no effect."""
        self._verifier.close()

    def __enter__(self) -> IdTokenVerifier:
        """Return the object itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> IdTokenVerifier:
        """Return the object itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Return the issuer and the client."""
        return f"IdTokenVerifier({self._issuer!r}, {self._client_id!r})"

    def _verify(self, id_token: str | bytes, nonce: str | None, now: float | None) -> Steps[VerifiedToken]:
        if not isinstance(id_token, (str, bytes)):
            raise TypeError(f"an ID token must be str or bytes, not {type(id_token).__name__}")
        with translate_errors():
            token = self._verifier.verify_current(id_token, now=now)
            if token is None:
                token = yield from self._verifier.verify_fetching(id_token, now=now)
            return self._check(token, nonce)

    def _create_agent(
        self, tokens: Tokens, nonce: str | None, expected_sub: str | None, now: float | None
    ) -> Steps[AuthenticatedAgent]:
        found = token_set(tokens)
        token = yield from self._verify(id_token_of(found), nonce, now)
        return agent_of(found, token, token.header.get("alg"), expected_sub)

    def _check(self, token: VerifiedToken, nonce: str | None) -> VerifiedToken:
        self._rules.check(token)
        if nonce is not None:
            stated, sent = token.claims.get("nonce"), nonce.encode("utf-8", "surrogatepass")
            if not isinstance(stated, str) or not hmac.compare_digest(stated.encode(), sent):
                raise OAuthError("invalid_nonce", "the nonce of the ID token is not that of this login")
        return token


__all__ = ["IdTokenVerifier"]
