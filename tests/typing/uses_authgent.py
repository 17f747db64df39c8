"""A program written from authgent's documentation, and from its published package if that differs.

It is never run: ``mypy --strict`` must find nothing wrong with it.
"""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import httpx2
from fastapi import Depends, FastAPI, Request
from flask import Flask, g

import watchword as ww
from watchword.client import CallSettings
from watchword.holder import DpopProver
from watchword.jwks import HttpxFetcher
from watchword.providers.authgent import (
    DEFAULT_SESSION,
    AgentAuthClient,
    AgentAuthClientSync,
    AgentIdentity,
    AgentResult,
    AuthgentError,
    ClientResult,
    DelegationChain,
    DelegationError,
    DPoPClient,
    DPoPError,
    InsufficientScopeError,
    InvalidTokenError,
    JWKSFetcher,
    ServerError,
    Session,
    TokenClaims,
    TokenResult,
    verify_delegation_chain,
    verify_dpop_proof,
    verify_token,
    verify_token_sync,
)
from watchword.providers.authgent.adapters.langchain import AuthClient, AuthgentCallbackHandler, AuthgentToolWrapper
from watchword.providers.authgent.adapters.mcp import AgentAuthProvider, MCPAuthProvider
from watchword.providers.authgent.adapters.protected_resource import ProtectedResourceMetadata
from watchword.providers.authgent.middleware import fastapi as fastapi_middleware
from watchword.providers.authgent.middleware import flask as flask_middleware
from watchword.providers.authgent.middleware.scope_challenge import (
    ScopeChallenge,
    ScopeChallengeHandler,
    StepUpDeniedError,
    StepUpResult,
    StepUpTimeoutError,
    parse_scope_challenge,
)

ISSUER = "http://localhost:8000"


async def tokens(raw: str) -> str:
    identity: AgentIdentity = await verify_token(token=raw, issuer=ISSUER)
    identity = await verify_token(raw, ISSUER, "https://api.example", JWKSFetcher(ISSUER, cache_ttl=60))
    identity = await verify_token(raw, ISSUER, audience=ww.ANY_AUDIENCE, leeway=5, bound_tokens="accept")
    identity = verify_token_sync(raw, ISSUER, ["https://a.example", "https://b.example"])
    session: Session = DEFAULT_SESSION
    session = Session(dpop=session.dpop)
    identity = await verify_token(raw, ISSUER, jwks_fetcher=session.fetcher(ISSUER), session=session)
    session.close()
    fetcher = JWKSFetcher(ISSUER, fetcher=HttpxFetcher(httpx2.Client()))
    keys: dict[str, dict[str, Any]] = await fetcher.get_all_keys()
    key: dict[str, Any] = await fetcher.get_key("kid")
    await fetcher.refresh()
    subject: str = identity.subject
    scopes: list[str] = identity.scopes
    claims: TokenClaims = identity.claims
    texts: tuple[str | None, ...] = (claims.sub, claims.scope, claims.iss, claims.jti, identity.client_id)
    times: tuple[int | None, ...] = (claims.exp, claims.iat)
    members: tuple[dict[str, Any] | None, ...] = (claims.act, claims.cnf, claims.raw)
    audience: str | list[str] | None = identity.audience
    agent: tuple[str | None, ...] = (
        *(identity.agent_type, identity.agent_model, identity.agent_version),
        *(identity.agent_provider, identity.agent_instance_id),
    )
    print(subject, scopes, texts, times, members, audience, agent, claims.get("tenant"), keys, key)
    return AgentIdentity.from_claims({"sub": "client:a"}).subject


def chains(identity: AgentIdentity) -> int:
    chain: DelegationChain = verify_delegation_chain(
        identity.delegation_chain,
        max_depth=3,
        require_human_root=True,
        allowed_actors=["client:agnt_trusted_orchestrator"],
    )
    names: list[str] = [actor["sub"] for actor in chain.actors]
    human: bool = chain.human_root and chain.has_actor("client:a")
    made = DelegationChain(actors=[{"sub": "client:a"}], depth=1, human_root=False)
    print(names, human, verify_delegation_chain(made, human=lambda one: one.depth > 0))
    return chain.depth


def proofs(raw: str, identity: AgentIdentity) -> str:
    dpop: DPoPClient = DPoPClient.create()
    proof: str = dpop.create_proof(method="POST", url="https://api.example.com/data", access_token=raw)
    proof = dpop.create_proof("POST", "https://api.example.com/data", raw, "nonce")
    proof = dpop.create_proof(http_method="POST", http_uri="https://api.example.com/data")
    headers: dict[str, str] = dpop.create_proof_headers(raw, "GET", "https://api.example.com/data")
    result: dict[str, Any] = verify_dpop_proof(
        proof_jwt=headers["DPoP"], access_token=raw, http_method="POST", http_uri="https://api.example.com/data"
    )
    result = verify_dpop_proof(identity, proof, "POST", "https://api.example.com/data")
    result = verify_dpop_proof(
        token=identity.claims.raw, dpop_proof=proof, http_method="GET", http_uri="https://a.example"
    )
    result = verify_dpop_proof(proof, raw, "GET", "https://a.example", dpop=ww.dpop.DpopVerifier(replay=None))
    print(result["jkt"] == dpop.jkt)
    return dpop.jkt


async def errors(raw: str) -> str | None:
    try:
        await verify_token(token=raw, issuer=ISSUER)
    except InvalidTokenError as e:
        return e.message
    except (DelegationError, DPoPError, InsufficientScopeError, ServerError) as e:
        return e.error_code
    except AuthgentError as e:
        code: ww.ErrorCode | None = e.code
        verdict: ww.VerificationError | None = e.verdict
        print(code, verdict, e.http_status + 1)
    return None


def for_fastapi() -> FastAPI:
    app = FastAPI()
    app.add_middleware(
        fastapi_middleware.AgentAuthMiddleware,
        issuer=ISSUER,
        public_url=["https://api.example", "https://internal.example:8443"],
    )
    app.add_middleware(
        fastapi_middleware.AgentAuthMiddleware,
        issuer=ISSUER,
        audience="https://api.example",
        public_url="https://api.example",
        leeway=5,
    )
    metadata = ProtectedResourceMetadata(
        resource="https://mcp-server.example.com",
        authorization_servers=[ISSUER],
        scopes_supported=["tools:execute", "db:read"],
    )

    @app.post("/tools/search")
    async def search(request: Request) -> dict[str, Any]:
        identity = fastapi_middleware.get_agent_identity(request)
        return {"agent": identity.subject, "depth": identity.delegation_chain.depth}

    @app.post("/tools/run")
    @fastapi_middleware.require_agent_auth(scopes=["tools:execute"])
    async def run(identity: Annotated[AgentIdentity, Depends(fastapi_middleware.get_agent_identity)]) -> list[str]:
        return identity.scopes

    @app.get("/.well-known/oauth-protected-resource")
    async def resource_metadata() -> dict[str, Any]:
        print(metadata.to_json(), metadata.url)
        return metadata.to_dict()

    return app


def for_flask() -> Flask:
    app = Flask(__name__)
    flask_middleware.AgentAuthMiddleware(
        app, issuer=ISSUER, audience="https://api.example", public_url="https://api.example"
    )

    @app.route("/tools/search", methods=["POST"])
    @flask_middleware.agent_auth_required(issuer=ISSUER, scopes=["search:execute"], public_url="https://api.example")
    def search() -> dict[str, Any]:
        return {"agent": g.agent_identity.subject}

    @app.route("/me")
    @flask_middleware.require_agent_auth(scopes=["read"])
    def me() -> str:
        identity: AgentIdentity = flask_middleware.get_agent_identity()
        return identity.subject

    return app


async def challenges(response: httpx2.Response) -> str | None:
    handler = ScopeChallengeHandler(server_url=ISSUER, client_id="agnt_xxx", client_secret="sec_xxx")
    result: StepUpResult | None = await handler.handle_scope_challenge(
        response=response, action="access_pii", scope="data:pii:read"
    )
    published = ScopeChallengeHandler(ISSUER, hitl_scopes=["db:delete"], poll_interval=1, client=httpx2.AsyncClient())
    try:
        if published.is_scope_challenge(response):
            result = await published.handle_challenge(response, agent_id="agent:a", resource="https://mcp.example")
    except (StepUpDeniedError, StepUpTimeoutError) as e:
        print(e.message)
    challenge: ScopeChallenge | None = parse_scope_challenge(response.headers.get("WWW-Authenticate", ""))
    print(challenge.required_scope if challenge else None, result.stepup_id if result else None)
    return result.step_up_token if result else None


async def adapters(raw: str, client: AuthClient) -> dict[str, str]:
    auth = MCPAuthProvider(server_url=ISSUER)
    identity: AgentIdentity = await auth.verify(raw)
    access_token = await AgentAuthProvider(ISSUER, "https://mcp.example").verify_token(raw)
    print(identity, access_token.client_id if access_token else None, auth.metadata_url, auth.jwks_url)
    events = AuthgentCallbackHandler(verbose=True)
    events.on_token_acquired("Bearer", None)
    print(events.events)
    wrapper = AuthgentToolWrapper(ISSUER, "agnt_xxx", "sec_xxx", client=client, scope="read", use_dpop=True)
    return await wrapper.get_auth_headers(http_uri="https://api.example")


async def clients(raw: str) -> str | None:
    async with AgentAuthClient(ISSUER, timeout=5.0, http_client=httpx2.AsyncClient()) as client:
        agent: AgentResult = await client.register_agent(name="a", scopes=["read"], owner="o", capabilities=["x"])
        token: TokenResult = await client.get_token(
            agent.client_id, agent.client_secret, scope="read", dpop=DpopProver()
        )
        token = await client.exchange_token(
            subject_token=token.access_token,
            audience="https://a.example",
            scopes=["read"],
            client_id=agent.client_id,
            client_secret=agent.client_secret,
            dpop=DPoPClient.create(),
        )
        info: dict[str, Any] = await client.introspect_token(token.access_token)
        await client.revoke_token(token.access_token, agent.client_id, agent.client_secret)
        chain = verify_delegation_chain(DelegationChain())
        asked = await client.request_stepup(agent.id, "act", "pii", delegation_chain=chain, metadata={"why": 1})
        info |= await client.check_stepup(asked["id"]) | await client.check_exchange(raw, "a", "b")
    own: AgentAuthClient = AgentAuthClient(ISSUER, 5.0, httpx.AsyncClient(), call_settings=CallSettings(max_retries=0))
    wrapper = AuthgentToolWrapper(ISSUER, agent.client_id, agent.client_secret, client=own, use_dpop=True)
    with AgentAuthClientSync(ISSUER, http_client=httpx.Client(), allow_http_hosts=["authgent"]) as threads:
        registered: ClientResult = threads.register_client("b", ["refresh_token"], redirect_uris=["https://b.example"])
        try:
            token = threads.refresh_token(token.refresh_token or "", registered.client_id, dpop=None)
        except ServerError as e:
            print(e.status_code, e.error, e.error_description, e.retry_after, e.request_id)
    print(info, wrapper, token.expires_in + 1, token.token_type, token.scope, token.issued_token_type, token.raw)
    return token.refresh_token
