"""One bounded GET: no redirects, no compression, a limit of bytes and of seconds."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from watchword.fork_safety import register_after_fork, without_forks
from watchword.http.body import Body
from watchword.http.deadline import Deadline
from watchword.http.errors import ExchangeError, reason
from watchword.http.httpx_interface import HttpxResponse, check_client
from watchword.jwks.addresses import check_public_host, is_public
from watchword.jwks.urls import plain_host, split_host

if TYPE_CHECKING:
    import httpx2

_Trace = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Response:
    """An answer: its status, its headers (names in lower case) and its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class FetchError(Exception):
    """There is no usable answer. The message is for a person and contains no secret."""


class NotPublicError(FetchError):
    """A URL leads to an address that is not public. Nothing was sent there."""


class Fetcher(Protocol):
    """How keys are fetched; called in a thread of its own, never in a caller's.

    A fetcher may also have the method of :class:`PublicFetcher`.
    """

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """Return the answer to a GET of ``url``, whatever its status; redirects are not followed.

        Takes at most ``timeout`` seconds in all, and reads at most ``max_bytes`` bytes of the body. Raises
        :class:`FetchError` if there is no answer or it is too long; any other exception has the same effect.
        """
        ...


class PublicFetcher(Fetcher, Protocol):
    """A fetcher that can check the address it connects to."""

    def get_public(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """As ``get``, but raise :class:`FetchError` instead of connecting to an address that is not public.

        It is called for a ``jwks_uri`` of an issuer's metadata whose host is not configured. For a fetcher without this
        method ``get`` is called, and only an address in the URL itself is checked.
        """
        ...


class HttpxClient(Protocol):
    """The part of ``httpx2.Client`` and ``httpx.Client`` that is used."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        follow_redirects: bool,
        timeout: float,
        extensions: dict[str, Any],
    ) -> AbstractContextManager[HttpxResponse]:
        """Send a request, and return a context manager of the response, whose body the caller reads.

        ``timeout`` is in seconds.
        """
        ...


class HttpxFetcher:
    """A :class:`Fetcher` over any client with httpx's interface: ``httpx2.Client``, ``httpx.Client``.

    Proxies, trust anchors, client certificates, headers and name resolution are the client's. Redirects are not
    followed. Its owner closes it. Raises ``TypeError`` for another kind of client, an asynchronous one included.
    """

    def __init__(self, client: HttpxClient) -> None:
        check_client(client, what="client", is_async=False)
        self._client = client

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`Fetcher.get`."""
        with Deadline(timeout) as deadline, _explained(deadline):
            return _stream(self._client, url, headers, deadline, trace=deadline.trace, max_bytes=max_bytes)

    def get_public(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`PublicFetcher.get_public`.

        The client resolves the name itself, so the address is checked after a new connection is made and before
        anything is sent on it. Neither a reused connection nor the address behind a proxy can be checked.
        """
        with Deadline(timeout) as deadline, _explained(deadline):
            check = _PeerCheck(url, deadline.trace)
            return _stream(self._client, url, headers, deadline, trace=check, max_bytes=max_bytes)


class DefaultFetcher:
    """The default :class:`PublicFetcher`, with ``httpx2.Client`` objects made on first use.

    It takes proxies and trust anchors from the environment (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``,
    ``SSL_CERT_FILE``, ``SSL_CERT_DIR``), but plain http, which is only for loopback and for hosts that are
    configured for it, never uses a proxy. There is no keep-alive, as keys are fetched every few minutes only.
    """

    def __init__(self) -> None:
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Make a new lock, and forget the clients: another thread may have held a lock of theirs."""
        self._lock = threading.Lock()
        self._clients: dict[bool, httpx2.Client] = {}

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`Fetcher.get`."""
        fetcher = HttpxFetcher(self._client(public_only=False))
        return fetcher.get(url, headers=headers, timeout=timeout, max_bytes=max_bytes)

    def get_public(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`PublicFetcher.get_public`. The address that a proxy connects to is not checked."""
        fetcher = HttpxFetcher(self._client(public_only=True))
        return fetcher.get(url, headers=headers, timeout=timeout, max_bytes=max_bytes)

    def close(self) -> None:
        """Close the clients."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _client(self, *, public_only: bool) -> httpx2.Client:
        with self._lock:
            if public_only not in self._clients:
                with without_forks():
                    self._clients[public_only] = _new_client(public_only=public_only)
            return self._clients[public_only]


def _new_client(*, public_only: bool) -> httpx2.Client:
    # Importing httpx2 takes longer than importing the whole of watchword. Sockets need the codec to resolve names.
    import encodings.idna  # noqa: F401

    import httpx2

    from watchword.jwks.transport import DefaultTransport

    return httpx2.Client(follow_redirects=False, transport=DefaultTransport(public_only=public_only))


def get_public(fetcher: Fetcher, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
    """Return the answer of a URL whose host is not configured, by :meth:`PublicFetcher.get_public` if there is one.

    ``timeout`` is in seconds, ``max_bytes`` the largest body in bytes.

    Raises :class:`NotPublicError` if the URL itself names an address that is not public.
    """
    try:
        check_public_host(url)
    except ValueError as error:
        raise NotPublicError(str(error)) from None
    get: Callable[..., Response] = getattr(fetcher, "get_public", fetcher.get)
    return get(url, headers=headers, timeout=timeout, max_bytes=max_bytes)


def _stream(
    client: HttpxClient, url: str, headers: Mapping[str, str], deadline: Deadline, *, trace: _Trace, max_bytes: int
) -> Response:
    request = client.stream(
        "GET",
        url,
        headers={**headers, "accept-encoding": "identity"},
        follow_redirects=False,
        timeout=deadline.seconds,
        extensions={"trace": trace},
    )
    with request as response:
        received = {name.lower(): value for name, value in response.headers.items()}
        deadline.watch(getattr(response, "extensions", {}))
        body = Body(response.status_code, received, max_bytes)
        for chunk in response.iter_raw():
            body.add(chunk)
            deadline.check()
        # Without a length, a body ends with its connection, which the deadline may have shut.
        deadline.check()
        return Response(response.status_code, received, body.whole())


@contextlib.contextmanager
def _explained(deadline: Deadline) -> Iterator[None]:
    """Turn what a client raises into a FetchError with its kind only, as its message may quote anything."""
    try:
        yield
    except FetchError:
        raise
    except ExchangeError as error:
        raise FetchError(str(error)) from error
    except Exception as error:
        raise FetchError(str(reason(error, is_late=deadline.is_past()))) from error


class _PeerCheck:
    """Httpcore's trace extension: closes a connection to an address that is not public before anything is sent."""

    def __init__(self, url: str, then: _Trace) -> None:
        self._host = split_host(url)[1]
        self._then = then
        self._is_direct = True

    def __call__(self, name: str, info: Mapping[str, Any]) -> None:
        if name == "connection.connect_tcp.started":
            # A proxy has an address of its own, which may be a private one.
            self._is_direct = plain_host(str(info["host"])) == self._host
        elif name == "connection.connect_tcp.complete" and self._is_direct:
            stream = info["return_value"]
            if not is_public(str(stream.get_extra_info("server_addr")[0])):
                stream.close()
                raise NotPublicError(f"the URL leads to {self._host}, which is not on the public internet")
        self._then(name, info)


__all__ = [
    "DefaultFetcher",
    "FetchError",
    "Fetcher",
    "HttpxClient",
    "HttpxFetcher",
    "HttpxResponse",
    "NotPublicError",
    "PublicFetcher",
    "Response",
    "get_public",
]
