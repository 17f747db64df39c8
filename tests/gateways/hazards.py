"""Requests that gateways get wrong, in the form of the table of requests (``gate_cases``)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace

from gate_cases import ALLOWED, FORGED, HOP_BY_HOP, INVALID_PROOF, NOBODY, Case, Expected, Requests
from gate_routes import ORIGIN, READ
from gateways import UNAVAILABLE_ISSUER
from wire import Pairs, Wire

from watchword.testing import LocalIssuer

Proof = Callable[[Requests, str], str]

#: What a gateway tells the verifier of a request that passes.
_CHECK_OF_PUBLIC: Pairs = (
    ("X-Original-Method", "GET"),
    ("X-Original-URI", "/public"),
    ("X-Forwarded-Method", "GET"),
    ("X-Forwarded-Uri", "/public"),
)

_PROVEN = Expected(200, sees={"subject": "alice", "scheme": "DPoP"})
_MISSING = Expected(401, "missing_token", ("Bearer", None))
_NO_ROUTE = Expected(403, "no_route")

#: What a client might send for a verifier to believe, by what each would change.
METHOD: Pairs = (
    ("X-Original-Method", "POST"),
    ("X-Forwarded-Method", "POST"),
    ("X-HTTP-Method-Override", "POST"),
    ("X-Method-Override", "POST"),
    ("X-HTTP-Method", "POST"),
    ("X-Envoy-Original-Method", "POST"),
    ("X_Original_Method", "POST"),
    ("X_Forwarded_Method", "POST"),
)
TARGET: Pairs = tuple(
    (name, "/public")
    for name in (
        "X-Original-URI",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Forwarded-Uri",
        "X-Forwarded-Path",
        "X-Forwarded-Prefix",
        "X-Envoy-Original-Path",
        "X-Envoy-Original-Dst-Host",
        "X_Original_URI",
        "X_Forwarded_Uri",
        "X.Original.URI",
    )
)
_FAMILY = "X-Original-Method, X-Original-URI, X-Forwarded-Method, X-Forwarded-Uri, X-Forwarded-Host, X-Forwarded-Proto"
HOSTS: Pairs = (
    ("X-Forwarded-Host", "elsewhere.example"),
    ("X-Host", "elsewhere.example"),
    ("X-Original-Host", "elsewhere.example"),
    ("X-Forwarded-Server", "elsewhere.example"),
    ("X_Forwarded_Host", "elsewhere.example"),
    ("Forwarded", "for=192.0.2.1;host=elsewhere.example;proto=http"),
)
SCHEME: Pairs = (
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Protocol", "http"),
    ("X-Forwarded-Scheme", "http"),
    ("X-Url-Scheme", "http"),
    ("X-Forwarded-Ssl", "off"),
    ("Front-End-Https", "off"),
    ("Forwarded", "proto=http"),
)


def _proven(name: str, expected: Expected, more: Pairs, **proof: str) -> Case:
    make: Proof = functools.partial(Requests.proof, **proof)  # type: ignore[assignment]
    return Case(name, lambda all_: [all_.proven(functools.partial(make, all_), more=more)], expected)


def _bearer(
    name: str,
    expected: Expected,
    *headers: tuple[str, str],
    own: Mapping[str, int] | None = None,
    instead: Mapping[str, Expected] | None = None,
    **keywords: object,
) -> Case:
    def make(requests: Requests) -> list[Wire]:
        target, method = str(keywords.get("target", "/orders/1")), str(keywords.get("method", "GET"))
        sent = requests.bearer(*headers, target=target, method=method)
        others = {name: value for name, value in keywords.items() if name not in ("target", "method")}
        return [Wire(sent.method, sent.target, sent.headers, **others)]  # type: ignore[arg-type]

    return Case(name, make, expected, own or {}, instead or {})


def _plain(
    name: str,
    expected: Expected,
    wire: Wire,
    own: Mapping[str, int] | None = None,
    instead: Mapping[str, Expected] | None = None,
) -> Case:
    return Case(name, lambda _: [wire], expected, own or {}, instead or {})


_BODY = b"x" * 60_000


def _unavailable(_: Requests) -> list[Wire]:
    issuer = LocalIssuer(UNAVAILABLE_ISSUER, audience=ORIGIN)
    return [Wire("GET", "/orders/1", (("Authorization", f"Bearer {issuer.mint(sub='alice', scope=READ)}"),))]


def _wrong(code: str) -> Expected:
    return Expected(401, code, INVALID_PROOF)


_USER = {"envoy": 404, "caddy": 400, "haproxy": 400, "traefik": 400}

#: It rejects what leads above the root, decoded.
_ABOVE = {"/public%2f..%2f..%2forders/1": {"nginx": 400}}

_ROWS = (
    # What headers say of the request
    _proven("proof for another method, which headers name", _wrong("dpop_wrong_method"), METHOD, method="POST"),
    _proven("proof for another URI, which headers name", _wrong("dpop_wrong_uri"), TARGET, url=f"{ORIGIN}/public"),
    _proven(
        "proof for another host, which headers name",
        _wrong("dpop_wrong_uri"),
        HOSTS,
        url="https://elsewhere.example/orders/1",
    ),
    _proven(
        "proof for another scheme, which headers name",
        _wrong("dpop_wrong_uri"),
        SCHEME,
        url="http://api.example/orders/1",
    ),
    _proven("good proof, and headers that name another request", _PROVEN, (*METHOD, *TARGET, *HOSTS)),
    _bearer("another scheme in headers", ALLOWED, ("X-Forwarded-Proto", "https"), ("Forwarded", "proto=https")),
    _plain("no token, and headers that name a public path", _MISSING, Wire("GET", "/orders/1", TARGET)),
    _plain(
        "no token, and a header that names a public path twice",
        _MISSING,
        Wire("GET", "/orders/1", (("X-Original-URI", "/public"), ("X-Forwarded-Uri", "/public")) * 2),
    ),
    _bearer("public path in headers, another in the target", _NO_ROUTE, *TARGET, target="/elsewhere"),
    # What Connection names
    _bearer(
        "hop-by-hop, what a gateway tells the verifier",
        ALLOWED,
        ("Connection", f"close, {_FAMILY}"),
        *TARGET,
        own={"envoy": 400},
    ),
    Case(
        "hop-by-hop DPoP",
        lambda all_: [all_.proven(all_.proof, more=(("Connection", "close, DPoP"),))],
        _PROVEN,
        # They remove what it names; the gate inside nginx is given the header.
        instead={**{name: _wrong("dpop_missing_proof") for name in ("envoy", "traefik")}, "nginx-lua": HOP_BY_HOP},
    ),
    _plain(
        "hop-by-hop on a public path",
        NOBODY,
        Wire("GET", "/public", (("Connection", "close, X-Auth-Sub, X-Auth-Route"), ("X-Auth-Sub", FORGED))),
        instead={"nginx-lua": HOP_BY_HOP},
    ),
    Case(
        "hop-by-hop in a websocket handshake",
        lambda all_: [replace(all_.bearer(("Connection", "X-Auth-Sub"), target="/socket"), websocket=True)],
        Expected(101, sees={"subject": "alice"}),
        # Envoy removes what Connection names, but not of a handshake: the gate sees it.
        instead={"nginx-lua": HOP_BY_HOP, "envoy-module": HOP_BY_HOP},
    ),
    # Paths
    *(
        _plain(f"no token, {target}", Expected(400, "ambiguous_path"), Wire("GET", target), _ABOVE.get(target))
        for target in (
            "/public/../orders/1",
            "/public/..%2forders/1",
            "/public%2f..%2f..%2forders/1",
            "/public/%2e%2e/orders/1",
            "/.well-known/oauth-protected-resource/../../orders/1",
            "/.well-known/oauth-protected-resource/%2e%2e/%2e%2e/orders/1",
        )
    ),
    *(
        _plain(
            f"metadata, and headers of a check{name}",
            Expected(200),
            Wire("GET", "/.well-known/oauth-protected-resource", (*_CHECK_OF_PUBLIC * times,)),
        )
        for name, times in (("", 1), (", twice", 2))
    ),
    _bearer("absolute-form target, with the host of Host", ALLOWED, target="http://api.example/orders/1"),
    # Hosts
    _bearer("two Host headers", Expected(400), hosts=("api.example", "elsewhere.example"), own={"envoy": 404}),
    _bearer("no Host header", Expected(400), hosts=()),
    _bearer("Host with a port", ALLOWED, hosts=("api.example:8443",)),
    _bearer("Host with user information", ALLOWED, hosts=("api.example@elsewhere.example",), own=_USER),
    _bearer("Host of somebody else", ALLOWED, hosts=("elsewhere.example",), own={"envoy": 404}),
    # Bodies, and other methods
    _bearer("body of 60 kB", ALLOWED, method="POST", body=_BODY),
    _bearer("chunked body of 60 kB", ALLOWED, method="POST", body=_BODY, chunked=True),
    _plain("body of 60 kB without a token", _MISSING, Wire("POST", "/orders/1", body=_BODY)),
    _plain("chunked body without a token", _MISSING, Wire("POST", "/orders/1", body=_BODY, chunked=True)),
    _bearer("HEAD", ALLOWED, method="HEAD"),
    _plain("HEAD without a token", _MISSING, Wire("HEAD", "/orders/1")),
    _bearer("OPTIONS", _NO_ROUTE, method="OPTIONS"),
    _plain("OPTIONS on a public path", NOBODY, Wire("OPTIONS", "/public")),
    _bearer("a hundred headers", ALLOWED, *((f"X-Other-{number}", "x" * 100) for number in range(60))),
    Case("identity headers of 9 kB", lambda all_: [all_.bearer(scope=f"{READ} {'x' * 9000}")], ALLOWED),
    # Rejections that are not the client's fault
    Case(
        "keys unavailable",
        _unavailable,
        Expected(503, "keys_unavailable"),
        # Envoy passes on no answer with a 5xx.
        instead={"envoy": Expected(503)},
    ),
)

#: Every row, by name.
HAZARDS = {case.name: case for case in _ROWS}
