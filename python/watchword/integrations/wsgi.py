"""Middleware for WSGI applications, which needs no framework: ``app = GateMiddleware(app, gate)``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from watchword.integrations._answers import Answer, rejection
from watchword.integrations._deciding import check_gate, decide, document
from watchword.integrations._wsgi_environ import Environ, EnvironRequest

if TYPE_CHECKING:
    from watchword.gate import Gate

StartResponse = Callable[..., Any]
Application = Callable[[Any, Any], Iterable[bytes]]


class GateMiddleware:
    """Checks every request of a WSGI application with a :class:`~watchword.gate.Gate`.

    A rejected request does not reach the application. For an allowed one, the environment has
    ``environ["watchword.decision"]`` (the :class:`~watchword.gate.Decision`) and ``environ["watchword.token"]`` (its
    :class:`~watchword.VerifiedToken`, or ``None`` on public and optional routes). Headers that clients may not send are
    removed; ``identity_headers=True`` adds the gate's own, as ``HTTP_…`` variables.

    The protected resource metadata (RFC 9728) is served at ``gate.metadata_path``, to anyone. The client's certificate
    (RFC 8705) is that of the variable ``SSL_CLIENT_CERT``, or of gunicorn's own TLS connection.

    Raises ``TypeError`` if an argument is invalid.
    """

    def __init__(self, app: Application, gate: Gate, *, identity_headers: bool = False) -> None:
        if not callable(app):
            raise TypeError(f"app must be a WSGI application, not {type(app).__name__}")
        check_gate(gate)
        self._app = app
        self._gate = gate
        self._identity_headers = identity_headers

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, and return the body of the response."""
        request = EnvironRequest(environ, identity_headers=self._identity_headers)
        answer = document(self._gate, request)
        if answer is None:
            decision = decide(self._gate, request)
            if decision.allowed:
                return self._app(environ, start_response)
            answer = rejection(decision)
        return send_answer(answer, environ, start_response)


def send_answer(answer: Answer, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Send an answer, and return its body."""
    status = HTTPStatus(answer.status)
    headers = list(answer.headers)
    if status != HTTPStatus.NO_CONTENT:  # RFC 9110 section 8.6
        headers.append(("Content-Length", str(len(answer.body))))
    start_response(f"{status.value} {status.phrase}", headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [answer.body]


__all__ = ["GateMiddleware", "send_answer"]
