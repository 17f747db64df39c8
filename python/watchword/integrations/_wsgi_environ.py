"""A request of a WSGI server (PEP 3333), as a gate takes it.

The environment lacks what the CGI had no place for:

- ``PATH_INFO`` is decoded: it is unknown which characters the client had percent-encoded, and an encoded slash looks
  like any other. Most servers pass the target as they received it, too, under one of two names; but a server that
  rewrites paths leaves the old one there. :func:`target` uses it only if it decodes to the path that the application
  sees. Otherwise the decoded path is encoded again: an encoded slash is then a slash, as it is for the application, and
  a DPoP proof does not match a path in which the client escaped more characters than it had to.
- ``HTTP_X_AUTH_SUB`` stands for ``X-Auth-Sub`` and for ``X_Auth_Sub``. The gate gets the first, and removes both.
- Repeated headers are joined by a comma. The gate rejects a comma in those that must occur once.
"""

from __future__ import annotations

import functools
import io
from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote_to_bytes

if TYPE_CHECKING:
    from watchword.gate import Decision, Gate
    from watchword.integrations._deciding import Arguments

Environ = MutableMapping[str, Any]
Pair = tuple[Any, Any]

#: The keys by which an allowing decision is passed on: to the application, and to other integrations of the same gate.
DECISION: Final = "watchword.decision"
TOKEN: Final = "watchword.token"  # noqa: S105  # a key of the environment
GATE: Final = "watchword.gate"
#: The gate that has allowed the request by its routes, not only by the requirements of one view.
ROUTED: Final = "watchword.routed"

#: How much of a form is read to say that a token in it is rejected, in bytes.
FORM_LIMIT: Final = 16 * 1024

_FORM = "application/x-www-form-urlencoded"

# What a path may have besides unreserved characters (RFC 3986 section 3.3). The gate rejects the semicolon.
_PATH_CHARACTERS = "/:@!$&'()*+,;=~"


class EnvironRequest:
    """The request of an environment.

    ``encoding`` is that by which the bytes of its path were decoded: ``latin-1`` by servers, UTF-8 by Django after
    that.
    ``identity_headers`` says whether the application gets those of the gate.
    """

    def __init__(self, environ: Environ, *, encoding: str = "latin-1", identity_headers: bool = False) -> None:
        self._environ = environ
        self._encoding = encoding
        self._identity_headers = identity_headers
        self._arguments: Arguments | None = None

    def arguments(self) -> Arguments:
        """Return what a gate checks."""
        found = self._arguments
        if found is None:
            found = self._arguments = self._read()
        return found

    def _read(self) -> Arguments:
        environ = self._environ
        return {
            # As frameworks read it: a route must not be missed because a client writes "post".
            "method": environ["REQUEST_METHOD"].upper(),
            "target": target(environ, self._encoding),
            "headers": headers(environ),
            "certificate": certificate(environ),
        }

    def form(self) -> bytes | None:
        """Return the beginning of a form, or ``None``. The request has no more of it afterwards."""
        return form(self._environ)

    def decision(self, gate: Gate, *, by_routes: bool = False) -> Decision | None:
        """Return the decision by which this gate has allowed the request before; ``by_routes``: by its routes."""
        environ = self._environ
        if environ.get(GATE) is not gate or (by_routes and environ.get(ROUTED) is not gate):
            return None
        return environ.get(DECISION)

    def admit(self, gate: Gate, decision: Decision, *, by_routes: bool) -> None:
        """Remove what clients may not send, and leave the decision for the application."""
        environ = self._environ
        sent = headers(environ)
        keep_headers(environ, sent, decision.forwarded_headers(sent))
        if self._identity_headers:
            environ.update([(_variable(name), value) for name, value in decision.identity_headers])
        environ[GATE], environ[DECISION], environ[TOKEN] = gate, decision, decision.token
        if by_routes:
            environ[ROUTED] = gate


def target(environ: Environ, encoding: str = "latin-1") -> str:
    """Return the path and the query of a request, as the client sent them if that is known."""
    script, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    # gunicorn's name, and that of uWSGI and mod_wsgi.
    raw: str = (environ.get("RAW_URI") or environ.get("REQUEST_URI") or "").partition("?")[0]
    if not _is_same(raw, script + path, path, encoding):
        raw = quote(_bytes(script + path, encoding), safe=_PATH_CHARACTERS) or "/"
    query = environ.get("QUERY_STRING")
    return f"{raw}?{query}" if query else raw


def headers(environ: Environ) -> list[tuple[str, str]]:
    """Return the names and values of the headers, with hyphens in the names."""
    # The content's variables may be empty without a header.
    return [(name, value) for key, value in environ.items() if (name := _name(key)) and (value or key[:5] == "HTTP_")]


def keep_headers(environ: Environ, sent: Sequence[Pair], kept: Sequence[Pair]) -> None:
    """Remove the headers that were sent and are not to be kept."""
    if len(kept) != len(sent):
        removed = {name for name, _ in sent} - {name for name, _ in kept}
        for key in [key for key in environ if _name(key) in removed]:
            del environ[key]


def certificate(environ: Environ) -> str | bytes | None:
    """Return the client's TLS certificate: PEM, DER, or ``None``. No header of a request can set these keys."""
    # Of mod_ssl (with ExportCertData), uWSGI's and nginx's parameters, and werkzeug.
    pem: str | None = environ.get("SSL_CLIENT_CERT")
    if pem:
        return pem
    # gunicorn's connection is a plain socket if something else terminates TLS.
    peer = getattr(environ.get("gunicorn.socket"), "getpeercert", None)
    der: bytes | None = None if peer is None else peer(binary_form=True)
    return der or None


def form(environ: Environ) -> bytes | None:
    """Return the first :data:`FORM_LIMIT` bytes of a form-encoded body, or ``None`` if there is none."""
    if not is_form(environ.get("CONTENT_TYPE", "")):
        return None
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit() and len(length) < 20:
        size = min(int(length), FORM_LIMIT)
    elif environ.get("wsgi.input_terminated"):
        size = FORM_LIMIT
    else:
        # Nothing says where the body ends, and a read might wait forever.
        return None
    try:
        read: bytes = environ["wsgi.input"].read(size)
    except Exception:  # the client has disconnected, or its body is malformed
        read = b""
    # What reads the body of a rejected request must not wait for the part that was read here.
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(read), str(len(read))
    return read or None


def is_form(content_type: str) -> bool:
    """Return whether a body of this type is form-encoded."""
    return content_type.partition(";")[0].strip().lower() == _FORM


def _name(key: str) -> str | None:
    """Return the name of the header that a variable stands for, ``None`` if it stands for none."""
    # Clients choose the names, so that long ones are not cached.
    return _usual_name(key) if len(key) < 64 else _usual_name.__wrapped__(key)


@functools.lru_cache(maxsize=512)
def _usual_name(key: str) -> str | None:
    if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return key.removeprefix("HTTP_").replace("_", "-")
    return None


@functools.lru_cache(maxsize=64)
def _variable(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")


def _is_same(raw: str, whole: str, path: str, encoding: str) -> bool:
    """Return whether the path that a client sent is the one that the application sees.

    That is ``whole``, with the mount point, or ``path``: some proxies remove the mount point from what they pass on.
    """
    if not raw.startswith("/"):
        return False
    if "%" not in raw and raw.isascii():
        return raw in (whole, path)
    try:
        decoded = unquote_to_bytes(raw.encode("latin-1"))
    except UnicodeEncodeError:
        return False
    return decoded in (_bytes(whole, encoding), _bytes(path, encoding))


def _bytes(path: str, encoding: str) -> bytes:
    # With the surrogates that a lenient decoder made of invalid bytes.
    return path.encode(encoding, "surrogateescape")


__all__ = [
    "DECISION",
    "FORM_LIMIT",
    "GATE",
    "ROUTED",
    "TOKEN",
    "Environ",
    "EnvironRequest",
    "certificate",
    "form",
    "headers",
    "is_form",
    "keep_headers",
    "target",
]
