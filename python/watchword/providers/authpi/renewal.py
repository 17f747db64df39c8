"""Renew tokens (RFC 6749 section 6, OpenID Connect Core 1.0 section 12): once, whoever asks, and never lost."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from watchword import decode_unverified
from watchword.client import CallError, Shared, Verb, digest_of
from watchword.errors import VerificationError
from watchword.providers.authpi import refusals
from watchword.providers.authpi.agent import AuthenticatedAgent
from watchword.providers.authpi.calls import Calls, checked_text
from watchword.providers.authpi.delivery import Delivery
from watchword.providers.authpi.errors import OAuthError, SubjectMismatchError, TokenExpiredError, TokenParseError
from watchword.providers.authpi.token_answers import token_set_of
from watchword.providers.authpi.types import TokenSet

#: Seconds for which callers that still have the old tokens get the new ones: two requests of a browser load a session
#: at the same time, and a refresh token that is used twice ends the grant (RFC 9700 section 4.14.2).
KEEP = 10.0


@dataclass(frozen=True, repr=False)
class Stated:
    """What the ID token of a token set states, **unverified**: it decides only when to renew and what to compare with.

    ``ends_at`` is in Unix seconds; ``subject`` and ``nonce`` are those that the renewed ID token must have.
    """

    subject: str | None = None
    ends_at: float | None = None
    nonce: str | None = None


@dataclass(frozen=True, repr=False)
class Renewed:
    """The result of a renewal: the new tokens, and their agent if they have an ID token, or why it is invalid.

    It is a value even if it is an error, since the refresh token is used up all the same. ``is_stored`` says whether
    the tokens are given to ``on_refresh``; ``resources`` are the resource indicators that were asked for.
    """

    tokens: TokenSet
    agent: AuthenticatedAgent | None = None
    error: OAuthError | None = None
    is_stored: bool = True
    resources: tuple[str, ...] = ()


def stated_by(tokens: TokenSet) -> Stated:
    """Return what the ID token of a token set states. Raises :class:`TokenParseError` if it has no subject."""
    if tokens.id_token is None:
        return Stated(subject=tokens.subject_hint)
    claims = None
    detail = "it has no strict JSON object"
    try:
        claims = decode_unverified(tokens.id_token).claims
    except VerificationError as error:
        detail = error.detail
    if claims is None:
        raise TokenParseError(f"the ID token is malformed: {detail}")
    subject, ends_at, nonce = claims.get("sub"), claims.get("exp"), claims.get("nonce")
    if not isinstance(subject, str) or not subject:
        raise TokenParseError('the ID token has a missing subject: "sub" must be a string that is not empty')
    is_time = isinstance(ends_at, (int, float)) and not isinstance(ends_at, bool)
    return Stated(subject, ends_at if is_time else None, nonce if isinstance(nonce, str) else None)


class Renewals:
    """The renewals of one client."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def renew(
        self, tokens: TokenSet, stated: Stated, subject: str, resources: tuple[str, ...], delivery: Delivery
    ) -> Verb[AuthenticatedAgent]:
        """Return the agent of renewed tokens, which belong to ``subject``, after delivering them."""
        if not tokens.refresh_token:
            raise TokenExpiredError("No refresh token available: the user has to log in again")
        renewed = yield from self._join(tokens, stated, subject, resources, delivery)
        if renewed.is_stored:
            yield from delivery.from_caller(renewed.tokens)
        if renewed.error is not None:
            raise renewed.error
        if renewed.agent is not None:
            return renewed.agent
        return (yield from self._calls.agent_of_user_info(renewed.tokens, subject))

    def _join(
        self, tokens: TokenSet, stated: Stated, subject: str, resources: tuple[str, ...], delivery: Delivery
    ) -> Verb[Renewed]:
        """Return the result of a renewal for these resources, which other callers may have begun.

        If another caller has renewed the tokens for other resources, the new tokens are renewed: the old refresh token
        is used up.
        """
        seen: set[bytes] = set()
        while True:
            key = _key(tokens)
            if key in seen:
                # The server's answers repeat themselves.
                key = _key(tokens, resources)
            seen.add(key)
            renewed: Renewed
            try:
                renewed = yield Shared(
                    key, functools.partial(self._renew, tokens, stated, subject, resources, delivery), KEEP
                )
            except BaseException as error:
                yield from delivery.after_cancellation()
                if isinstance(error, CallError):
                    raise refusals.no_renewal(error) from None
                raise
            whose = renewed.tokens.subject_hint if renewed.agent is None else renewed.agent.id
            if whose is not None and whose != subject:
                # The caller that began it has another's session.
                raise SubjectMismatchError(subject, whose)
            if renewed.resources == resources or renewed.error is not None or not renewed.tokens.refresh_token:
                return renewed
            tokens = renewed.tokens

    def _renew(
        self, tokens: TokenSet, stated: Stated, subject: str, resources: tuple[str, ...], delivery: Delivery
    ) -> Verb[Renewed]:
        fresh = yield from self._ask(tokens, resources)
        renewed = replace((yield from self._check(fresh, stated, subject)), resources=resources)
        if renewed.is_stored:
            yield from delivery.from_shared_call(renewed.tokens)
        return renewed

    def _ask(self, tokens: TokenSet, resources: Sequence[str]) -> Verb[TokenSet]:
        settings = self._calls.settings
        used = checked_text("refresh_token", tokens.refresh_token)
        # Sent once: a refresh token that is used again ends the grant.
        form: dict[str, str | Sequence[str]] = {"grant_type": "refresh_token", "refresh_token": used}
        answer = yield from self._calls.ask(settings.token, form, resources=resources)
        if not answer.is_success:
            raise refusals.renewal_refusal(answer, secrets=(used, settings.client_secret))
        return token_set_of(answer, now=self._calls.clock(), former=tokens)

    def _check(self, fresh: TokenSet, stated: Stated, subject: str) -> Verb[Renewed]:
        hinted = fresh.model_copy(update={"subject_hint": subject})
        if fresh.id_token is None:
            return Renewed(hinted)
        try:
            agent = yield from self._calls.verified(fresh, subject=subject)
            nonce = stated_by(fresh).nonce
        except OAuthError as failure:
            # Without keys nothing is known about the tokens. They are stored, and verified when they are loaded; the
            # hint says whose they must be.
            is_unknown = failure.error == "temporarily_unavailable"
            return Renewed(hinted, error=failure, is_stored=is_unknown)
        if nonce is not None and stated.nonce is not None and nonce != stated.nonce:
            # OpenID Connect Core 1.0 section 12.2: there may be none, but it does not change.
            error = OAuthError("invalid_nonce", "the nonce of the renewed ID token is another one")
            return Renewed(fresh, error=error, is_stored=False)
        return Renewed(fresh, agent)


def _key(tokens: TokenSet, resources: Sequence[str] = ()) -> bytes:
    """Return what identifies a renewal. With the access token, so that a refresh token that stays is renewed again.

    Without resources, as the refresh token is used up whatever they are.
    """
    return digest_of(tokens.refresh_token or "", tokens.access_token, *resources)


__all__ = ["KEEP", "Renewals", "Stated", "stated_by"]
