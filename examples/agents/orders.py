"""A service behind a gate, with metrics and a decision log: uvicorn orders:app --port 8001

Environment: ISSUER, the URL of authgent-server; PUBLIC_URL, the URL by which clients call the service; DECISION_LOG,
the file that the decisions are appended to; REQUEST_LOG, the file that requests with a token are appended to.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

import watchword as ww
from watchword.gate import Gate, Route
from watchword.integrations.fastapi import GateMiddleware
from watchword.observability import DecisionLog, Metrics, combine
from watchword.observability.prometheus import exposition

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
PUBLIC_URL = os.environ.get("PUBLIC_URL", "http://localhost:8001")
DECISIONS = Path(os.environ.get("DECISION_LOG", "decisions.ndjson"))
REQUESTS = Path(os.environ.get("REQUEST_LOG", "requests.ndjson"))

metrics = Metrics()
log = DecisionLog(DECISIONS.open("a", encoding="utf-8", buffering=1), allowed=True)
verifier = ww.Verifier(
    [ww.Issuer(ISSUER, jwks_uri=f"{ISSUER}/.well-known/jwks.json", allow_loopback_http=True)], audience=PUBLIC_URL
)
gate = Gate(
    verifier,
    [
        Route("/metrics", public=True),
        # One actor at most may act for the agent that the token was issued to, and a stolen token is of no use.
        Route("/orders/{id}", methods=["GET"], scopes=["orders:read"], dpop="required", max_depth=1),
        Route("/orders/{id}", methods=["PUT"], scopes=["orders:write"], dpop="required", max_depth=1),
    ],
    public_url=PUBLIC_URL,
    on_verdict=combine(metrics, log),
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with gate:
        await gate.refresh_async()  # fail at start-up if the issuer's keys are unavailable
        yield


app = FastAPI(title="Orders", lifespan=lifespan)


@app.get("/metrics")
async def operator() -> Response:
    return Response(exposition(metrics, gate, log), media_type=CONTENT_TYPE_LATEST)


@app.get("/orders/{order_id}")
async def read(order_id: int, request: Request) -> dict[str, Any]:
    return {"order": order_id, "for": request.state.token.subject, "by": actors(request.state.token)}


@app.put("/orders/{order_id}")
async def change(order_id: int, request: Request) -> dict[str, Any]:
    return {"changed": order_id, "for": request.state.token.subject, "by": actors(request.state.token)}


def actors(token: ww.VerifiedToken) -> list[str | None]:
    return [actor.subject for actor in token.delegation.actors]


class RequestLog:
    """Writes what an audit needs of each request with a token, whether the gate allows it or not."""

    def __init__(self, app: ASGIApp, file: TextIO) -> None:
        self._app = app
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            _, _, token = headers.get("Authorization", "").partition(" ")
            if token:
                request = {"method": scope["method"], "uri": PUBLIC_URL + scope["path"], "proof": headers.get("DPoP")}
                self._file.write(json.dumps({"time": time.time(), "token": token, **request}) + "\n")
        await self._app(scope, receive, send)


def private(path: Path) -> TextIO:
    """Open the file for appending; only its owner can read it, as it has tokens."""
    return open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8", buffering=1)


app.add_middleware(GateMiddleware, gate=gate)
# The one that is added last is the first to see a request.
app.add_middleware(RequestLog, file=private(REQUESTS))
