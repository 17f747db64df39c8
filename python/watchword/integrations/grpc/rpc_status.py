"""``google.rpc.Status`` in protobuf's wire format: what ``grpc-status-details-bin`` contains.

Three messages are written and none is read, so the packages ``protobuf`` and ``grpcio-status`` are not needed.
"""

from __future__ import annotations

from collections.abc import Mapping

_TYPES = "type.googleapis.com/google.rpc."


def rpc_status(code: int, message: str, *details: bytes) -> bytes:
    """Return a ``google.rpc.Status`` with ``details``, each a ``google.protobuf.Any``."""
    return _number(1, code) + _text(2, message) + b"".join(_bytes(3, detail) for detail in details)


def error_info(reason: str, domain: str, metadata: Mapping[str, str]) -> bytes:
    """Return a ``google.rpc.ErrorInfo`` as a ``google.protobuf.Any`` (Google AIP-193)."""
    entries = (_bytes(3, _text(1, name) + _text(2, value)) for name, value in metadata.items())
    return _any("ErrorInfo", _text(1, reason) + _text(2, domain) + b"".join(entries))


def retry_info(seconds: int) -> bytes:
    """Return a ``google.rpc.RetryInfo`` with a delay in seconds, as a ``google.protobuf.Any``."""
    return _any("RetryInfo", _bytes(1, _number(1, seconds)))


def _any(name: str, message: bytes) -> bytes:
    return _text(1, _TYPES + name) + _bytes(2, message)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value) if value else b""


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


__all__ = ["error_info", "retry_info", "rpc_status"]
