"""What the clients for threads and for event loops are made of."""

from __future__ import annotations

from collections.abc import Collection

from watchword.client import (
    AsyncHttpxClient,
    Caller,
    CallSettings,
    SyncHttpxClient,
    check_base_url,
    default_user_agent,
)
from watchword.providers.authgent.calls.refusal import unanswered


def connect(
    server_url: str,
    timeout: float,
    *,
    call_settings: CallSettings | None,
    allow_http_hosts: Collection[str],
    client: SyncHttpxClient | None = None,
    async_client: AsyncHttpxClient | None = None,
) -> Caller:
    """Return what runs the calls of one client. ``timeout`` is in seconds; ``call_settings`` replaces it."""
    return Caller(
        check_base_url(server_url, what="server_url", http_hosts=allow_http_hosts),
        user_agent=default_user_agent(),
        raise_as=unanswered,
        settings=CallSettings(timeout=timeout) if call_settings is None else call_settings,
        client=client,
        async_client=async_client,
    )


__all__ = ["connect"]
