"""One GET, with everything bounded: no redirects, no compression, so many bytes, so many seconds."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from watchword.fork_safety import register_after_fork, without_forks
from watchword.jwks.addresses import check_public_host, is_public
from watchword.jwks.urls import plain_host, split_host

if TYPE_CHECKING:
    import httpx2

_TOO_LATE = "no complete answer in time"

_Trace = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Response:
    """An answer: its status, its headers (names in lower case) and its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class FetchError(Exception):
    """There is no usable answer. The message is for a person and holds no secret."""


class NotPublicError(FetchError):
    """A URL leads to an address that is not public. Nothing was sent there."""


class Fetcher(Protocol):
    """How keys are fetched; called in a thread of its own, never in a caller's.

    A fetcher may also have the method of :class:`PublicFetcher`.
    """

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """The answer to a GET of ``url``, whatever its status; redirects are not followed.

        Ends within ``timeout`` seconds (for everything) and reads at most ``max_bytes`` of body. Raises
        :class:`FetchError` if there is no answer or it is too long; anything else raised counts the same.
        """
        ...


class PublicFetcher(Fetcher, Protocol):
    """A fetcher that can tell what it connects to."""

    def get_public(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """As ``get``, and raises :class:`FetchError` rather than connect to an address that is not public.

        It is called for a ``jwks_uri`` of an issuer's metadata that leads to a host nobody has configured. A fetcher
        without this method gets those URLs by ``get``: unless the URL itself names such an address, it may go there.
        """
        ...


class HttpxResponse(Protocol):
    """What is used of a streamed answer of httpx."""

    @property
    def status_code(self) -> int:
        """The status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""
        ...

    def iter_raw(self) -> Iterator[bytes]:
        """The body, as it comes."""
        ...


class HttpxClient(Protocol):
    """What is used of ``httpx2.Client`` and ``httpx.Client``."""

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
        """Sends a request; the body is read by the caller."""
        ...


class HttpxFetcher:
    """A :class:`Fetcher` over any client with httpx's interface: ``httpx2.Client``, ``httpx.Client``.

    Proxies, trust anchors, client certificates, headers and the resolving of names are the client's. Its redirects are
    not used. Closing it stays with its owner.
    """

    def __init__(self, client: HttpxClient) -> None:
        if not callable(getattr(client, "stream", None)) or hasattr(client, "aclose"):
            raise TypeError("client must be a synchronous client with httpx's interface, such as httpx2.Client()")
        self._client = client

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`Fetcher.get`."""
        with _Deadline(timeout) as deadline, _explained(deadline):
            return _stream(self._client, url, headers, deadline, trace=deadline.trace, max_bytes=max_bytes)

    def get_public(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`PublicFetcher.get_public`.

        The client resolves by itself, so the address is looked at when a new connection is there and before anything is
        sent on it. Neither a connection that the client had kept nor what lies behind a proxy can be looked at.
        """
        with _Deadline(timeout) as deadline, _explained(deadline):
            check = _PeerCheck(url, deadline.trace)
            return _stream(self._client, url, headers, deadline, trace=check, max_bytes=max_bytes)


class DefaultFetcher:
    """The :class:`PublicFetcher` that is used if none is given: ``httpx2.Client``s made when first needed.

    It takes proxies and trust anchors from the environment, as most programs do (``HTTPS_PROXY``, ``ALL_PROXY``,
    ``NO_PROXY``, ``SSL_CERT_FILE``, ``SSL_CERT_DIR``), save that plain http, which only goes to this machine, never
    goes through a proxy. There is no keep-alive: keys are fetched every few minutes, and a connection that old is more
    trouble than help.
    """

    def __init__(self) -> None:
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Another thread may have held the lock, or one of a client's."""
        self._lock = threading.Lock()
        self._clients: dict[bool, httpx2.Client] = {}

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`Fetcher.get`."""
        fetcher = HttpxFetcher(self._client(public_only=False))
        return fetcher.get(url, headers=headers, timeout=timeout, max_bytes=max_bytes)

    def get_public(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`PublicFetcher.get_public`. A proxy resolves by itself; what it connects to is not checked."""
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
    # Importing httpx2 takes longer than importing the whole of watchword. The codec is what sockets look names up with.
    import encodings.idna  # noqa: F401

    import httpx2

    from watchword.jwks.transport import DefaultTransport

    return httpx2.Client(follow_redirects=False, transport=DefaultTransport(public_only=public_only))


def get_public(fetcher: Fetcher, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
    """Get a URL that nobody has configured, as :meth:`PublicFetcher.get_public` does, if the fetcher has that method.

    Raises :class:`NotPublicError` whatever the fetcher if the URL itself names an address that is not public.
    """
    try:
        check_public_host(url)
    except ValueError as error:
        raise NotPublicError(str(error)) from None
    get: Callable[..., Response] = getattr(fetcher, "get_public", fetcher.get)
    return get(url, headers=headers, timeout=timeout, max_bytes=max_bytes)


def _stream(
    client: HttpxClient, url: str, headers: Mapping[str, str], deadline: _Deadline, *, trace: _Trace, max_bytes: int
) -> Response:
    request = client.stream(
        "GET",
        url,
        # Nothing is ever decompressed: what is counted is what is kept.
        headers={**headers, "accept-encoding": "identity"},
        follow_redirects=False,
        timeout=deadline.seconds,
        extensions={"trace": trace},
    )
    with request as response:
        received = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, received, _read(response, received, deadline, max_bytes))


def _read(response: HttpxResponse, headers: Mapping[str, str], deadline: _Deadline, max_bytes: int) -> bytes:
    if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise FetchError("the answer is compressed, though no compression was asked for")
    announced = headers.get("content-length")
    if announced is not None and not (announced.isascii() and announced.isdigit()):
        raise FetchError("the answer's length can't be read")
    # Compared as text first: int() of a very long row of digits raises.
    if announced is not None and (len(announced.lstrip("0")) > 12 or int(announced) > max_bytes):
        raise FetchError(f"the answer is longer than {max_bytes} bytes")
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise FetchError(f"the answer is longer than {max_bytes} bytes")
        deadline.check()
    # A 304 may give the length of the body that it leaves out (RFC 9110 section 15.4.5).
    if announced is not None and len(body) != int(announced) and response.status_code != 304:
        raise FetchError("the answer is shorter or longer than it says")
    return bytes(body)


@contextlib.contextmanager
def _explained(deadline: _Deadline) -> Iterator[None]:
    """Turns what a client raises into a FetchError. Only the kind of it is told: a message may quote anything."""
    try:
        yield
    except FetchError:
        raise
    except Exception as error:
        deadline.check()
        if "Timeout" in type(error).__name__:
            raise FetchError(_TOO_LATE) from error
        raise FetchError(f"no answer ({type(error).__name__})") from error


class _Deadline:
    """A limit to the whole of a fetch. A client's own time-outs are for single reads, so that a server could hold it
    for hours with a byte a second; at the deadline the connection is therefore shut down from outside.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        self._timer.name = "watchword-deadline"

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def check(self) -> None:
        """Raises :class:`FetchError` past the deadline."""
        if time.monotonic() >= self._at:
            raise FetchError(_TOO_LATE)

    def trace(self, name: str, info: Mapping[str, Any]) -> None:
        """Httpcore's trace extension: learns the socket, first the bare one, then that of TLS."""
        if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket.shutdown, which would also drop the TLS layer under its reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _PeerCheck:
    """Httpcore's trace extension: drops a connection to an address that is not public before anything is sent on it."""

    def __init__(self, url: str, then: _Trace) -> None:
        self._host = split_host(url)[1]
        self._then = then
        self._is_direct = True

    def __call__(self, name: str, info: Mapping[str, Any]) -> None:
        if name == "connection.connect_tcp.started":
            # A proxy has an address of its own, and may well be on this network.
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
