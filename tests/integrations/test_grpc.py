"""The gate in real gRPC servers, synchronous and asyncio's: each row of one table, in each kind of RPC."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from grpc_servers import LARGE_METADATA, SERVERS, SERVICE, Record, call, sync_server
from grpc_status import rpc_status

import watchword as ww
from watchword.gate import Gate, Route
from watchword.holder import DpopProver
from watchword.integrations.grpc import current_decision, current_token
from watchword.testing import LocalIssuer, RequestDefect

API = "https://api.example"
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
ANSWERS = {
    "unary_unary": ["x for {}"],
    "unary_stream": ["x 0 for {}", "x 1 for {}", "x 2 for {}"],
    "stream_unary": ["x+y for {}"],
    "stream_stream": ["x for {}", "y for {}"],
}
ROUTES = (
    Route("/grpc.health.v1.Health/{method}", public=True),
    Route(f"/{SERVICE}/{{method}}", methods=("POST",), scopes=("orders:read",)),
)

Metadata = list[tuple[str, str | bytes]]


@dataclass
class Server:
    """A server with its handlers, and a channel to it."""

    record: Record
    channel: grpc.Channel
    issuer: LocalIssuer
    prover: DpopProver

    def bearer(self, **claims: Any) -> Metadata:
        return [("authorization", f"Bearer {self.issuer.mint(sub='alice', scope='orders:read', **claims)}")]

    def bound(self) -> str:
        return self.issuer.mint(sub="alice", scope="orders:read", cnf={"jkt": self.prover.jkt})

    def proven(self, path: str, *, origin: str = API, proofs: int = 1) -> Metadata:
        token = self.bound()
        proof = [("dpop", self.prover.proof("POST", f"{origin}{path}", token)) for _ in range(proofs)]
        return [("authorization", f"DPoP {token}"), *proof]

    def rejection(self, kind: str, metadata: Metadata, method: str | None = None) -> grpc.Call:
        """The error of an RPC; nothing of it has reached the application."""
        self.record.parsed.clear()
        self.record.metadata.clear()
        with pytest.raises(grpc.RpcError) as caught:
            call(self.channel, kind, metadata, method)
        assert (self.record.parsed, self.record.metadata) == ([], [])
        return caught.value  # type: ignore[return-value]  # a Call too


@pytest.fixture(name="issuer", scope="module")
def _issuer() -> LocalIssuer:
    return LocalIssuer(audience=API)


@pytest.fixture(name="gate", scope="module")
def _gate(issuer: LocalIssuer) -> Gate:
    return Gate(issuer.verifier(), ROUTES, public_url=API)


@pytest.fixture(name="server", scope="module", params=SERVERS)
def _server(request: pytest.FixtureRequest, issuer: LocalIssuer, gate: Gate) -> Iterator[Server]:
    serve, handlers = SERVERS[request.param]
    record = Record()
    with (
        serve(gate, handlers(record), options=LARGE_METADATA) as port,
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield Server(record, channel, issuer, DpopProver())


def _path(kind: str) -> str:
    return f"/{SERVICE}/{kind}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda server, _: server.bearer(), id="bearer"),
        pytest.param(lambda server, kind: server.proven(_path(kind)), id="proof"),
        pytest.param(lambda server, _: server.bearer(pad="x" * 11_500), id="token of almost 16 KiB"),
    ],
)
def test_a_valid_rpc_reaches_the_handler(make: Callable[..., Metadata], kind: str, server: Server) -> None:
    expected = [answer.format("alice").encode() for answer in ANSWERS[kind]]
    assert call(server.channel, kind, make(server, kind)) == expected


#: What is sent, and the status, the code and the scheme of the challenge that must come back.
REJECTED: dict[str, tuple[Callable[[Server, str], Metadata], grpc.StatusCode, str, str | None]] = {
    "no token": (lambda *_: [], grpc.StatusCode.UNAUTHENTICATED, "missing_token", "Bearer"),
    "expired": (
        lambda server, _: [("authorization", f"Bearer {server.issuer.mint_bad('expired')}")],
        grpc.StatusCode.UNAUTHENTICATED,
        "expired",
        "Bearer",
    ),
    "wrong audience": (
        lambda server, _: [("authorization", f"Bearer {server.issuer.mint_bad('wrong audience')}")],
        grpc.StatusCode.UNAUTHENTICATED,
        "wrong_audience",
        "Bearer",
    ),
    "missing scope": (
        lambda server, _: [("authorization", f"Bearer {server.issuer.mint(scope='orders:write')}")],
        grpc.StatusCode.PERMISSION_DENIED,
        "insufficient_scope",
        "Bearer",
    ),
    "bound token without a proof": (
        lambda server, _: [("authorization", f"DPoP {server.bound()}")],
        grpc.StatusCode.UNAUTHENTICATED,
        "dpop_missing_proof",
        "DPoP",
    ),
    "bound token as a bearer token": (
        lambda server, _: [("authorization", f"Bearer {server.bound()}")],
        grpc.StatusCode.UNAUTHENTICATED,
        "dpop_proof_required",
        "DPoP",
    ),
    "proof for another method of the service": (
        lambda server, _: server.proven(f"/{SERVICE}/other"),
        grpc.StatusCode.UNAUTHENTICATED,
        "dpop_wrong_uri",
        "DPoP",
    ),
    "proof for another server": (
        lambda server, kind: server.proven(_path(kind), origin="https://elsewhere.example"),
        grpc.StatusCode.UNAUTHENTICATED,
        "dpop_wrong_uri",
        "DPoP",
    ),
    "two proofs": (
        lambda server, kind: server.proven(_path(kind), proofs=2),
        grpc.StatusCode.UNAUTHENTICATED,
        "dpop_several_proofs",
        "DPoP",
    ),
    "two tokens": (
        lambda server, _: server.bearer() + server.bearer(),
        grpc.StatusCode.INVALID_ARGUMENT,
        "malformed_request",
        "Bearer",
    ),
    "token of more than 16 KiB": (
        lambda server, _: server.bearer(pad="x" * 12_500),
        grpc.StatusCode.UNAUTHENTICATED,
        "too_large",
        "Bearer",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", REJECTED)
def test_an_invalid_rpc_is_rejected_before_its_request_is_parsed(row: str, kind: str, server: Server) -> None:
    make, status, code, scheme = REJECTED[row]
    error = server.rejection(kind, make(server, kind))
    assert (error.code(), error.details()) == (status, f"the request was rejected: {code}")
    challenges = [value for name, value in error.trailing_metadata() if name == "www-authenticate"]
    assert any(scheme in challenge for challenge in challenges) if scheme else not challenges


#: What no RPC can have: a query, and a form as its body.
NOT_OF_RPCS = {RequestDefect.TOKEN_IN_QUERY, RequestDefect.TOKEN_IN_BODY}


def test_every_bad_request_gets_its_code(server: Server) -> None:
    bad = server.issuer.defects(over_http=True, method="POST", url=API + _path("unary_unary"), scope="orders:read")
    found = {}
    for defect, code, _, request, first in bad:
        if defect not in NOT_OF_RPCS and all(value.isprintable() and value.isascii() for _, value in request.headers):
            rpc = server.channel.unary_unary(request.target)
            if first is not None:
                assert rpc(b"x", metadata=first.for_grpc(), timeout=60) == b"x for agent-7"
            with pytest.raises(grpc.RpcError) as caught:
                rpc(b"x", metadata=request.for_grpc(), timeout=60)
            found[defect] = (caught.value.details(), f"the request was rejected: {code}")
    assert {defect: details for defect, (details, expected) in found.items() if details != expected} == {}
    assert len(found) > 90


@pytest.mark.parametrize("kind", KINDS)
def test_a_proof_is_accepted_once(kind: str, server: Server) -> None:
    metadata = server.proven(_path(kind))
    assert call(server.channel, kind, metadata)
    assert server.rejection(kind, metadata).details() == "the request was rejected: dpop_replayed"


def test_a_rejection_has_the_code_and_the_trace_id_as_error_info(server: Server) -> None:
    from google.rpc import error_details_pb2

    trace = "0af7651916cd43dd8448eb211c80319c"
    metadata: Metadata = [("traceparent", f"00-{trace}-b7ad6b7169203331-01")]
    status = rpc_status.from_call(server.rejection("unary_unary", metadata))
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain, dict(info.metadata)) == ("MISSING_TOKEN", "watchword", {"trace_id": trace})


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_that_only_the_gate_may_set_is_removed(kind: str, server: Server) -> None:
    forged: Metadata = [
        ("x-auth-sub", "admin"),
        ("x_auth_sub", "admin"),
        ("x.auth.sub", "admin"),
        ("x-auth-role", "admin"),
        ("x-auth-sub-bin", b"admin"),
    ]
    other: Metadata = [("x-request-id", "r-1"), ("key-bin", b"\x00\xff")]
    call(server.channel, kind, [*forged, *server.bearer(), *other])
    seen = server.record.metadata[-1]
    assert "admin" not in str(seen)
    assert (seen["x-request-id"], seen["key-bin"]) == ("r-1", b"\x00\xff")


def test_an_unknown_method_is_unknown_only_to_those_who_may_know(server: Server) -> None:
    assert server.rejection("unary_unary", [], "nothing").code() is grpc.StatusCode.UNAUTHENTICATED
    assert server.rejection("unary_unary", server.bearer(), "nothing").code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_service_without_a_route_is_rejected_and_a_public_one_needs_no_token(server: Server) -> None:
    other = server.channel.unary_unary("/other.Service/Get")
    with pytest.raises(grpc.RpcError) as caught:
        other(b"", metadata=tuple(server.bearer()))
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "the request was rejected: no_route",
    )
    health = server.channel.unary_unary("/grpc.health.v1.Health/Check")
    with pytest.raises(grpc.RpcError) as caught:
        health(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


class _Other:
    """A gate whose checks do something first."""

    def __init__(self, gate: Gate, before: Callable[[], None]) -> None:
        self._gate = gate
        self._before = before

    def check(self, **request: Any) -> Any:
        self._before()
        return self._gate.check(**request)

    async def check_async(self, **request: Any) -> Any:
        await asyncio.to_thread(self._before)
        return await self._gate.check_async(**request)

    def failed(self, error: Exception) -> Any:
        return self._gate.failed(error)


@pytest.mark.parametrize(
    "path",
    [
        f"/grpc.health.v1.Health/Check?/{SERVICE}/unary_unary",
        f"/grpc.health.v1.Health/../{SERVICE}/unary_unary",
        "/grpc.health.v1.Health//Check",
        f"/{SERVICE}/unary_unary/",
        "/grpc.health.v1.%48ealth/Check",
        "/grpc%2Ehealth.v1.Health/Check",
    ],
)
def test_a_path_has_one_meaning(path: str, server: Server) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.channel.unary_unary(path)(b"")
    assert caught.value.code() in (
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.INVALID_ARGUMENT,
    ), caught.value.details()


@pytest.mark.parametrize("flavour", SERVERS)
def test_an_exception_in_the_gate_is_a_rejection(flavour: str, gate: Gate, issuer: LocalIssuer) -> None:
    def fail() -> None:
        raise RuntimeError("about the gate")

    serve, handlers = SERVERS[flavour]
    record = Record()
    with serve(_Other(gate, fail), handlers(record)) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        server = Server(record, channel, issuer, DpopProver())
        for kind in KINDS:
            error = server.rejection(kind, server.bearer())
            assert error.code() is grpc.StatusCode.INTERNAL
            assert error.details() == "the request was rejected: internal_error"


@pytest.mark.parametrize("flavour", SERVERS)
def test_an_rpc_whose_check_waits_delays_no_other(flavour: str, gate: Gate, issuer: LocalIssuer) -> None:
    waiting, released = threading.Event(), threading.Event()

    def wait_once() -> None:
        if not waiting.is_set():
            waiting.set()
            assert released.wait(60)

    serve, handlers = SERVERS[flavour]
    record = Record()
    with (
        serve(_Other(gate, wait_once), handlers(record)) as port,
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        server = Server(record, channel, issuer, DpopProver())
        for kind in KINDS:
            waiting.clear()
            released.clear()
            rpc = channel.unary_unary(f"/{SERVICE}/unary_unary")
            delayed = rpc.future(b"x", metadata=tuple(server.bearer()), timeout=60)
            assert waiting.wait(60)
            assert call(channel, kind, server.bearer())
            assert not delayed.done()
            released.set()
            assert delayed.result() == b"x for alice"


@pytest.mark.parametrize("flavour", SERVERS)
def test_unavailable_keys_are_an_unavailable_server(flavour: str) -> None:
    from google.rpc import error_details_pb2

    issuer = ww.Issuer("http://127.0.0.1:1", allow_loopback_http=True)
    gate = Gate(ww.Verifier([issuer], audience=API), ROUTES, public_url=API)
    token = LocalIssuer("http://127.0.0.1:1", audience=API).mint(scope="orders:read")
    serve, handlers = SERVERS[flavour]
    record = Record()
    with serve(gate, handlers(record)) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        server = Server(record, channel, LocalIssuer(), DpopProver())
        error = server.rejection("unary_unary", [("authorization", f"Bearer {token}")])
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    status = rpc_status.from_call(error)
    assert status is not None
    delay = error_details_pb2.RetryInfo()
    assert status.details[1].Unpack(delay)
    assert delay.retry_delay.seconds > 0


def test_a_context_that_passed_no_interceptor_has_no_token() -> None:
    class Context:
        pass

    for read in (current_token, current_decision):
        with pytest.raises(LookupError, match="GateInterceptor"):
            read(Context())  # type: ignore[arg-type]


def test_a_request_that_cannot_be_parsed_ends_without_its_exception(gate: Gate, issuer: LocalIssuer) -> None:
    def parse(raw: bytes) -> bytes:
        raise ValueError("about the request")

    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request, request_deserializer=parse)
    with sync_server(gate, {"unary_unary": handler}) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        server = Server(Record(), channel, issuer, DpopProver())
        error = server.rejection("unary_unary", server.bearer())
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "about the request" not in error.details()
