"""The client's side of a 403: find the missing scope, and ask a human to grant it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from watchword.jwks.urls import check_url
from watchword.providers.authgent.delegation import DelegationChain
from watchword.providers.authgent.errors import AuthgentError, ServerError
from watchword.providers.authgent.middleware.challenges import challenges


class StepUpDeniedError(AuthgentError):
    """The human denied the request."""

    error_code = "step_up_denied"


class StepUpTimeoutError(AuthgentError):
    """The human did not decide in time."""

    error_code = "step_up_timeout"


@dataclass(frozen=True)
class ScopeChallenge:
    """The challenge of a response: the required scopes, separated by spaces."""

    required_scope: str
    error: str = "insufficient_scope"
    realm: str = ""


@dataclass(frozen=True)
class StepUpResult:
    """The result of a step-up request. authgent-server 0.3.4 has no ``step_up_token``: request a new access token."""

    stepup_id: str
    status: str
    step_up_token: str | None = None


class Rejected(Protocol):
    """The part of an HTTP response that is used: any client's fits."""

    @property
    def status_code(self) -> int:
        """The status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; names are case-insensitive."""
        ...


class AsyncClient(Protocol):
    """The methods of ``httpx2.AsyncClient`` and ``httpx.AsyncClient`` that are used."""

    async def post(self, url: str, *, json: Any, headers: Any) -> Any:  # noqa: ANN401  # of any client
        """Send JSON."""
        ...

    async def get(self, url: str, *, headers: Any) -> Any:  # noqa: ANN401  # of any client
        """Request JSON."""
        ...


def parse_scope_challenge(www_authenticate: str) -> ScopeChallenge | None:
    """Return the scopes that a ``WWW-Authenticate`` value requires (RFC 6750 section 3.1), or ``None``."""
    for scheme, parameters in challenges(www_authenticate):
        if scheme in ("bearer", "dpop") and parameters.get("error") == "insufficient_scope" and parameters.get("scope"):
            return ScopeChallenge(parameters["scope"], realm=parameters.get("realm", ""))
    return None


class ScopeChallengeHandler:
    """Requests the scope that a response says is missing (``POST /stepup``), and waits for a human's decision.

    ``hitl_scopes`` are those that :meth:`is_scope_challenge` looks for. ``client_id`` is the agent on whose behalf
    :meth:`handle_scope_challenge` makes requests; ``client_secret`` is not needed, and never sent. Times are seconds:
    ``poll_interval`` between two polls, ``timeout`` for the decision, ``http_timeout`` for an HTTP request. ``client``
    is an ``httpx2.AsyncClient`` (or one with its interface), which the caller closes.

    Raises ``ValueError`` unless ``server_url`` is an https URL, or an http URL of loopback.
    """

    def __init__(
        self,
        server_url: str,
        hitl_scopes: Iterable[str] | None = None,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        poll_interval: float = 2.0,
        timeout: float = 300.0,
        http_timeout: float = 30.0,
        client: AsyncClient | None = None,
    ) -> None:
        del client_secret  # the endpoint needs none
        check_url(server_url, allow_loopback_http=True, what="server_url")
        self._url = f"{server_url.rstrip('/')}/stepup"
        self._scopes = frozenset(hitl_scopes or ())
        self._client_id = client_id
        self._poll_interval = poll_interval
        self._timeout = timeout
        self._http_timeout = http_timeout
        self._client = client

    def is_scope_challenge(self, response: Rejected) -> bool:
        """Return whether a response requires one of ``hitl_scopes``."""
        challenge = _challenge_of(response) if response.status_code == 403 else None
        return challenge is not None and not self._scopes.isdisjoint(challenge.required_scope.split(" "))

    async def handle_challenge(
        self,
        response: Rejected,
        agent_id: str,
        resource: str | None = None,
        delegation_chain: DelegationChain | list[dict[str, str]] | None = None,
        access_token: str | None = None,
    ) -> StepUpResult | None:
        """Request the scope that ``response`` says is missing. Returns ``None`` if it names none.

        Raises :class:`StepUpDeniedError`, :class:`StepUpTimeoutError`, and
        :class:`~watchword.providers.authgent.ServerError` if the server is unavailable.
        """
        challenge = _challenge_of(response)
        if challenge is None:
            return None
        actors = delegation_chain.actors if isinstance(delegation_chain, DelegationChain) else delegation_chain
        wanted = {
            "agent_id": agent_id,
            "action": "scope_escalation",
            "scope": challenge.required_scope,
            "resource": resource,
            "delegation_chain": None if actors is None else {"actors": actors},
        }
        return await self._step_up(wanted, access_token)

    async def handle_scope_challenge(
        self, response: Rejected, action: str, scope: str | None = None, *, access_token: str | None = None
    ) -> StepUpResult | None:
        """Request ``scope`` (``None``: the missing one) for ``action``, on behalf of ``client_id``.

        Returns ``None`` if ``response`` is not a 403 that names a missing scope; raises as :meth:`handle_challenge`
        does, and ``ValueError`` without a ``client_id``.
        """
        if self._client_id is None:
            raise ValueError("client_id is missing: give ScopeChallengeHandler the id of the agent")
        challenge = _challenge_of(response)
        if response.status_code != 403 or challenge is None:
            return None
        wanted = {"agent_id": self._client_id, "action": action, "scope": scope or challenge.required_scope}
        return await self._step_up(wanted, access_token)

    async def _step_up(self, wanted: dict[str, Any], access_token: str | None) -> StepUpResult:
        headers = {} if access_token is None else {"Authorization": f"Bearer {access_token}"}
        body = {name: value for name, value in wanted.items() if value is not None}
        async with self._connected() as client:
            try:
                asked = _json(await client.post(self._url, json=body, headers=headers), (200, 201, 202))
            except Exception as error:
                raise _unanswered(error) from error
            stepup_id = asked.get("id")
            if not isinstance(stepup_id, str) or not stepup_id:
                raise ServerError("the server's response to a step-up request has no id")
            return await self._wait(client, stepup_id, headers)

    async def _wait(self, client: AsyncClient, stepup_id: str, headers: dict[str, str]) -> StepUpResult:
        url = f"{self._url}/{quote(stepup_id, safe='')}"
        until = time.monotonic() + self._timeout
        while time.monotonic() < until:
            await asyncio.sleep(self._poll_interval)
            try:
                now = _json(await client.get(url, headers=headers), (200,))
            except Exception:  # noqa: S112  # it may be temporary
                continue
            status, token = now.get("status"), now.get("step_up_token")
            if status == "approved":
                return StepUpResult(stepup_id, status, token if isinstance(token, str) else None)
            if status == "denied":
                raise StepUpDeniedError("the step-up request was denied")
            if status == "expired":
                raise StepUpTimeoutError("the step-up request expired")
        raise StepUpTimeoutError(f"there was no decision on the step-up request within {self._timeout:g} seconds")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncClient]:
        if self._client is not None:
            yield self._client
            return
        import httpx2  # slow to import

        async with httpx2.AsyncClient(timeout=self._http_timeout) as client:
            yield client


def _challenge_of(response: Rejected) -> ScopeChallenge | None:
    return parse_scope_challenge(response.headers.get("WWW-Authenticate", ""))


def _json(response: Any, expected: tuple[int, ...]) -> dict[str, Any]:  # noqa: ANN401  # of any client
    if response.status_code not in expected:
        raise ServerError(f"the server returned HTTP {response.status_code} to a step-up request")
    answer = response.json()
    if not isinstance(answer, dict):
        raise ServerError("the server's response to a step-up request is not a JSON object")
    return answer


def _unanswered(error: Exception) -> AuthgentError:
    # Without its message, which may quote anything.
    return (
        error
        if isinstance(error, AuthgentError)
        else ServerError(f"the server is unavailable ({type(error).__name__})")
    )


__all__ = [
    "ScopeChallenge",
    "ScopeChallengeHandler",
    "StepUpDeniedError",
    "StepUpResult",
    "StepUpTimeoutError",
    "parse_scope_challenge",
]
