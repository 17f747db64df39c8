"""Middleware for WSGI applications behind a gate in another process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from watchword import VerificationError
from watchword.integrations._answers import Answer
from watchword.integrations._identity_answers import (
    IDENTITY,
    RejectionLog,
    check_identity_headers,
    identity_rejection,
)
from watchword.integrations._wsgi_environ import headers, keep_headers
from watchword.integrations.wsgi import send_answer

if TYPE_CHECKING:
    from watchword.gate import IdentityHeaders
    from watchword.integrations._wsgi_environ import Environ
    from watchword.integrations.wsgi import Application, StartResponse


class IdentityMiddleware:
    """Accepts only requests whose identity headers a gate with the application's secret has sent.

    Any other is answered by 403 (``untrusted_identity``), without a challenge, as its client can do nothing about it.
    For an accepted one, ``environ["watchword.identity"]`` is the :class:`~watchword.gate.Identity`; the variables of
    the headers below the prefix, the secret among them, are removed.

    What must answer without the gate, such as a health check, is served outside of it. Raises ``TypeError`` if an
    argument is invalid.
    """

    def __init__(self, app: Application, identity_headers: IdentityHeaders) -> None:
        if not callable(app):
            raise TypeError(f"app must be a WSGI application, not {type(app).__name__}")
        check_identity_headers(identity_headers)
        self._app = app
        self._identity_headers = identity_headers
        self._log = RejectionLog()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, and return the body of the response."""
        sent = headers(environ)
        try:
            identity = self._identity_headers.read(sent)
        except VerificationError as error:
            self._log.add(error)
            rejection = identity_rejection(error)
            return send_answer(Answer(rejection.status, rejection.headers, rejection.body), environ, start_response)
        keep_headers(environ, sent, self._identity_headers.without(sent))
        environ[IDENTITY] = identity
        return self._app(environ, start_response)


__all__ = ["IdentityMiddleware"]
