"""One table of requests, for every integration and server: what is sent, and what must come back.

A row's ``expected`` is what the gate answers. ``own`` names the servers that may reject the request themselves, before
the application, with their status (0: they close the connection). ``instead`` names those that change a request before
the gate sees it, and what is expected then.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gate_routes import ORIGIN, READ
from wire import Pairs, Wire

from watchword.dpop import DpopProver
from watchword.testing import LocalIssuer

ORDER = f"{ORIGIN}/orders/1"
#: In every forged value: what the application sees must not contain it.
FORGED = "forged-by-the-client"


@dataclass(frozen=True)
class Expected:
    """``code`` is the problem document's, ``None`` if the application answers; ``challenge`` has scheme and error."""

    status: int
    code: str | None = None
    challenge: tuple[str, str | None] | None = None
    #: What the application was given, by the names of its answer.
    sees: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    name: str
    #: The last is answered as expected; those before it are accepted.
    wires: Callable[[Requests], list[Wire]]
    expected: Expected
    #: Servers that may reject it themselves, and their statuses. Of a name, its begin is enough.
    own: Mapping[str, int] = field(default_factory=dict)
    #: Servers whose application is given something else, because they change the request.
    instead: Mapping[str, Expected] = field(default_factory=dict)


class Requests:
    """Makes requests with the tokens of one issuer."""

    def __init__(self, issuer: LocalIssuer) -> None:
        self.issuer = issuer
        self.prover = issuer.prover()

    def bearer(self, *headers: tuple[str, str], target: str = "/orders/1", method: str = "GET", **claims: Any) -> Wire:
        token = self.issuer.mint({"sub": "alice", "scope": READ, **claims})
        return Wire(method, target, (("Authorization", f"Bearer {token}"), *headers))

    def bad(self, defect: str) -> Wire:
        return Wire("GET", "/orders/1", (("Authorization", f"Bearer {self.issuer.mint_bad(defect)}"),))

    def bound(self) -> str:
        return self.issuer.mint(sub="alice", scope=READ, cnf={"jkt": self.prover.jkt})

    def proven(self, *proofs: Callable[[str], str], more: Pairs = ()) -> Wire:
        token = self.bound()
        values = tuple(("DPoP", proof(token)) for proof in proofs)
        return Wire("GET", "/orders/1", (("Authorization", f"DPoP {token}"), *values, *more))

    def proof(self, token: str, *, method: str = "GET", url: str = ORDER) -> str:
        return self.prover.proof(method, url, token)


def _one(make: Callable[..., Wire], *arguments: Any, **keywords: Any) -> Callable[[Requests], list[Wire]]:
    return lambda requests: [make(requests, *arguments, **keywords)]


ALICE = {"subject": "alice", "scheme": "Bearer"}
ALLOWED = Expected(200, sees=ALICE)
NOBODY = Expected(200, sees={"subject": None, "scheme": None})
INVALID_TOKEN = ("Bearer", "invalid_token")
INVALID_PROOF = ("DPoP", "invalid_dpop_proof")
_TOO_LITTLE = Expected(403, "insufficient_scope", ("Bearer", "insufficient_scope"))


_MISSING = Expected(401, "missing_token", ("Bearer", None))


def _invalid(code: str) -> Expected:
    return Expected(401, code, INVALID_TOKEN)


def _invalid_proof(code: str) -> Expected:
    return Expected(401, code, INVALID_PROOF)


def _case(
    name: str,
    make: Callable[..., Wire],
    expected: Expected,
    *arguments: Any,
    own: Mapping[str, int] | None = None,
    instead: Mapping[str, Expected] | None = None,
    **keywords: Any,
) -> Case:
    return Case(name, _one(make, *arguments, **keywords), expected, own or {}, instead or {})


def _plain(_: Requests, target: str, *headers: tuple[str, str], method: str = "GET", body: bytes = b"") -> Wire:
    return Wire(method, target, headers, body)


def _twice(requests: Requests) -> list[Wire]:
    used = requests.proven(requests.proof)
    return [used, used]


def _two_tokens(requests: Requests, *, joined: bool) -> Wire:
    (_, first), (_, second) = (requests.bearer().headers[0] for _ in range(2))
    if joined:
        return Wire("GET", "/orders/1", (("Authorization", f"{first}, {second}"),))
    return Wire("GET", "/orders/1", (("Authorization", first), ("Authorization", second)))


def _in_query(requests: Requests, *, beside: bool = False) -> Wire:
    target = f"/orders/1?access_token={requests.issuer.mint(scope=READ)}"
    return requests.bearer(target=target) if beside else Wire("GET", target)


def _in_body(requests: Requests) -> Wire:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    body = f"x=1&access_token={requests.issuer.mint(scope=READ)}"
    return Wire("POST", "/orders/1", (form,), body.encode())


def _websocket(requests: Requests, make: Callable[[Requests], Wire]) -> Wire:
    made = make(requests)
    return Wire("GET", "/socket", made.headers, websocket=True)


def _other_scope(requests: Requests) -> Wire:
    return requests.bearer(scope="orders:list")


# What is sent, in groups

#: What servers read of a header, or of all: gunicorn 8,190 bytes, hypercorn 16 KiB unless they come at once.
_LARGE = {"gunicorn": 431, "hypercorn-h11": 400}

VALID = (
    _case("valid", Requests.bearer, Expected(200, sees={**ALICE, "variables": {"id": "1"}})),
    _case("valid, with a query", Requests.bearer, ALLOWED, target="/orders/1?x=1&y=%2Fa"),
    _case("valid, by POST", Requests.bearer, ALLOWED, method="POST"),
    _case("valid, with an encoded letter in the path", Requests.bearer, ALLOWED, target="/%6frders/1"),
    _case(
        "valid, a name that is not ASCII in the path",
        Requests.bearer,
        Expected(200, sees={**ALICE, "variables": {"id": "café"}}),
        target="/orders/caf%C3%A9",
    ),
    _case("public", _plain, NOBODY, "/public"),
    _case("public, with an invalid token", _plain, NOBODY, "/public", ("Authorization", "Bearer x.y.z")),
    _case("optional, without a token", _plain, NOBODY, "/optional"),
    _case("optional, with a token", Requests.bearer, ALLOWED, target="/optional"),
    _case("metadata of the protected resource", _plain, Expected(200), "/.well-known/oauth-protected-resource"),
)

TOKENS = (
    _case("no token", _plain, _MISSING, "/orders/1"),
    _case("another scheme", _plain, _MISSING, "/orders/1", ("Authorization", "Basic eDp5")),
    _case("expired", Requests.bad, _invalid("expired"), "expired"),
    _case("wrong audience", Requests.bad, _invalid("wrong_audience"), "wrong audience"),
    _case("signature flipped", Requests.bad, _invalid("invalid_signature"), "one bit of the signature flipped"),
    _case("alg none", Requests.bad, _invalid("algorithm_not_allowed"), "alg none"),
    _case(
        "optional, with an invalid token",
        _plain,
        _invalid("malformed_token"),
        "/optional",
        ("Authorization", "Bearer x.y.z"),
    ),
    _case("missing scope", _other_scope, _TOO_LITTLE),
    _case("a token of 16 KiB", Requests.bearer, ALLOWED, pad="x" * 11_700, own=_LARGE),
    _case(
        "a token of more than 16 KiB",
        Requests.bearer,
        _invalid("too_large"),
        pad="x" * 12_300,
        # Caddy 2.11 closes the connection if a header of HTTP/2 is that long.
        own={**_LARGE, "caddy-h2": 0},
    ),
    _case("token in the query", _in_query, Expected(400, "token_in_query", ("Bearer", "invalid_request"))),
    _case(
        "token in the query, and in the header",
        _in_query,
        Expected(400, "token_in_query", ("Bearer", "invalid_request")),
        beside=True,
    ),
    _case(
        "token in the body",
        _in_body,
        Expected(400, "token_in_body", ("Bearer", "invalid_request")),
        # They do not send the body to the verifier.
        instead={"gateway": _MISSING},
    ),
    _case(
        "two Authorization headers",
        _two_tokens,
        Expected(400, "malformed_request", ("Bearer", "invalid_request")),
        joined=False,
        own={"nginx": 400},
    ),
    _case(
        "two tokens joined by a comma",
        _two_tokens,
        Expected(400, "malformed_request", ("Bearer", "invalid_request")),
        joined=True,
    ),
)


def _proofs() -> tuple[Case, ...]:
    def proven(name: str, expected: Expected, *proofs: Callable[[Requests, str], str]) -> Case:
        return Case(name, lambda all_: [all_.proven(*(functools.partial(p, all_) for p in proofs))], expected)

    def joined(requests: Requests, token: str) -> str:
        return f"{requests.proof(token)}, {requests.proof(token)}"

    def by_another_key(_: Requests, token: str) -> str:
        return DpopProver().proof("GET", ORDER, token)

    def bearer(requests: Requests) -> list[Wire]:
        return [Wire("GET", "/orders/1", (("Authorization", f"Bearer {requests.bound()}"),))]

    def unbound(requests: Requests) -> list[Wire]:
        token = requests.issuer.mint(sub="alice", scope=READ)
        return [Wire("GET", "/orders/1", (("Authorization", f"DPoP {token}"), ("DPoP", requests.proof(token))))]

    def forwarded(requests: Requests) -> list[Wire]:
        more = (("X-Forwarded-Host", "elsewhere.example"), ("X-Forwarded-Proto", "http"))
        elsewhere = functools.partial(requests.proof, url="http://elsewhere.example/orders/1")
        return [requests.proven(elsewhere, more=(*more, ("Forwarded", "host=elsewhere.example;proto=http")))]

    post = functools.partial(Requests.proof, method="POST")
    other_path = functools.partial(Requests.proof, url=f"{ORIGIN}/orders/2")
    other_host = functools.partial(Requests.proof, url="https://elsewhere.example/orders/1")
    return (
        proven("good proof", Expected(200, sees={"subject": "alice", "scheme": "DPoP"}), Requests.proof),
        Case("bound, as a bearer token", bearer, Expected(401, "dpop_proof_required", ("DPoP", "invalid_token"))),
        proven("bound, without a proof", _invalid_proof("dpop_missing_proof")),
        Case(
            "token without a binding, with a proof",
            unbound,
            Expected(401, "dpop_unbound_token", ("DPoP", "invalid_token")),
        ),
        Case("replayed", _twice, _invalid_proof("dpop_replayed")),
        proven("proof for another method", _invalid_proof("dpop_wrong_method"), post),
        proven("proof for another path", _invalid_proof("dpop_wrong_uri"), other_path),
        proven("proof for another host", _invalid_proof("dpop_wrong_uri"), other_host),
        Case("proof for the host that the client forwards", forwarded, _invalid_proof("dpop_wrong_uri")),
        proven("proof of another key", Expected(401, "dpop_key_mismatch", ("DPoP", "invalid_token")), by_another_key),
        proven("two DPoP headers", _invalid_proof("dpop_several_proofs"), Requests.proof, Requests.proof),
        proven("two proofs joined by a comma", _invalid_proof("dpop_several_proofs"), joined),
        _case(
            "bearer token where DPoP is required",
            Requests.bearer,
            Expected(401, "dpop_bound_token_required", ("DPoP", "invalid_token")),
            target="/bound",
        ),
    )


PROOFS = _proofs()


def _forged(name: str, *headers: tuple[str, str]) -> Case:
    return _case(name, Requests.bearer, ALLOWED, *headers)


#: If ``Connection`` names a header that is not the connection's.
HOP_BY_HOP = Expected(400, "malformed_request", ("Bearer", "invalid_request"))

IDENTITY = (
    _forged("forged X-Auth-Sub", ("X-Auth-Sub", FORGED), ("X-Auth-Scope", FORGED)),
    _forged("forged X_Auth_Sub", ("X_Auth_Sub", FORGED), ("X_Auth-Sub", FORGED)),
    _forged("forged X.Auth.Sub", ("X.Auth.Sub", FORGED), ("X-Auth.Sub", FORGED)),
    _forged("forged x-AUTH-sub", ("x-AUTH-sub", FORGED), ("X-AUTH-SCOPE", FORGED)),
    _forged("forged, a name that the gate does not set", ("X-Auth-Role", FORGED), ("X-Auth-", FORGED)),
    _forged("forged twice", ("X-Auth-Sub", FORGED), ("X-Auth-Sub", FORGED)),
    _forged("forged, before and after the credentials", ("X-Auth-Issuer", FORGED), ("x-auth-issuer", FORGED)),
    # HTTP/2 has no such header.
    *(
        _case(
            f"hop-by-hop {name}",
            Requests.bearer,
            HOP_BY_HOP,
            ("Connection", f"close, {name}"),
            ("X-Auth-Sub", FORGED),
            # Gateways do not forward the header to a verifier; two remove what it names at once.
            instead={"hypercorn-h2": ALLOWED, "gateway": ALLOWED, "nginx-lua": HOP_BY_HOP, **more},
        )
        for name, more in (
            ("X-Auth-Sub", {}),
            ("Authorization", {"envoy": _MISSING, "traefik": _MISSING}),
            ("X_Auth_Sub", {}),
        )
    ),
    _case("forged on a public path", _plain, NOBODY, "/public", ("X-Auth-Sub", FORGED), ("X_Auth_Sub", FORGED)),
    _case("forged without a token", _plain, NOBODY, "/optional", ("X-Auth-Sub", FORGED), ("X_Auth_Sub", FORGED)),
)

_AMBIGUOUS = Expected(400, "ambiguous_path")
_ABSOLUTE = "http://elsewhere.example/orders/1"
#: Those whose applications get the whole target as the path.
_KEEP_ABSOLUTE = dict.fromkeys(("uvicorn-h11", "hypercorn"), _AMBIGUOUS)


def _absolute(requests: Requests) -> Wire:
    proven = requests.proven(functools.partial(requests.proof, url=_ABSOLUTE))
    return Wire("GET", _ABSOLUTE, proven.headers)


#: One rejects a target whose host is not that of the Host header, one serves its own host only.
_OTHER_HOST = {"haproxy": 400, "envoy": 404}

#: By HTTP/2, two close the connection.
_INVALID_ENCODING = {
    "/orders/1%00": {"nginx": 400},
    "/orders/%zz": {"nginx": 400, "caddy": 400, "caddy-h2": 0, "caddy-2.6-h2": 0, "traefik": 400, "traefik-h2": 0},
}

PATHS = (
    _case("path without a route", Requests.bearer, Expected(403, "no_route"), target="/elsewhere"),
    _case("method without a route", Requests.bearer, Expected(403, "no_route"), method="DELETE"),
    _case("path with a slash at its end", Requests.bearer, Expected(403, "no_route"), target="/orders/1/"),
    *(
        _case(f"path {target}", Requests.bearer, _AMBIGUOUS, target=target, own=_INVALID_ENCODING.get(target))
        for target in (
            "/public/../orders/1",
            "/orders/./1",
            "//orders/1",
            "/orders//1",
            "/public/%2e%2e/orders/1",
            "/orders/%2E/1",
            "/orders/1;x",
            "/public;/../orders/1",
            "/orders%5c1",
            "/orders/%252e%252e",
            "/orders/1%00",
            "/orders/%ff",
            "/orders/%zz",
        )
    ),
    # Without the request line, WSGI has the decoded path only, to which the gate's decision and the application agree.
    _case("path /orders%2f1", Requests.bearer, _AMBIGUOUS, target="/orders%2f1", instead={"granian-wsgi": ALLOWED}),
    # Most servers remove the scheme and the host (RFC 9112 section 3.2.2); nothing is taken from them.
    _case(
        "absolute-form target",
        Requests.bearer,
        ALLOWED,
        target=_ABSOLUTE,
        own=_OTHER_HOST,
        instead=_KEEP_ABSOLUTE,
    ),
    _case(
        "absolute-form target, and a proof for it",
        _absolute,
        _invalid_proof("dpop_wrong_uri"),
        own=_OTHER_HOST,
        instead=_KEEP_ABSOLUTE,
    ),
    _case(
        "asterisk",
        Requests.bearer,
        _AMBIGUOUS,
        target="*",
        method="OPTIONS",
        # Some answer it for themselves.
        own={"nginx": 400, "caddy": 200, "traefik": 200, "envoy": 404},
    ),
)

#: To servers without WebSockets a handshake is a request like others; but Flask rejects it when it looks for a view.
_NO_WEBSOCKETS = {"gunicorn-gthread-flask": 400, "gunicorn-gevent-flask": 400}

WEBSOCKETS = (
    _case("websocket", _websocket, Expected(101, sees={"subject": "alice"}), Requests.bearer, own=_NO_WEBSOCKETS),
    _case(
        "websocket without a token",
        _websocket,
        Expected(401, "missing_token", ("Bearer", None)),
        lambda _: Wire("GET", "/socket"),
    ),
    _case("websocket, expired", _websocket, _invalid("expired"), lambda requests: requests.bad("expired")),
    _case("websocket, missing scope", _websocket, _TOO_LITTLE, _other_scope),
)

#: Every row, by name.
CASES = {case.name: case for case in (*VALID, *TOKENS, *PROOFS, *IDENTITY, *PATHS, *WEBSOCKETS)}
