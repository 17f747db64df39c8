"""The part of httpx's interface that is used, which ``httpx`` and ``httpx2`` share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol


class _ResponseHead(Protocol):
    """What is known of a response before its body is read."""

    @property
    def status_code(self) -> int:
        """The status code."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""
        ...


class HttpxResponse(_ResponseHead, Protocol):
    """The part of a streamed response of ``httpx2.Client`` or ``httpx.Client`` that is used."""

    def iter_raw(self) -> Iterator[bytes]:
        """Return the chunks of the body as they arrive."""
        ...


class SyncHttpxClient(Protocol):
    """The part of ``httpx2.Client`` and ``httpx.Client`` that is used."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None,
        headers: Mapping[str, str],
        follow_redirects: bool,
        timeout: float,
        extensions: dict[str, Any],
    ) -> AbstractContextManager[HttpxResponse]:
        """Send a request, and return a context manager of the response, whose body the caller reads.

        ``timeout`` is in seconds.
        """
        ...


class AsyncHttpxResponse(_ResponseHead, Protocol):
    """The part of a streamed response of ``httpx2.AsyncClient`` or ``httpx.AsyncClient`` that is used."""

    def aiter_raw(self) -> AsyncIterator[bytes]:
        """Return the chunks of the body as they arrive."""
        ...


class AsyncHttpxClient(Protocol):
    """The part of ``httpx2.AsyncClient`` and ``httpx.AsyncClient`` that is used."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None,
        headers: Mapping[str, str],
        follow_redirects: bool,
        timeout: float,
    ) -> AbstractAsyncContextManager[AsyncHttpxResponse]:
        """Send a request, and return an asynchronous context manager of the response. ``timeout`` is in seconds."""
        ...


def check_client(client: object, *, what: str, is_async: bool) -> None:
    """Raise ``TypeError``, naming the argument by ``what``, unless ``client`` is a client of the kind."""
    if callable(getattr(client, "stream", None)) and hasattr(client, "aclose") == is_async:
        return
    kind, example = ("an asynchronous", "AsyncClient") if is_async else ("a synchronous", "Client")
    raise TypeError(f"{what} must be {kind} client with httpx's interface, such as httpx2.{example}()")


__all__ = ["AsyncHttpxClient", "AsyncHttpxResponse", "HttpxResponse", "SyncHttpxClient", "check_client"]
