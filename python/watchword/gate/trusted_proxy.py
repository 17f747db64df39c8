"""TrustedProxy: what one proxy in front of the application says of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class TrustedProxy:
    """The headers that one trusted proxy always sets, replacing what the client sent under their names.

    ``origin`` is the family of headers with the scheme and host that the client requested: ``"x-forwarded"``
    (``X-Forwarded-Proto`` and ``X-Forwarded-Host``) or ``"forwarded"`` (RFC 7239); ``None``: the origin is the gate's
    ``public_url``. ``certificate_header`` is the header with the client's TLS certificate (RFC 8705), in the form
    ``certificate_format``: ``"escaped-pem"`` (nginx's ``$ssl_client_escaped_cert``) or ``"xfcc"`` (Envoy's
    ``X-Forwarded-Client-Cert``); ``None``: the certificate is that of the connection.

    A header that is configured here and is not set by the proxy can be sent by any client: configure only what the
    proxy overwrites in every request.
    """

    origin: Literal["x-forwarded", "forwarded"] | None = None
    certificate_header: str | None = None
    certificate_format: Literal["escaped-pem", "xfcc"] = "escaped-pem"


__all__ = ["TrustedProxy"]
