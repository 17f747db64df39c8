"""A time limit for a whole exchange."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

from watchword.http.errors import DeadlineError


class Deadline:
    """A time limit, in seconds, for a whole exchange in a thread; used as a context manager.

    A client's own time-outs are for single reads, so that a server could keep it busy for hours with a byte a second;
    at the deadline the connection is therefore shut down from outside, or as soon as it is known if that is later. It
    is known from :meth:`trace`, the request's ``trace`` extension, if it is new, and from :meth:`watch` as soon as the
    headers of the response are there.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._is_over = False
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        self._timer.name = "watchword-deadline"

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def check(self) -> None:
        """Raise :class:`DeadlineError` after the deadline."""
        if self.is_past():
            raise DeadlineError

    def is_past(self) -> bool:
        """Return whether the time is over."""
        return time.monotonic() >= self._at

    def trace(self, name: str, info: Mapping[str, Any]) -> None:
        """Httpcore's trace extension: record the socket, first the plain one, then that of TLS."""
        # Of a proxy, the first part is another: proxy.start_tls.complete, socks.connect_tcp.complete.
        if name.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._record(info["return_value"])

    def watch(self, extensions: Mapping[str, Any]) -> None:
        """Record the socket of a response, from its extensions."""
        stream = extensions.get("network_stream")
        if stream is not None:
            self._record(stream)

    def _record(self, stream: Any) -> None:  # noqa: ANN401 - of httpcore or httpcore2
        self._socket = stream.get_extra_info("socket")
        # Name resolution, several addresses or the TLS handshake may have taken all of the time: the timer found no
        # socket then, or one that TLS has replaced.
        if self._is_over:
            self._shut()

    def _shut(self) -> None:
        self._is_over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket.shutdown, which would also remove the TLS layer while another thread reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


__all__ = ["Deadline"]
