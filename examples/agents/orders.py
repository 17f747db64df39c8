"""A service behind a gate, with metrics and a decision log: uvicorn orders:app --port 8001

Environment: ISSUER, the URL of authgent-server; PUBLIC_URL, the URL by which clients call the service; DECISION_LOG,
the file that the decisions are appended to.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

import watchword as ww
from watchword.gate import Gate, Route
from watchword.integrations.fastapi import GateMiddleware
from watchword.observability import DecisionLog, Metrics, combine
from watchword.observability.prometheus import exposition

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
PUBLIC_URL = os.environ.get("PUBLIC_URL", "http://localhost:8001")
DECISIONS = Path(os.environ.get("DECISION_LOG", "decisions.ndjson"))

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


app.add_middleware(GateMiddleware, gate=gate)
