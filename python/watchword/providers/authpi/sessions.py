"""Make agents of stored token sets, which are renewed in time."""

from __future__ import annotations

from collections.abc import Sequence

from watchword.client import CallError, Verb
from watchword.providers.authpi import refusals
from watchword.providers.authpi.agent import AuthenticatedAgent
from watchword.providers.authpi.calls import Calls, check_agent
from watchword.providers.authpi.delivery import Callback, Delivery, calling, check_callback
from watchword.providers.authpi.errors import TokenParseError
from watchword.providers.authpi.renewal import Renewals, Stated, stated_by
from watchword.providers.authpi.token_sets import Tokens, agent_without_id_token, token_set
from watchword.providers.authpi.types import TokenSet


class Sessions:
    """The calls of one client that renew tokens. ``is_async`` says whether callbacks may be coroutine functions."""

    def __init__(self, calls: Calls, *, is_async: bool) -> None:
        self._calls = calls
        self._renewals = Renewals(calls)
        self._is_async = is_async

    def create_agent(
        self,
        tokens: Tokens,
        *,
        on_refresh: Callback | None,
        on_refresh_error: Callback | None,
        auto_refresh: bool | None,
        resources: Sequence[str] | None,
    ) -> Verb[AuthenticatedAgent]:
        """Return the agent of stored tokens, after renewing them if they are about to end."""
        settings = self._calls.settings
        # A renewal without resources keeps those of the grant.
        wanted = () if resources is None else settings.resources_of(resources)
        delivery = Delivery(on_refresh, is_async=self._is_async)
        check_callback("on_refresh_error", on_refresh_error, is_async=self._is_async)
        found = token_set(tokens)
        stated = stated_by(found)
        if stated.subject is None and (found.refresh_token is not None or settings.redirect_uri is not None):
            raise TokenParseError("the token set is missing ID token subject context: it has no ID token")
        if (settings.auto_refresh if auto_refresh is None else auto_refresh) and self._ends(found, stated):
            return (yield from self._renew(found, stated, wanted, delivery, on_refresh_error))
        if found.id_token is not None:
            return (yield from self._calls.verified(found))
        if stated.subject is not None:
            return (yield from self._calls.agent_of_user_info(found, stated.subject))
        # A client without redirect_uri has no logins, and no tokens but its own.
        return agent_without_id_token(found, settings.client_id, None)

    def refresh(
        self, agent: AuthenticatedAgent, *, on_refresh: Callback | None, resources: Sequence[str] | None
    ) -> Verb[AuthenticatedAgent]:
        """Return the agent of renewed tokens."""
        check_agent(agent)
        wanted = self._calls.settings.resources_of(resources)
        delivery = Delivery(on_refresh, is_async=self._is_async)
        stated = stated_by(agent.tokens)
        return (yield from self._renewals.renew(agent.tokens, stated, agent.id, wanted, delivery))

    def _renew(
        self,
        tokens: TokenSet,
        stated: Stated,
        resources: tuple[str, ...],
        delivery: Delivery,
        on_refresh_error: Callback | None,
    ) -> Verb[AuthenticatedAgent]:
        failure: Exception
        try:
            # Only the client's own tokens have no subject, and they have no refresh token.
            subject = stated.subject or self._calls.settings.client_id
            return (yield from self._renewals.renew(tokens, stated, subject, resources, delivery))
        except CallError as error:
            failure = refusals.no_answer(error)
        except Exception as error:
            failure = error
        if on_refresh_error is not None and not delivery.is_done:
            yield calling(on_refresh_error, failure)
        raise failure

    def _ends(self, tokens: TokenSet, stated: Stated) -> bool:
        """Return whether the access token or the ID token ends within the buffer."""
        ends_at = tokens.expires_at if stated.ends_at is None else min(tokens.expires_at, stated.ends_at)
        return ends_at - int(self._calls.clock()) <= self._calls.settings.refresh_buffer_seconds


__all__ = ["Sessions"]
