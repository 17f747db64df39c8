"""A gate with invented traffic, whose metrics Prometheus can scrape: python demo.py [--port 9464] [--requests 1000]"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections.abc import Iterator

from prometheus_client import start_http_server

import watchword as ww
from watchword.dpop import DpopProver
from watchword.gate import Gate, Route
from watchword.observability import DecisionLog, Metrics, combine
from watchword.observability.prometheus import registry
from watchword.testing import LocalIssuer, ServedIssuer

API = "https://api.example"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9464, help="the port of the metrics, on loopback")
    parser.add_argument("--requests", type=int, help="end after so many requests (default: never)")
    arguments = parser.parse_args()

    metrics, log = Metrics(), DecisionLog()
    with LocalIssuer(audience=API).serve(max_age=300) as issuer:
        verifier = ww.Verifier([issuer.as_issuer()], audience=API, token_cache=ww.TokenCache(max_bytes=1024 * 1024))
        routes = [Route("/health", public=True), Route("/orders/{id}", scopes=["orders:read"])]
        with Gate(verifier, routes, public_url=API, on_verdict=combine(metrics, log)) as gate:
            start_http_server(arguments.port, addr="127.0.0.1", registry=registry(metrics, gate, log))
            print(f"http://127.0.0.1:{arguments.port}/metrics", flush=True)
            for target, headers in itertools.islice(traffic(issuer), arguments.requests):
                gate.check(method="GET", target=target, headers=headers)
                time.sleep(random.expovariate(200))


def traffic(issuer: ServedIssuer) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the paths and headers of requests: valid, expired, forged, without a token, with proofs, and repeated."""
    prover = DpopProver()
    bound = issuer.mint(scope="orders:read", cnf={"jkt": prover.jkt}, expires_in=86_400)
    proof = prover.proof("GET", f"{API}/orders/1", bound)
    clients = [issuer.mint(sub=f"client-{number}", scope="orders:read", expires_in=86_400) for number in range(20)]
    expired, forged = issuer.mint_bad("expired"), issuer.mint_bad("claims changed after signing")
    while True:
        kind = random.random()
        if kind < 0.70:
            yield "/orders/1", bearer(random.choice(clients))
        elif kind < 0.80:
            yield "/orders/1", bearer(issuer.mint(scope="orders:read"))
        elif kind < 0.85:
            proof = prover.proof("GET", f"{API}/orders/1", bound)
            yield "/orders/1", {"Authorization": f"DPoP {bound}", "DPoP": proof}
        elif kind < 0.87:
            yield "/orders/1", {"Authorization": f"DPoP {bound}", "DPoP": proof}
        elif kind < 0.91:
            yield "/orders/1", bearer(expired)
        elif kind < 0.93:
            yield "/orders/1", bearer(forged)
        elif kind < 0.95:
            yield "/orders/1", bearer(issuer.mint(scope="orders:write"))
        elif kind < 0.98:
            yield "/orders/1", {}
        else:
            yield "/health", {}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


if __name__ == "__main__":
    main()
