"""The connection of a service or an agent to ClawAuth's server."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from watchword.client import (
    AsyncHttpxClient,
    Caller,
    CallSettings,
    SyncHttpxClient,
    check_base_url,
    default_user_agent,
)
from watchword.providers.clawauth import failures

BASE_URL = "https://api.clawauth.com"


def connect(
    base_url: str,
    *,
    headers: Mapping[str, str] | None = None,
    call_settings: CallSettings | None = None,
    allow_http_hosts: Collection[str] = (),
    http_client: SyncHttpxClient | None = None,
    async_http_client: AsyncHttpxClient | None = None,
) -> Caller:
    """Return what runs the calls of one client. Raises ``TypeError`` or ``ValueError`` if an argument is invalid."""
    return Caller(
        check_base_url(base_url, http_hosts=allow_http_hosts),
        user_agent=default_user_agent(),
        raise_as=failures.of_call,
        settings=call_settings,
        headers=headers,
        client=http_client,
        async_client=async_http_client,
    )


__all__ = ["BASE_URL", "connect"]
