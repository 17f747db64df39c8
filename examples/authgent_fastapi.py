"""A service for the agents of an authgent-server, which checks the caller and the delegation chain.

    pip install 'watchword[fastapi]' uvicorn
    python authgent_fastapi.py http://localhost:8000 https://search.example

The middleware verifies the token of each request, and the DPoP proof if the token is bound to a key. The issuer's
keys are fetched once for all of them.
"""

from __future__ import annotations

import socket
import sys
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException

from watchword.providers.authgent import AgentIdentity, DelegationError, verify_delegation_chain
from watchword.providers.authgent.adapters.protected_resource import ProtectedResourceMetadata
from watchword.providers.authgent.middleware.fastapi import AgentAuthMiddleware, get_agent_identity, require_agent_auth


def make_app(issuer: str, resource: str) -> FastAPI:
    app = FastAPI()
    metadata = ProtectedResourceMetadata(
        resource=resource,
        authorization_servers=[issuer],
        scopes_supported=["search:execute"],
        dpop_signing_alg_values_supported=["ES256"],
    )
    # Tokens must have this service as their audience; responses with 401 name the resource metadata. Proofs must be for
    # the URL that clients call, which the service knows and a request cannot be trusted to tell.
    app.add_middleware(
        AgentAuthMiddleware,
        issuer=issuer,
        audience=resource,
        public_url=resource,
        resource_metadata=metadata.url,
    )

    @app.get("/.well-known/oauth-protected-resource")
    async def resource_metadata() -> dict[str, Any]:
        return metadata.to_dict()

    @app.post("/tools/search")
    @require_agent_auth(scopes=["search:execute"])
    async def search(agent: Annotated[AgentIdentity, Depends(get_agent_identity)]) -> dict[str, Any]:
        try:
            verify_delegation_chain(agent.delegation_chain, max_depth=2)
        except DelegationError as error:
            raise HTTPException(error.http_status, error.message) from error
        return {"for": agent.subject, "by": [actor["sub"] for actor in agent.delegation_chain.actors]}

    return app


def main(issuer: str, resource: str, port: int = 8080) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(make_app(issuer, resource), log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1], resource=sys.argv[2])
