"""Two agents, a service, and one refusal: python tour.py [ISSUER] [API]

An agent registers at authgent-server and calls the service with a token that is bound to its key. Another agent obtains
a delegated token for less, bound to its own key, and then reaches too far.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import httpx2

from watchword.dpop import DpopProver
from watchword.holder import KeyPair
from watchword.providers.authgent import AgentAuthClientSync, verify_delegation_chain, verify_token_sync


@dataclass
class Agent:
    """An agent's credentials, and its key, which never leaves the agent."""

    name: str
    client_id: str
    client_secret: str
    prover: DpopProver

    @classmethod
    def register(cls, server: AgentAuthClientSync, name: str, *scopes: str) -> Agent:
        registered = server.register_agent(name, scopes=scopes, owner="orders-team")
        return cls(name, registered.client_id, registered.client_secret, DpopProver(signer=KeyPair.generate("ES256")))

    def call(self, method: str, url: str, token: str) -> httpx2.Response:
        """Send a request with the token and a proof that this agent sent it (RFC 9449 section 7.1)."""
        headers = {"Authorization": f"DPoP {token}", "DPoP": self.prover.proof(method, url, token)}
        return httpx2.request(method, url, headers=headers)


def main(issuer: str = "http://localhost:8000", api: str = "http://localhost:8001") -> int:
    order = f"{api}/orders/7"
    server = AgentAuthClientSync(issuer)

    planner = Agent.register(server, "planner", "orders:read", "orders:write")
    token = server.get_token(
        planner.client_id, planner.client_secret, scope="orders:read orders:write", resource=api, dpop=planner.prover
    ).access_token
    show("planner changes the order", planner.call("PUT", order, token))

    reader = Agent.register(server, "reader", "orders:read", "orders:write")
    delegated = server.exchange_token(
        subject_token=token,
        audience=api,
        scopes=["orders:read"],  # less than the planner may do
        client_id=reader.client_id,
        client_secret=reader.client_secret,
        dpop=reader.prover,
    ).access_token

    # What the service is about to see, verified here as well.
    identity = verify_token_sync(delegated, issuer, audience=api, bound_tokens="accept")
    verify_delegation_chain(identity.delegation_chain, max_depth=1)
    print(f"delegated: {identity.delegation_chain.depth} actor, scopes {identity.scopes}")

    show("reader reads the order", reader.call("GET", order, delegated))
    show("reader changes the order", reader.call("PUT", order, delegated))
    return 0


def show(what: str, answer: httpx2.Response) -> None:
    print(f"{what}: {answer.status_code} {answer.headers.get('WWW-Authenticate', '')}".rstrip())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
