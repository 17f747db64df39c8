"""The module for Envoy beside Envoy's own filters: requests a second, and the CPU time for each request.

    python benches/envoy_module.py --module target/release [--algorithm EdDSA ES256 RS256] [--turns 5] [--seconds 3]

One Envoy with one worker has a listener for each contender; wrk (apt: wrk) sends requests from the other core, and
nginx (apt: nginx) answers behind it. "ext_authz" asks ``watchword serve`` with one thread, whose CPU time is counted,
too. The contenders take turns, each round in another order; medians are printed, and
the median of the ratios within a round. A contender must accept a valid token and reject an expired one before its
first turn.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from free_port import free_port
from server_process import serving
from wrk import Turn, bearer, turn

from watchword.testing import LocalIssuer

ISSUER, AUDIENCE = "https://as.example", "https://api.example"
TOKENS = 500
TYPES = "type.googleapis.com/envoy.extensions"
FILTERS = f"{TYPES}.filters.http"
MANAGER = f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"


def jwt_authn(jwks: dict[str, Any], *, cached: bool) -> dict[str, Any]:
    headers = [("x-auth-sub", "sub"), ("x-auth-scope", "scope")]
    provider: dict[str, Any] = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": {"inline_string": json.dumps(jwks)},
        "forward": True,
        "claim_to_headers": [{"header_name": header, "claim_name": claim} for header, claim in headers],
    }
    if cached:
        provider["jwt_cache_config"] = {"jwt_cache_size": 2 * TOKENS}
    rule = {"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}
    return {"@type": f"{FILTERS}.jwt_authn.v3.JwtAuthentication", "providers": {"p": provider}, "rules": [rule]}


def gate_config(jwks: dict[str, Any]) -> dict[str, Any]:
    return {
        "public_url": AUDIENCE,
        "token": {"audience": AUDIENCE},
        "issuers": [{"issuer": ISSUER, "jwks": jwks}],
        "routes": [{"path": "/orders/{id}", "methods": ["GET"], "scopes": ["orders:read"]}],
    }


def module(jwks: dict[str, Any], *, cached: bool) -> dict[str, Any]:
    gate = gate_config(jwks)
    if not cached:
        gate["token_cache"] = {"max_bytes": 0}
    return {
        "@type": f"{FILTERS}.dynamic_modules.v3.DynamicModuleFilter",
        "dynamic_module_config": {"name": "watchword_envoy", "do_not_close": True, "metrics_namespace": "watchword"},
        "filter_name": "watchword",
        "filter_config": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"gate": gate}},
    }


def ext_authz() -> dict[str, Any]:
    passed_on = {"patterns": [{"prefix": "x-auth-", "ignore_case": True}]}
    service = {
        "server_uri": {"uri": "http://gate", "cluster": "gate", "timeout": "10s"},
        "authorization_response": {"allowed_upstream_headers": passed_on},
    }
    return {"@type": f"{FILTERS}.ext_authz.v3.ExtAuthz", "http_service": service, "transport_api_version": "V3"}


def contenders(jwks: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    return {
        "no filter": None,
        "jwt_authn": jwt_authn(jwks, cached=False),
        "jwt_authn, jwt_cache": jwt_authn(jwks, cached=True),
        "module": module(jwks, cached=True),
        "module, no cache": module(jwks, cached=False),
        "ext_authz": ext_authz(),
    }


#: What is compared, and the floors of requests a second and of CPU time.
RATIOS = (
    ("cached, against jwt_authn", "module", "jwt_authn", 1.4, 0.75),
    ("uncached, against jwt_authn", "module, no cache", "jwt_authn", 1.1, None),
    ("cached, against jwt_authn with jwt_cache", "module", "jwt_authn, jwt_cache", 0.9, None),
    ("cached, against ext_authz", "module", "ext_authz", 1.3, None),
)


def configuration(
    filters: dict[str, dict[str, Any] | None], ports: dict[str, int], clusters: dict[str, int]
) -> dict[str, Any]:
    router = {"name": "router", "typed_config": {"@type": f"{FILTERS}.router.v3.Router"}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "application"}}
    hosts = [{"name": "all", "domains": ["*"], "routes": [route]}]

    def listener(name: str, config: dict[str, Any] | None) -> dict[str, Any]:
        own = [] if config is None else [{"name": "own", "typed_config": config}]
        manager = {
            "@type": MANAGER,
            "stat_prefix": "bench",
            "route_config": {"virtual_hosts": hosts},
            "http_filters": [*own, router],
        }
        chain = {"filters": [{"name": "manager", "typed_config": manager}]}
        return {"name": name, "address": _address(ports[name]), "filter_chains": [chain]}

    def cluster(name: str, port: int) -> dict[str, Any]:
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}]
        return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": endpoints}}

    listeners = [listener(name, config) for name, config in filters.items()]
    found = [cluster(name, port) for name, port in clusters.items()]
    return {"static_resources": {"listeners": listeners, "clusters": found}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def status(port: int, token: str = "") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/orders/1", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def measure(algorithm: str, options: argparse.Namespace, folder: Path) -> None:
    issuer = LocalIssuer(ISSUER, audience=AUDIENCE, algorithms=(algorithm,))
    claims = {"scope": "orders:read", "client_id": "agent"}
    tokens = [issuer.mint({**claims, "sub": f"user-{n}", "jti": f"token-{n}"}) for n in range(TOKENS)]
    requests = folder / "tokens"
    requests.write_text("\n".join(map(bearer, tokens)) + "\n")
    filters = contenders(issuer.jwks())
    application, gate = free_port(), free_port()
    ports = {name: free_port() for name in filters}
    clusters = {"application": application, "gate": gate}
    (folder / "envoy.json").write_text(json.dumps(configuration(filters, ports, clusters)))
    server = {"proxy": "envoy", "listen": f"127.0.0.1:{gate}", "threads": 1}
    (folder / "gate.json").write_text(json.dumps({**gate_config(issuer.jwks()), "server": server}))
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; worker_processes 1; events {{}} error_log stderr;\n"
        f"http {{ access_log off; keepalive_requests 1000000000;\n"
        f"server {{ listen 127.0.0.1:{application}; return 200 ok; }} }}\n"
    )
    envoy = [options.envoy, "-c", str(folder / "envoy.json"), "--concurrency", "1", "--log-level", "error"]
    search = {**os.environ, "ENVOY_DYNAMIC_MODULES_SEARCH_PATH": str(Path(options.module).resolve())}
    with (
        serving(
            ["nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr"],
            log=folder / "nginx.log",
            ready=lambda: status(application) != 0,
            cwd=folder,
        ),
        serving(
            [sys.executable, "-m", "watchword.cli", "serve", "--config", "gate.json"],
            log=folder / "gate.log",
            ready=lambda: status(gate) != 0,
            cwd=folder,
        ) as verifier,
        serving(
            [*envoy, "--use-dynamic-base-id"],
            log=folder / "envoy.log",
            ready=lambda: status(ports["no filter"]) != 0,
            cwd=folder,
            env=search,
        ) as running,
    ):

        def load(name: str, seconds: float) -> Turn:
            processes = (running.pid, verifier.pid) if name == "ext_authz" else (running.pid,)
            return turn(ports[name], "/orders/1", requests, processes, seconds=seconds, folder=folder)

        for name, port in ports.items():
            statuses = (status(port, tokens[0]), status(port, issuer.mint_bad("expired")))
            assert name == "no filter" or statuses == (200, 401), (name, statuses)
            load(name, 1)
        rounds: list[dict[str, Turn]] = []
        for _ in range(options.turns):
            order = random.sample(list(ports), len(ports))
            rounds.append({name: load(name, options.seconds) for name in order})
    report(algorithm, list(ports), rounds)


def report(algorithm: str, names: list[str], rounds: list[dict[str, Turn]]) -> None:
    def median(values: Iterator[float]) -> float:
        return statistics.median(values)

    print(f"\n{algorithm}, {len(rounds)} turns\n\n| | requests/s | CPU µs/request | p99 ms |\n|---|---:|---:|---:|")
    for name in names:
        turns = [each[name] for each in rounds]
        rate, cpu = median(each.rate for each in turns), median(each.cpu for each in turns)
        print(f"| {name} | {rate:,.0f} | {cpu:.1f} | {median(each.p99 for each in turns) / 1000:.2f} |")
    print("\n| | requests/s | floor | CPU | floor |\n|---|---:|---:|---:|---:|")
    for what, ours, theirs, rate_floor, cpu_floor in RATIOS:
        rate = median(each[ours].rate / each[theirs].rate for each in rounds)
        cpu = median(each[ours].cpu / each[theirs].cpu for each in rounds)
        print(f"| {what} | {rate:.2f} × | {rate_floor} | {cpu:.2f} × | {cpu_floor or ''} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", required=True, help="the folder with libwatchword_envoy.so")
    beside = Path(sys.executable).parent / "envoy"
    parser.add_argument("--envoy", default=str(beside) if beside.exists() else "envoy")
    parser.add_argument("--algorithm", nargs="*", default=["EdDSA", "ES256", "RS256"])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    for algorithm in options.algorithm:
        with tempfile.TemporaryDirectory() as folder:
            measure(algorithm, options, Path(folder))


if __name__ == "__main__":
    main()
