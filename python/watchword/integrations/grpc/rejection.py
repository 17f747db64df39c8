"""The status and the trailing metadata of an RPC that the gate rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import grpc

from watchword.integrations.grpc.rpc_status import error_info, retry_info, rpc_status

if TYPE_CHECKING:
    from watchword.gate import Decision

#: The status of an RPC for the HTTP status of a rejection.
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}

#: The headers of a rejection that an RPC has as trailing metadata.
_TRAILING = frozenset({"www-authenticate", "dpop-nonce", "retry-after"})

_DOMAIN = "watchword"


class Rejection(NamedTuple):
    """The end of a rejected RPC."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...]

    @classmethod
    def of(cls, decision: Decision) -> Rejection:
        """Return the status and trailing metadata for a decision that rejects.

        ``grpc-status-details-bin`` has a ``google.rpc.ErrorInfo`` with the error code in capitals as its reason and the
        trace id in its metadata, and a ``RetryInfo`` if a retry is worthwhile.
        """
        code = _CODES.get(decision.status, grpc.StatusCode.INTERNAL)
        details = f"the request was rejected: {decision.code}"
        headers = [(name.lower(), value) for name, value in decision.headers]
        trailing = [(name, value) for name, value in headers if name in _TRAILING]
        infos = [error_info(str(decision.code).upper(), _DOMAIN, {"trace_id": decision.trace_id})]
        infos += [retry_info(int(value)) for name, value in trailing if name == "retry-after" and value.isdecimal()]
        status = rpc_status(code.value[0], details, *infos)
        return cls(code, details, (*trailing, ("grpc-status-details-bin", status)))


__all__ = ["Rejection"]
