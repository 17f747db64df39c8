"""The service's side: agents' tokens, verified offline or by ClawAuth's server, and the calls about agents."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from watchword import AlgorithmNotAllowedError, KeySet, TokenCache, VerificationError, decode_unverified
from watchword.client import AsyncHttpxClient, CallSettings, SyncHttpxClient
from watchword.jwks import CacheSettings, Listener
from watchword.providers.clawauth.arguments import check_header_value, check_reason, check_score
from watchword.providers.clawauth.connection import BASE_URL, connect
from watchword.providers.clawauth.offline import OfflineVerifier, changed_settings
from watchword.providers.clawauth.service_calls import ServiceCalls
from watchword.providers.clawauth.types import AgentDetails, VerifyTokenResponse
from watchword.providers.clawauth.wire import WireFormat
from watchword.providers.profiles.clawauth import AGENT_ID_PREFIX, ClaimNames
from watchword.waiting import finish, finish_async

if TYPE_CHECKING:
    import types as _types

    from watchword import AnyAudience
    from watchword.jwks import Fetcher


class ClawAuth:
    """A service at ClawAuth. Make one for the life of the process; any threads and event loops may use it.

    ``service_id`` is the id of the service, ``api_key`` its key, which is sent to ClawAuth's server alone, and
    ``base_url`` the URL of that server.

    **With keys** (one of ``jwks``: a JWK Set as a mapping, JSON or a ``KeySet``; ``pem``: a public key in PEM;
    ``jwks_file``; ``jwks_uri``, as for :class:`watchword.Issuer`), :meth:`verify` is offline. They must be P-256 keys:
    ES256 is the only algorithm that is accepted. ``iss`` must be ``base_url``, or ``issuer``; with
    ``check_issuer=False``, it is not checked. ``fetcher`` (``watchword.jwks.HttpxFetcher(client)`` uses your own
    client), ``cache_settings``, ``allow_loopback_http`` and ``on_event`` apply to ``jwks_uri``. ``token_cache`` caches
    verified tokens: an agent sends the same one for an hour. ``audience`` is an audience that the token must name, or
    several (``watchword.ANY_AUDIENCE``: any); without it, a token that has ``aud`` must name ``service_id``.
    ``required`` lists claims that must be present in addition to ``exp``. ``claim_names`` are the names of the claims;
    ``agent_id_prefix`` is the prefix of agents' ids, which tells them from people's (``""``: any id). ``types`` are the
    accepted values of ``typ``; ``leeway`` is the number of seconds by which clocks may differ; ``clock`` returns Unix
    seconds.

    **Without keys**, :meth:`verify` asks the server, and these settings must not be given.

    ``wire`` has what is not public of the API. ``call_settings`` are the limits of calls, and how often they are sent
    again; ``allow_http_hosts`` names the hosts to which http is allowed, besides loopback; ``http_client`` and
    ``async_http_client`` are clients of httpx or httpx2, for the methods of either kind, which their owner closes.

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
        wire: WireFormat | None = None,
        call_settings: CallSettings | None = None,
        allow_http_hosts: Collection[str] = (),
        http_client: SyncHttpxClient | None = None,
        async_http_client: AsyncHttpxClient | None = None,
    ) -> None:
        check_header_value("service_id", service_id)
        check_header_value("api_key", api_key)
        self._service_id = service_id
        self._calls = ServiceCalls(service_id, api_key, wire or WireFormat())
        self._caller = connect(
            base_url,
            headers=self._calls.headers,
            call_settings=call_settings,
            allow_http_hosts=allow_http_hosts,
            http_client=http_client,
            async_http_client=async_http_client,
        )
        keys: dict[str, Any] = {"jwks": jwks, "pem": pem, "jwks_file": jwks_file, "jwks_uri": jwks_uri}
        settings: dict[str, Any] = {
            "issuer": issuer,
            "check_issuer": check_issuer,
            "audience": audience,
            "required": required,
            "claim_names": claim_names,
            "agent_id_prefix": agent_id_prefix,
            "types": types,
            "leeway": leeway,
            "clock": clock,
            "fetcher": fetcher,
            "cache_settings": cache_settings,
            "token_cache": token_cache,
            "allow_loopback_http": allow_loopback_http,
            "on_event": on_event,
        }
        self._offline: OfflineVerifier | None = None
        if any(value is not None for value in keys.values()):
            self._offline = OfflineVerifier(service_id, base_url, **keys, **settings)
        elif changed := changed_settings(settings):
            raise ValueError(
                f"{', '.join(changed)}: only for offline verification, which needs one of jwks=, jwks_uri=, jwks_file= "
                "and pem=; without keys, ClawAuth's server verifies tokens"
            )

    def verify(self, token: str | bytes, *, now: float | None = None) -> VerifyTokenResponse:
        """Verify an agent's token: offline if there are keys, else by asking the server.

        ``now`` is the time to verify it as of, in Unix seconds (``None``: the clock's); only offline. Returns the
        verdict, and never raises for an invalid token; ``result.source`` says whose verdict it is. A token that is
        malformed, or whose algorithm is not ES256, is not sent to the server.

        Raises :class:`~.exceptions.ClawAuthError` if there is no verdict, because the keys are unavailable or the call
        failed; ``TypeError`` if the token is neither ``str`` nor ``bytes``; ``ValueError`` if there is ``now``, but no
        keys.
        """
        if self._offline is not None:
            return finish(self._offline.verify(token, now))
        found = _check_form(token, now)
        return found if isinstance(found, VerifyTokenResponse) else self._caller.run(self._calls.verify(found))

    async def verify_async(self, token: str | bytes, *, now: float | None = None) -> VerifyTokenResponse:
        """As :meth:`verify`, waiting without blocking the event loop."""
        if self._offline is not None:
            return await finish_async(self._offline.verify(token, now))
        found = _check_form(token, now)
        if isinstance(found, VerifyTokenResponse):
            return found
        return await self._caller.run_async(self._calls.verify(found))

    def get_agent(self, agent_id: str) -> AgentDetails:
        """Return what the server says about an agent. Raises :class:`~.exceptions.ClawAuthError` if the call fails."""
        return self._caller.run(self._calls.get_agent(agent_id))

    async def get_agent_async(self, agent_id: str) -> AgentDetails:
        """As :meth:`get_agent`, waiting without blocking the event loop."""
        return await self._caller.run_async(self._calls.get_agent(agent_id))

    def assign_role(self, agent_id: str, role_id: str) -> None:
        """Assign a role of this service to an agent.

        Raises :class:`~.exceptions.ClawAuthError` if the call fails. If there is no answer (``timeout``,
        ``no_answer``), the role may have been assigned; the call is not repeated.
        """
        self._caller.run(self._calls.change("assign_role", agent_id=agent_id, role_id=role_id))

    async def assign_role_async(self, agent_id: str, role_id: str) -> None:
        """As :meth:`assign_role`, waiting without blocking the event loop."""
        await self._caller.run_async(self._calls.change("assign_role", agent_id=agent_id, role_id=role_id))

    def revoke_role(self, agent_id: str, role_id: str) -> None:
        """Remove a role of this service from an agent. Raises as :meth:`assign_role` does."""
        self._caller.run(self._calls.change("revoke_role", agent_id=agent_id, role_id=role_id))

    async def revoke_role_async(self, agent_id: str, role_id: str) -> None:
        """As :meth:`revoke_role`, waiting without blocking the event loop."""
        await self._caller.run_async(self._calls.change("revoke_role", agent_id=agent_id, role_id=role_id))

    def report_trust(self, agent_id: str, score: float, reason: str | None = None) -> None:
        """Report how far an agent can be trusted: a score from 0 to 10, and a reason for a person to read.

        Raises ``ValueError`` if the score is not from 0 to 10, :class:`~.exceptions.ClawAuthError` if the call fails;
        it is not repeated, as each report counts.
        """
        self._caller.run(self._calls.change("report_trust", **_report(agent_id, score, reason)))

    async def report_trust_async(self, agent_id: str, score: float, reason: str | None = None) -> None:
        """As :meth:`report_trust`, waiting without blocking the event loop."""
        await self._caller.run_async(self._calls.change("report_trust", **_report(agent_id, score, reason)))

    def close(self) -> None:
        """Stop refreshing keys in the background. Calls keep no connection, unless the client was given."""
        if self._offline is not None:
            self._offline.close()

    def __enter__(self) -> ClawAuth:
        """Return the object itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: _types.TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        return f"ClawAuth(service_id={self._service_id!r}, base_url={self._caller.base_url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a ClawAuth cannot be pickled or copied: make one in each process")


def _check_form(token: str | bytes, now: float | None) -> str | VerifyTokenResponse:
    """Return the text of a token that the server may be asked about, else the verdict on it."""
    if now is not None:
        raise ValueError("now is for offline verification, and there are no keys: the server has its own clock")
    try:
        header = decode_unverified(token).header
        if header.get("alg") == "ES256":
            return token if isinstance(token, str) else token.decode("ascii")
        # Such as those of people (HS256), which are no business of an API for agents.
        raise AlgorithmNotAllowedError("the algorithm is not ES256: the token is not an agent's")
    except VerificationError as error:
        return VerifyTokenResponse(valid=False, error=str(error))


def _report(agent_id: str, score: float, reason: str | None) -> dict[str, object]:
    return {"agent_id": agent_id, "score": check_score(score), "reason": check_reason(reason)}
