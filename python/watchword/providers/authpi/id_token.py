"""From a token set to the agent it belongs to, through an ID token that is verified."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from watchword._kernel import VerifiedToken
from watchword.issuer import Issuer
from watchword.providers.authpi.agent import AuthenticatedAgent
from watchword.providers.authpi.errors import ConfigurationError, OAuthError, TokenParseError, translate_errors
from watchword.providers.authpi.token_sets import Tokens, agent_of, agent_without_id_token, id_token_of, token_set
from watchword.providers.authpi.trusted_channel import ChannelKey
from watchword.providers.profiles.authpi import SUBJECT_PREFIXES, Rules
from watchword.verifier import Verifier

if TYPE_CHECKING:
    import types

    from watchword._kernel import KeySet, TokenCache
    from watchword.jwks.fetch import Fetcher


class IdTokenVerifier:
    """Makes an :class:`AuthenticatedAgent` of a token set, by the ID token in it.

    ``issuer_url`` is the ``iss`` of the ID tokens (a slash at its end is left out, as in the package), ``client_id``
    the client that they must be for. The issuer's keys are discovered (OpenID Connect Discovery), unless they are given
    in one of the ways of :class:`watchword.Issuer`: ``jwks``, ``jwks_uri``, ``jwks_file`` or ``pem``. ``algorithms``
    are those accepted (``None``: those of the keys); ``trusted_audiences`` may stand in ``aud`` beside the client;
    ``subject_prefixes`` are how a subject begins (``None``: it may begin as it likes); ``leeway`` is in seconds;
    ``token_cache`` remembers verified tokens (:class:`watchword.TokenCache`); ``clock`` tells Unix seconds where
    ``now`` is left out.

    Make one for the life of the process: it holds the keys. Nothing is fetched before the first token. Raises
    :class:`ConfigurationError` where the settings cannot be meant.
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
        leeway: float = 5,
        allow_loopback_http: bool = False,
        fetcher: Fetcher | None = None,
        token_cache: TokenCache | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(client_id, str) or not client_id.strip():
            raise ConfigurationError("client_id must be the client's id, as the issuer knows it")
        if not isinstance(issuer_url, str) or not issuer_url.strip("/ "):
            raise ConfigurationError("issuer_url must be the issuer's URL")
        if isinstance(trusted_audiences, str) or isinstance(subject_prefixes, str):
            raise ConfigurationError("trusted_audiences and subject_prefixes are lists of texts, not one text")
        self._issuer = issuer_url.rstrip("/")
        self._client_id = client_id
        self._rules = Rules(
            issuers=(self._issuer,),
            audience=client_id,
            trusted_audiences=tuple(trusted_audiences),
            subject_prefixes=None if subject_prefixes is None else tuple(subject_prefixes),
            leeway=leeway,
        )
        self._clock = clock
        self._channel_key: ChannelKey | None = None
        try:
            issuer = Issuer(
                self._issuer,
                jwks=jwks,
                jwks_uri=jwks_uri,
                jwks_file=jwks_file,
                pem=pem,
                algorithms=algorithms,
                allow_loopback_http=allow_loopback_http,
            )
            requirements = self._rules.requirements()
            self._verifier = Verifier([issuer], clock=clock, fetcher=fetcher, token_cache=token_cache, **requirements)
            self._channel_policy = self._rules.policy()
        except (ValueError, TypeError) as error:
            raise ConfigurationError(str(error)) from None

    # ID tokens.

    def verify(self, id_token: str | bytes, *, nonce: str | None = None, now: float | None = None) -> VerifiedToken:
        """The ID token, verified as of ``now`` in Unix seconds (OpenID Connect Core 1.0 section 3.1.3.7).

        ``nonce`` is the one that was sent with the login; give it wherever one was. Raises :class:`TokenExpiredError`,
        :class:`TokenParseError` for any other token that is not accepted, ``OAuthError`` with ``invalid_nonce``, and
        with ``temporarily_unavailable`` where the issuer's keys cannot be had.
        """
        with translate_errors():
            return self._checked(self._verifier.verify(_text(id_token), now=now), nonce)

    async def verify_async(
        self, id_token: str | bytes, *, nonce: str | None = None, now: float | None = None
    ) -> VerifiedToken:
        """As :meth:`verify`, waiting for keys without blocking the event loop."""
        with translate_errors():
            return self._checked(await self._verifier.verify_async(_text(id_token), now=now), nonce)

    # Token sets.

    def create_agent(
        self, tokens: Tokens, *, nonce: str | None = None, expected_sub: str | None = None, now: float | None = None
    ) -> AuthenticatedAgent:
        """The agent that a token set belongs to, by its ID token, as :meth:`verify` has it.

        ``expected_sub`` is whose it must be: the one from before, where the tokens were renewed. A token set without an
        ID token holds nothing that can be verified, and is refused. Nothing is renewed here. Raises what :meth:`verify`
        raises, and :class:`SubjectMismatchError`.
        """
        found = token_set(tokens)
        token = self.verify(id_token_of(found), nonce=nonce, now=now)
        return agent_of(found, token, token.header.get("alg"), expected_sub)

    async def create_agent_async(
        self, tokens: Tokens, *, nonce: str | None = None, expected_sub: str | None = None, now: float | None = None
    ) -> AuthenticatedAgent:
        """As :meth:`create_agent`, waiting for keys without blocking the event loop."""
        found = token_set(tokens)
        token = await self.verify_async(id_token_of(found), nonce=nonce, now=now)
        return agent_of(found, token, token.header.get("alg"), expected_sub)

    def create_agent_from_trusted_channel(
        self, tokens: Tokens, *, nonce: str | None = None, expected_sub: str | None = None, now: float | None = None
    ) -> AuthenticatedAgent:
        """The agent of a token set **whose signature nobody checked**: for an answer of the token endpoint, got by this
        process over TLS a moment ago, and for nothing else. Whoever wrote a session can write any agent into it.

        All but the signature is checked as in :meth:`verify`. A token set without an ID token, as the client
        credentials grant gives it, belongs to the client itself, or to whom its ``subject_hint`` names; with a refresh
        token and neither of the two, it belongs to nobody.
        """
        found = token_set(tokens)
        if found.id_token is None:
            if found.subject_hint is None and found.refresh_token is not None:
                raise TokenParseError("the token set does not say whose it is")
            return agent_without_id_token(found, found.subject_hint or self._client_id, expected_sub)
        if self._channel_key is None:
            self._channel_key = ChannelKey()
        with translate_errors():
            at = self._clock() if now is None else now
            token, algorithm = self._channel_key.vouch(found.id_token, self._channel_policy, at)
            self._checked(token, nonce)
        return agent_of(found, token, algorithm, expected_sub)

    # Keys.

    def refresh(self) -> None:
        """Fetches the issuer's keys now: to fail early. Raises ``OAuthError`` where they cannot be had."""
        with translate_errors():
            self._verifier.refresh()

    def close(self) -> None:
        """Drops the keys, and ends what runs in the background. A second call does nothing more."""
        self._verifier.close()

    def __enter__(self) -> IdTokenVerifier:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    async def __aenter__(self) -> IdTokenVerifier:
        """Itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    def __repr__(self) -> str:
        """The issuer and the client."""
        return f"IdTokenVerifier({self._issuer!r}, {self._client_id!r})"

    def _checked(self, token: VerifiedToken, nonce: str | None) -> VerifiedToken:
        self._rules.check(token)
        if nonce is not None:
            stated, sent = token.claims.get("nonce"), nonce.encode("utf-8", "surrogatepass")
            if not isinstance(stated, str) or not hmac.compare_digest(stated.encode(), sent):
                raise OAuthError("invalid_nonce", "the ID token was not made for this login")
        return token


def _text(id_token: str | bytes) -> str | bytes:
    if not isinstance(id_token, (str, bytes)):
        raise TypeError(f"an ID token is str or bytes, not {type(id_token).__name__}")
    return id_token


__all__ = ["IdTokenVerifier"]
