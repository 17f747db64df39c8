"""The connection to one broker, for all of its calls."""

from __future__ import annotations

from collections.abc import Collection

from watchword.client import (
    AsyncHttpxClient,
    Caller,
    CallError,
    CallSettings,
    InvalidAnswerError,
    SyncHttpxClient,
    check_base_url,
    default_user_agent,
)
from watchword.providers.agentwrit.errors import InvalidResponseError, TransportError


def connect(
    broker_url: str,
    *,
    settings: CallSettings,
    user_agent: str | None = None,
    allow_http_hosts: Collection[str] = (),
    http_client: SyncHttpxClient | None = None,
    async_http_client: AsyncHttpxClient | None = None,
) -> Caller:
    """Return what sends a broker's calls. Nothing is sent yet.

    Raises ``ValueError`` or ``TypeError`` if an argument is invalid, naming it as the public constructors do.
    """
    base_url = check_base_url(broker_url, what="broker_url", http_hosts=allow_http_hosts)
    agent = default_user_agent() if user_agent is None else user_agent
    if not isinstance(agent, str):
        raise TypeError(f"user_agent must be str, not {type(agent).__name__}")
    if not (agent.strip() and agent.isascii() and agent.isprintable()):
        raise ValueError(f"user_agent is {agent!r}: it must be printable ASCII")

    def raise_as(error: CallError) -> TransportError:
        if isinstance(error, InvalidAnswerError):
            return InvalidResponseError(f"the broker at {base_url}: {error.detail}", error.status)
        return TransportError(f"broker unreachable at {base_url}: {error.detail}")

    return Caller(
        base_url,
        user_agent=agent,
        raise_as=raise_as,
        settings=settings,
        client=http_client,
        async_client=async_http_client,
    )


__all__ = ["connect"]
