"""What a gate needs of an ASGI scope, and its answers as ASGI messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote, unquote

from watchword.integrations._answers import metadata

if TYPE_CHECKING:
    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: How much of a form is read, to say that a token in it is rejected: in bytes, and in messages, so that a client that
#: sends byte by byte does not keep a request that is rejected anyway.
FORM_BYTES: Final = 16 * 1024
FORM_MESSAGES: Final = 64

# What a path may have unescaped (RFC 3986 section 3.3).
_PATH_CHARACTERS = "/:@!$&'()*+,;=~"


def target(scope: Scope) -> bytes:
    """Return the path and the query that the client requested, as it sent them (RFC 9112 section 3.2).

    The path under which an application is mounted (``root_path``) is a part of it.
    """
    raw: bytes = scope.get("raw_path") or escaped_path(scope)
    query: bytes = scope.get("query_string") or b""
    return raw + b"?" + query if query else raw


def escaped_path(scope: Scope) -> bytes:
    """Return the path for a server that does not give it as it was sent, which ASGI leaves to the server.

    Which characters the client escaped is not known: the usual ones, probably. If it escaped others, the gate's path is
    in another form than that of its proof, which is then rejected.
    """
    return quote(scope["path"], safe=_PATH_CHARACTERS).encode()


def check_path(scope: Scope, raw: bytes) -> None:
    """Raise ``ValueError`` unless the path in a scope is ``raw``, the one that was sent.

    The application chooses its endpoint by ``path``, and the gate its route by ``raw_path``. A middleware that rewrites
    only one of them must be inside the gate's.
    """
    path = scope["path"]
    # Some servers and test clients have the query in raw_path, too.
    decoded = unquote(raw.partition(b"?")[0].decode("latin-1"))
    # Frameworks differ in whether path has the path under which an application is mounted.
    if decoded not in (path, scope.get("root_path", "") + path):
        raise ValueError(
            "the path of the scope is not that of its raw_path: put the gate outside of what rewrites paths"
        )


def certificate(extensions: Mapping[str, Any]) -> str | None:
    """Return the client's certificate in PEM, if the server has ASGI's TLS extension and the client sent one."""
    tls = extensions.get("tls")
    if not tls:
        return None
    # The first is the client's own; those that follow are its issuers'.
    return next(iter(tls.get("client_cert_chain") or ()), None)


def is_form(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether the body is an HTML form, in which RFC 6750 section 2.2 has tokens."""
    for name, value in headers:
        if name.lower() == b"content-type":
            return value.partition(b";")[0].strip().lower() == b"application/x-www-form-urlencoded"
    return False


async def read_form(receive: Receive) -> bytes:
    """Return the first :data:`FORM_BYTES` bytes of a body, or what the client sent of it before it disconnected.

    How long the client may take is up to the server.
    """
    form = b""
    for _ in range(FORM_MESSAGES):
        message = await receive()
        form += message.get("body", b"")
        if not message.get("more_body", False) or len(form) >= FORM_BYTES:
            break
    return form[:FORM_BYTES]


class Rejection(Protocol):
    """An answer to a request that is rejected: a :class:`~watchword.gate.Decision`, for one."""

    @property
    def status(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def headers(self) -> Iterable[tuple[str, str]]: ...
    @property
    def body(self) -> bytes: ...


async def send_rejection(rejection: Rejection, scope: Scope, send: Send) -> None:
    """Send the answer to an HTTP request or a WebSocket handshake that is rejected."""
    kind = scope["type"]
    if kind == "websocket":
        if "websocket.http.response" not in (scope.get("extensions") or ()):
            # The codes from 4000 are the application's (RFC 6455 section 7.4.2).
            await send({"type": "websocket.close", "code": 4000 + rejection.status, "reason": rejection.code})
            return
        kind = "websocket.http"
    headers = [*encoded(rejection.headers), (b"content-length", b"%d" % len(rejection.body))]
    await _send(kind, rejection.status, headers, rejection.body, send)


async def send_metadata(document: Mapping[str, object], scope: Scope, send: Send) -> None:
    """Answer a request for the protected resource metadata (RFC 9728 section 3)."""
    method = scope["method"]
    answer = metadata(document, method)
    headers = encoded(answer.headers)
    if answer.status != 204:  # RFC 9110 section 8.6
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await _send("http", answer.status, headers, b"" if method == "HEAD" else answer.body, send)


def encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI has them: bytes, and the names in lower case."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def _send(kind: str, status: int, headers: list[tuple[bytes, bytes]], body: bytes, send: Send) -> None:
    await send({"type": f"{kind}.response.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})


__all__ = [
    "FORM_BYTES",
    "FORM_MESSAGES",
    "Rejection",
    "certificate",
    "check_path",
    "encoded",
    "escaped_path",
    "is_form",
    "read_form",
    "send_metadata",
    "send_rejection",
    "target",
]
