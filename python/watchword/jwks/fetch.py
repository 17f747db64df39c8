"""One GET, with everything bounded: no redirects, no compression, so many bytes, so many seconds."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from watchword.jwks.forks import mind_forks, without_forks

if TYPE_CHECKING:
    import httpx2

_TOO_LATE = "no complete answer in time"


@dataclass(frozen=True)
class Response:
    """An answer: its status, its headers (names in lower case) and its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class FetchError(Exception):
    """There is no usable answer. The message is for a person and holds no secret."""


class Fetcher(Protocol):
    """How keys are fetched; called in a thread of its own, never in a caller's."""

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """The answer to a GET of ``url``, whatever its status; redirects are not followed.

        Ends within ``timeout`` seconds (for everything) and reads at most ``max_bytes`` of body. Raises
        :class:`FetchError` where there is no answer or it is too long; anything else raised counts the same.
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

    Proxies, trust anchors, client certificates and headers are the client's. Its redirects are not used. The client
    stays its owner's to close.
    """

    def __init__(self, client: HttpxClient) -> None:
        if not callable(getattr(client, "stream", None)) or hasattr(client, "aclose"):
            raise TypeError("client must be a synchronous client with httpx's interface, such as httpx2.Client()")
        self._client = client

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`Fetcher.get`."""
        with _Deadline(timeout) as deadline, _explained(deadline):
            request = self._client.stream(
                "GET",
                url,
                # Nothing is ever decompressed: what is counted is what is kept.
                headers={**headers, "accept-encoding": "identity"},
                follow_redirects=False,
                timeout=timeout,
                extensions={"trace": deadline.trace},
            )
            with request as response:
                received = {name.lower(): value for name, value in response.headers.items()}
                body = _read(response, received, deadline, max_bytes)
                return Response(response.status_code, received, body)


class DefaultFetcher:
    """The :class:`Fetcher` that is used where none is given: an ``httpx2.Client`` made when first needed.

    It takes proxies and trust anchors from the environment, as most programs do (``HTTPS_PROXY``, ``NO_PROXY``,
    ``SSL_CERT_FILE``, ``SSL_CERT_DIR``), save that plain http, which only ever goes to this machine, never goes through
    a proxy. No connection is kept: keys are fetched every few minutes, and a connection that old is more trouble than
    help.
    """

    def __init__(self) -> None:
        self.after_fork()
        mind_forks(self)

    def after_fork(self) -> None:
        """Another thread may have held the lock, or one of the client's."""
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None

    def get(self, url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int) -> Response:
        """See :meth:`Fetcher.get`."""
        with self._lock:
            if self._client is None:
                with without_forks():
                    self._client = _new_client()
            client = self._client
        return HttpxFetcher(client).get(url, headers=headers, timeout=timeout, max_bytes=max_bytes)

    def close(self) -> None:
        """Closes the client."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()


def _new_client() -> httpx2.Client:
    # Importing httpx2 takes longer than importing the whole of watchword. The codec is what sockets look names up with.
    import encodings.idna  # noqa: F401

    import httpx2

    limits = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.Client(
        follow_redirects=False,
        limits=limits,
        mounts={"http://": httpx2.HTTPTransport(limits=limits, trust_env=False)},
    )


def _read(response: HttpxResponse, headers: Mapping[str, str], deadline: _Deadline, max_bytes: int) -> bytes:
    if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise FetchError("the answer is compressed, though none was asked for")
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
    for hours with a byte a second; at the deadline the connection is therefore shut from outside.
    """

    def __init__(self, seconds: float) -> None:
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
