"""The programs that ClawAuth's page shows, with FastAPI, with Django, and an agent that keeps its tokens fresh."""

# Without postponed annotations, which FastAPI would look up in the module.
import asyncio
import time
from collections.abc import Iterator
from typing import Annotated, Any

import httpx2
import mint
import pytest
from standins.clawauth import API_KEY, SERVICE, StandIn, running

from watchword.providers.clawauth import ClawAuth, ClawAuthAgent
from watchword.providers.clawauth.exceptions import ClawAuthError
from watchword.providers.clawauth.types import Agent

PAIR = ClawAuthAgent.generate_keypair()
FORGED = mint.token({"sub": "agent_1"}, {"alg": "ES256"}, key="p256", algorithm="ES256", signature=bytes(64))


@pytest.fixture
def clawauth() -> Iterator[StandIn]:
    with running() as standin:
        yield standin


def agent_of(clawauth: StandIn) -> ClawAuthAgent:
    found = ClawAuthAgent.register("agent@agents.example", "Shopper", PAIR["public_key"], clawauth.url)
    return ClawAuthAgent(found.agent_id, private_key=PAIR["private_key"].encode(), base_url=clawauth.url)


def test_fastapi(clawauth: StandIn) -> None:
    pytest.importorskip("fastapi", reason="what is tested is FastAPI's recipe")
    from fastapi import Depends, FastAPI, HTTPException
    from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

    app = FastAPI()
    auth = ClawAuth(SERVICE, API_KEY, clawauth.url)

    async def current_agent(given: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> Agent:
        result = await auth.verify_async(given.credentials)
        if not result.valid or not result.agent:
            raise HTTPException(401, result.error or "Invalid token")
        return result.agent

    async def protected(agent: Annotated[Agent, Depends(current_agent)]) -> dict[str, Any]:
        if agent.trust_score < 5.0:
            raise HTTPException(403, "Trust score too low")
        await auth.report_trust_async(agent.id, score=8.0, reason="Successful call")
        return {"name": agent.name, "trust_score": agent.trust_score}

    async def feedback(target: str, score: float, reason: str, agent: Annotated[Agent, Depends(current_agent)]) -> bool:
        if "admin" not in agent.roles:
            raise HTTPException(403, "Admin role required")
        await auth.report_trust_async(target, score, reason)
        return True

    app.get("/protected")(protected)
    app.post("/trust-feedback")(feedback)

    agent = agent_of(clawauth)
    token = agent.authenticate()["access_token"]

    async def requests() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="https://orders.example") as client:
            bearer = {"Authorization": f"Bearer {token}"}
            rated = {"target": agent.agent_id, "score": 9, "reason": "Helpful"}
            first = await client.get("/protected", headers=bearer)
            refused = await client.post("/trust-feedback", params=rated, headers=bearer)
            await auth.assign_role_async(agent.agent_id, "admin")
            allowed = await client.post("/trust-feedback", params=rated, headers=bearer)
            clawauth.agents[agent.agent_id].score = 4.9
            low = await client.get("/protected", headers=bearer)
            forged = await client.get("/protected", headers={"Authorization": f"Bearer {FORGED}"})
            return [first, refused, allowed, low, forged]

    answers = asyncio.run(requests())
    assert [one.status_code for one in answers] == [200, 403, 200, 403, 401]
    assert answers[0].json() == {"name": "Shopper", "trust_score": 5.0}
    assert answers[-1].json() == {"detail": "Invalid signature"}
    assert clawauth.reports == [(agent.agent_id, 8.0, "Successful call"), (agent.agent_id, 9.0, "Helpful")]


def test_django(clawauth: StandIn) -> None:
    pytest.importorskip("django", reason="what is tested is Django's recipe")
    from django.conf import settings

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["testserver"], SECRET_KEY="for a test", LOGGING_CONFIG=None)
    from django.http import JsonResponse
    from django.test import RequestFactory
    from django.utils.deprecation import MiddlewareMixin

    class ClawAuthMiddleware(MiddlewareMixin):
        def __init__(self, get_response: Any) -> None:
            super().__init__(get_response)
            self.auth = ClawAuth(service_id=SERVICE, api_key=API_KEY, base_url=clawauth.url)

        def process_request(self, request: Any) -> None:
            scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
            request.agent = None
            if scheme == "Bearer":
                try:
                    # An event loop of its own for each request.
                    request.agent = asyncio.run(self.auth.verify_async(token)).agent
                except ClawAuthError:
                    request.agent = None

    def view(request: Any) -> JsonResponse:
        if request.agent is None:
            return JsonResponse({"error": "Authentication required"}, status=401)
        return JsonResponse({"message": f"Hello {request.agent.name}!"})

    middleware = ClawAuthMiddleware(view)
    token = agent_of(clawauth).authenticate()["access_token"]

    def status(authorization: str) -> int:
        return int(middleware(RequestFactory().get("/", headers={"Authorization": authorization})).status_code)

    assert [status(f"Bearer {token}") for _ in range(3)] == [200, 200, 200]
    assert [status(one) for one in (f"Bearer {FORGED}", "Bearer x", "Bearer ", "Basic eDp5", "")] == [401] * 5
    clawauth.server.close()
    assert status(f"Bearer {token}") == 401


def test_an_agent_that_keeps_its_tokens_fresh(clawauth: StandIn) -> None:
    class Client:
        def __init__(self, auth: ClawAuthAgent) -> None:
            self.auth = auth
            self.expires_at = 0.0
            self.tokens: dict[str, Any] = {}

        async def access_token(self, now: float) -> str:
            if not self.tokens:
                self.tokens = await self.auth.authenticate_async()
            elif now >= self.expires_at - 60:
                self.tokens = await self.auth.refresh_async(self.tokens["refresh_token"])
            else:
                return str(self.tokens["access_token"])
            self.expires_at = now + self.tokens["expires_in"]
            return str(self.tokens["access_token"])

    async def run() -> None:
        client = Client(agent_of(clawauth))
        now = time.time()
        await client.access_token(now)
        await client.access_token(now + 3000)
        assert clawauth.server.count("/auth/refresh") == 0
        token = await client.access_token(now + 3541)
        assert clawauth.server.count("/auth/refresh") == 1
        assert (await ClawAuth(SERVICE, API_KEY, clawauth.url).verify_async(token)).valid

    asyncio.run(run())
