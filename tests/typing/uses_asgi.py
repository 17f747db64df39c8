"""The ASGI, Starlette and FastAPI integrations, as an application uses them: checked by mypy, and never run."""

from typing import Annotated, assert_type

from fastapi import Depends, FastAPI, Security
from fastapi.responses import JSONResponse as FastAPIResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path
from starlette.websockets import WebSocket

import watchword as ww
from watchword.gate import Decision, Gate, Route
from watchword.integrations import asgi
from watchword.integrations.fastapi import OPTIONAL, RESPONSES, Authenticated, RejectedError
from watchword.integrations.fastapi import GateMiddleware as FastAPIGateMiddleware
from watchword.integrations.starlette import GateMiddleware, GateState, RejectionResponse, requires

gate = Gate(
    ww.Verifier(["https://as.example"], audience="https://api.example"),
    [Route("/orders/{id}")],
    public_url="https://api.example",
)


@requires(gate, scopes=["orders:{id}"], dpop="required", max_age=300)
async def order(request: Request[GateState]) -> Response:
    assert_type(request.state.token, ww.VerifiedToken | None)
    assert_type(request.state.decision, Decision)
    return JSONResponse(request.state.decision.route)


@requires(gate)
async def listen(websocket: WebSocket[GateState]) -> None:
    assert_type(websocket.state.token, ww.VerifiedToken | None)
    await websocket.accept()


starlette = Starlette(
    routes=[Path("/orders/{id}", order)],
    middleware=[Middleware(GateMiddleware, gate=gate, identity_headers=True, startup_keys="require")],
)
wrapped = asgi.GateMiddleware(starlette, gate)

authenticated = Authenticated(gate, scopes=["orders:read"], max_depth=3)
app = FastAPI(responses=RESPONSES)
app.add_middleware(FastAPIGateMiddleware, gate=gate)


@app.get("/orders")
async def orders(token: Annotated[ww.VerifiedToken, Security(authenticated, scopes=["a"])]) -> str | None:
    return token.subject


@app.get("/catalogue", openapi_extra=OPTIONAL)
def catalogue(token: Annotated[ww.VerifiedToken | None, Depends(Authenticated(gate, optional=True))]) -> bool:
    return token is None


@app.exception_handler(RejectedError)
async def rejected(_: Request, error: RejectedError) -> Response:
    assert_type(error.decision, Decision)
    return FastAPIResponse(error.decision.code) if error.status_code == 403 else RejectionResponse(error.decision)
