"""The body of a response, of a limited number of bytes."""

from __future__ import annotations

from collections.abc import Mapping

from watchword.http.errors import BodyError


class Body:
    """Collects a body, and raises :class:`BodyError` as soon as it is certain to be invalid.

    ``headers`` are the response's (names in lower case), ``max_bytes`` the largest accepted body in bytes. Nothing is
    ever decompressed, so that the limit applies to what is stored.
    """

    def __init__(self, status: int, headers: Mapping[str, str], max_bytes: int) -> None:
        if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
            raise BodyError("the answer is compressed, though no compression was asked for")
        announced = headers.get("content-length")
        if announced is not None and not (announced.isascii() and announced.isdigit()):
            raise BodyError("the answer's length can't be read")
        # Compared as text first: int() of very many digits raises.
        if announced is not None and (len(announced.lstrip("0")) > 12 or int(announced) > max_bytes):
            raise BodyError(f"the answer is longer than {max_bytes} bytes")
        # A 304 may give the length of the body that it leaves out (RFC 9110 section 15.4.5).
        self._expected = None if announced is None or status == 304 else int(announced)
        self._max_bytes = max_bytes
        self._bytes = bytearray()

    def add(self, chunk: bytes) -> None:
        """Append a chunk."""
        self._bytes += chunk
        if len(self._bytes) > self._max_bytes:
            raise BodyError(f"the answer is longer than {self._max_bytes} bytes")

    def whole(self) -> bytes:
        """Return the body, after the last chunk."""
        if self._expected is not None and len(self._bytes) != self._expected:
            raise BodyError("the answer is shorter or longer than it says")
        return bytes(self._bytes)


__all__ = ["Body"]
