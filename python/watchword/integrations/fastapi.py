"""FastAPI: the dependency :class:`Authenticated`, and :class:`GateMiddleware` for an application."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from watchword.integrations.starlette import GateMiddleware, RejectionResponse, authorize

try:
    from fastapi import HTTPException
    from fastapi.openapi.models import HTTPBearer, OpenIdConnect
    from fastapi.openapi.models import SecurityBase as SchemeModel
    from fastapi.params import Security
    from fastapi.security import SecurityScopes
    from fastapi.security.base import SecurityBase
    from pydantic import BaseModel
    from starlette.requests import HTTPConnection
    from starlette.websockets import WebSocket
except ImportError as error:
    raise ImportError("this integration needs FastAPI: pip install 'watchword[fastapi]'") from error

if TYPE_CHECKING:
    from starlette.responses import Response

    from watchword import VerifiedToken
    from watchword.gate import Decision, Gate, Guard


class GateProblem(BaseModel):
    """The body of the gate's rejections: a problem document (RFC 9457), of the type ``application/problem+json``.

    ``code`` is a value of :class:`~watchword.ErrorCode`; ``trace_id`` also stands in the gate's logs. No model of an
    application should have this name, by which :data:`RESPONSES` refers to it in the OpenAPI document.
    """

    title: str
    status: int
    detail: str
    code: str
    trace_id: str


#: For ``responses=`` of a FastAPI, an APIRouter or a path operation: what the gate answers, in the OpenAPI document.
#: Of two media types, as FastAPI describes a model as ``application/json`` only; the gate sends the first.
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/GateProblem"}}},
        "model": GateProblem,
    }
    for status, description in (
        (400, "The request is malformed"),
        (401, "The request has no valid access token"),
        (403, "The access token does not suffice"),
        (503, "The issuer's keys are unavailable"),
    )
}

#: For ``openapi_extra=`` of a path operation with ``Authenticated(optional=True)``, which a FastAPI dependency cannot
#: say: that it may be called without a token, too.
OPTIONAL: dict[str, Any] = {"security": [{}]}


class RejectedError(HTTPException):
    """Raised by :class:`Authenticated` for a request that the gate rejects.

    It is answered with the gate's status, headers and problem document, without a handler of the application's own.
    One that the application adds for this class, or for a status, takes precedence.
    """

    def __init__(self, decision: Decision) -> None:
        try:
            detail = json.loads(decision.body)
        except ValueError:
            detail = decision.code
        super().__init__(decision.status, detail, dict(decision.headers))
        self.decision = decision


class Authenticated:
    """A dependency that returns the verified token of a request, and rejects requests that lack what it requires.

    ``token: Annotated[VerifiedToken, Depends(Authenticated(gate, scopes=["orders:read"]))]``, or with FastAPI's
    ``Security(Authenticated(gate), scopes=["orders:read"])``, which adds scopes; they may have variables of the path,
    ``"orders:{id}"``. ``optional=True``: returns ``None`` for a request without a token; one with an invalid token is
    rejected. ``requirements`` are those of :meth:`Gate.guard <watchword.gate.Gate.guard>`.

    Behind a :class:`GateMiddleware` of the same gate, its decision is the base; without one, the request is verified
    here. ``request.state.token`` and ``request.state.decision`` are then set. It also works for WebSocket endpoints,
    before they are accepted. Raises :class:`RejectedError`.

    The OpenAPI document gets a security scheme: ``openIdConnect`` with the discovery URL, if the gate has one issuer,
    whose keys are discovered, otherwise ``http`` with the scheme ``bearer``. ``scheme`` replaces it, by one of
    :mod:`fastapi.security`, of which only the description is used.

    Raises ``ValueError`` or ``TypeError`` if a requirement is invalid.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        scopes: Iterable[str] = (),
        optional: bool = False,
        scheme: SecurityBase | None = None,
        **requirements: Any,  # noqa: ANN401  # those of a guard, which checks them
    ) -> None:
        self._gate = gate
        self._scopes = tuple(scopes)
        self._requirements = {**requirements, "optional": optional}
        self._guards: dict[tuple[str, ...], Guard] = {}
        self._guard(())
        # FastAPI reads which dependencies a dependency has itself from its signature. It shows the scopes of a security
        # scheme in the OpenAPI document if the scheme is such a dependency.
        shown = Annotated[None, Security(_Described(gate, scheme), scopes=list(self._scopes))]
        self.__signature__ = inspect.Signature(
            [
                inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)
                for name, annotation in (
                    ("connection", HTTPConnection),
                    ("security_scopes", SecurityScopes),
                    ("_scheme", shown),
                )
            ]
        )

    async def __call__(
        self, connection: HTTPConnection, security_scopes: SecurityScopes, _scheme: None = None
    ) -> VerifiedToken | None:
        """Return the token of a request. Called by FastAPI."""
        guard = self._guard(tuple(security_scopes.scopes))
        decision = await authorize(self._gate, guard, connection)
        if decision.allowed:
            return decision.token
        handlers = connection.scope.get("starlette.exception_handlers")
        if handlers is not None:
            # The application's handlers by class, which are looked up after this.
            handlers[0].setdefault(RejectedError, _answer)
        raise RejectedError(decision)

    def _guard(self, added: tuple[str, ...]) -> Guard:
        guard = self._guards.get(added)
        if guard is None:
            # The lists of scopes are those of the application's code, so their number is bounded.
            scopes = dict.fromkeys((*self._scopes, *added))
            guard = self._guards[added] = self._gate.guard(scopes=tuple(scopes), **self._requirements)
        return guard


class _Described(SecurityBase):
    """A security scheme that is only described: the gate checks the request."""

    def __init__(self, gate: Gate, scheme: SecurityBase | None) -> None:
        if scheme is None:
            self.model, self.scheme_name = _scheme_of(gate)
        else:
            self.model, self.scheme_name = scheme.model, scheme.scheme_name

    async def __call__(self) -> None:
        """Do nothing."""


def _scheme_of(gate: Gate) -> tuple[SchemeModel, str]:
    issuers = gate.verifier.issuers
    names = " or ".join(issuer.issuer for issuer in issuers)
    description = (
        f"An access token of {names}, by the scheme Bearer; or by the scheme DPoP with a proof (RFC 9449), "
        "if it is bound to a key."
    )
    if len(issuers) == 1 and issuers[0].is_discovered:
        from watchword.jwks.discovery import well_known_urls

        url = well_known_urls(issuers[0].issuer)[0]
        return OpenIdConnect(openIdConnectUrl=url, description=description), "OpenIdConnect"
    return HTTPBearer(bearerFormat="JWT", description=description), "AccessToken"


async def _answer(connection: HTTPConnection, error: Exception) -> Response | None:
    assert isinstance(error, RejectedError)  # noqa: S101  # it is registered for these only
    response = RejectionResponse(error.decision)
    if not isinstance(connection, WebSocket):
        return response
    # Older versions of Starlette do not send what the handler of a WebSocket's exception returns.
    await response(connection.scope, connection.receive, connection.send)
    return None


__all__ = ["OPTIONAL", "RESPONSES", "Authenticated", "GateMiddleware", "GateProblem", "RejectedError"]
