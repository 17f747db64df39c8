"""The gate before a server of the MCP SDK, under uvicorn, and the SDK's own client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from asgi_server import loopback_socket, serving
from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.server.auth.settings import AuthSettings
from mcp_authorization_server import AuthorizationServer, oauth_client
from mcp_servers import INITIALIZE, Bearer, Dpop, mcp_server, post, session, whoami

import watchword as ww
from watchword.gate import Gate, Route
from watchword.holder import DpopProver
from watchword.integrations.mcp import GateTokenVerifier, current_decision, current_token, protect
from watchword.testing import LocalIssuer

ISSUER = "https://as.example"


@dataclass
class Server:
    url: str
    origin: str
    issuer: LocalIssuer
    gate: Gate
    prover: DpopProver

    def bearer(self, **claims: Any) -> Bearer:
        return Bearer(self.issuer.mint({"sub": "alice", "scope": "orders:read", "client_id": "agent-1", **claims}))

    def bound(self, **claims: Any) -> str:
        return self.bearer(cnf={"jkt": self.prover.jkt}, **claims).token

    def dpop(self, **claims: Any) -> Dpop:
        return Dpop(self.bound(**claims), self.prover)


def _gate(origin: str, issuer: LocalIssuer) -> Gate:
    routes = [Route("/mcp", scopes=("orders:read",)), Route("/open", public=True)]
    return Gate(issuer.verifier(), routes, public_url=origin, resource=f"{origin}/mcp")


def _settings(gate: Gate, resource: str) -> dict[str, Any]:
    auth = AuthSettings(issuer_url=ISSUER, resource_server_url=resource, validate_token_resource=True)
    return {"token_verifier": GateTokenVerifier(gate), "auth": auth}


@pytest.fixture(name="server", scope="module", params=["without AuthSettings", "with AuthSettings"])
def _server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server behind ``protect()``; the SDK's own authentication is also configured, or not."""
    with loopback_socket() as (listening, origin):
        url = f"{origin}/mcp"
        issuer = LocalIssuer(ISSUER, audience=url)
        gate = _gate(origin, issuer)
        server = mcp_server(**(_settings(gate, url) if request.param == "with AuthSettings" else {}))
        with serving(protect(server.streamable_http_app(), gate), listening):
            yield Server(url, origin, issuer, gate, DpopProver())


def _in_session(url: str, auth: httpx2.Auth, use: Callable[[Any], Awaitable[Any]] = whoami) -> Any:
    async def run() -> Any:
        async with session(url, auth) as opened:
            return await use(opened)

    return asyncio.run(run())


@pytest.mark.parametrize("scheme", ["Bearer", "DPoP"])
def test_a_tool_knows_the_caller(scheme: str, server: Server) -> None:
    auth = server.bearer() if scheme == "Bearer" else server.dpop()
    known = _in_session(server.url, auth)
    assert known.pop("token") == auth.token
    shown = known.pop("shown")
    assert auth.token not in shown
    assert known == {
        "client_id": "agent-1",
        "scopes": ["orders:read"],
        "resource": server.url,
        "subject": "alice",
        "actors": [],
        "scheme": scheme,
    }


def test_a_tool_knows_for_whom_an_agent_acts(server: Server) -> None:
    auth = server.bearer(client_id=None, act={"sub": "agent-7"})
    known = _in_session(server.url, auth)
    assert (known["subject"], known["actors"], known["client_id"]) == ("alice", ["agent-7"], "agent-7")


#: What is sent, and the status, the code and the challenge's error that must come back.
REJECTED: dict[str, tuple[Callable[[Server], httpx2.Auth | None], int, str, str | None]] = {
    "no token": (lambda _: None, 401, "missing_token", None),
    "expired": (lambda s: Bearer(s.issuer.mint_bad("expired")), 401, "expired", "invalid_token"),
    "wrong audience": (lambda s: Bearer(s.issuer.mint_bad("wrong audience")), 401, "wrong_audience", "invalid_token"),
    "audience of the origin": (lambda s: s.bearer(aud=s.origin), 401, "wrong_audience", "invalid_token"),
    "another issuer's": (lambda s: Bearer(s.issuer.mint_bad("wrong issuer")), 401, "wrong_issuer", "invalid_token"),
    "missing scope": (lambda s: s.bearer(scope="orders:write"), 403, "insufficient_scope", "insufficient_scope"),
    "bound, as a bearer token": (lambda s: Bearer(s.bound()), 401, "dpop_proof_required", "invalid_token"),
    "proof of another key": (lambda s: Dpop(s.bound(), DpopProver()), 401, "dpop_key_mismatch", "invalid_token"),
    "unbound, with a proof": (lambda s: Dpop(s.bearer().token, s.prover), 401, "dpop_unbound_token", "invalid_token"),
}


@pytest.mark.parametrize("row", REJECTED)
def test_a_bad_request_is_answered_by_the_gate(row: str, server: Server) -> None:
    make, status, code, error = REJECTED[row]
    answer = post(server.url, make(server))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    challenge = answer.headers["WWW-Authenticate"]
    assert f'resource_metadata="{server.origin}/.well-known/oauth-protected-resource/mcp"' in challenge
    assert (f'error="{error}"' in challenge) if error else ("error=" not in challenge)
    if status in (401, 403) and code in ("missing_token", "insufficient_scope"):
        assert 'scope="orders:read"' in challenge


def test_every_bad_request_gets_its_status_and_code(server: Server) -> None:
    found = {}
    with httpx2.Client(timeout=60, trust_env=False) as client:
        for bad in server.issuer.defects(over_http=True, method="POST", url=server.url, scope="orders:read"):
            if any(value != value.strip() for _, value in bad.request.headers):
                continue  # the client cannot send it
            if bad.first is not None:
                # The gate allows it; the SDK may not like the rest of it.
                assert client.request(**bad.first.for_httpx()).status_code not in (401, 403)
            answer = client.request(**bad.request.for_httpx())
            found[bad.defect] = ((answer.status_code, answer.json().get("code")), (bad.status, bad.code))
    assert {defect: pair for defect, pair in found.items() if pair[0] != pair[1]} == {}
    assert len(found) > 90


def test_a_proof_is_accepted_once(server: Server) -> None:
    token = server.bound()
    credentials = {"Authorization": f"DPoP {token}", "DPoP": server.prover.proof("POST", server.url, token)}
    assert post(server.url, None, **credentials).status_code == 200
    replayed = post(server.url, None, **credentials)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "dpop_replayed")


def test_a_proof_for_another_url_is_rejected(server: Server) -> None:
    token = server.bound()
    proof = server.prover.proof("POST", "https://elsewhere.example/mcp", token)
    answer = post(server.url, None, Authorization=f"DPoP {token}", DPoP=proof)
    assert (answer.status_code, answer.json()["code"]) == (401, "dpop_wrong_uri")


def test_the_metadata_are_the_gates(server: Server) -> None:
    answer = httpx2.get(f"{server.origin}/.well-known/oauth-protected-resource/mcp", trust_env=False)
    assert answer.status_code == 200
    assert answer.json() == server.gate.metadata()
    assert answer.json()["resource"] == server.url
    assert answer.headers["Access-Control-Allow-Origin"] == "*"  # for clients in browsers


@pytest.mark.parametrize(
    ("other", "status"),
    [
        pytest.param({"sub": "mallory"}, 404, id="another subject"),
        pytest.param({"client_id": "agent-2"}, 404, id="another client"),
        pytest.param({"client_id": None, "act": {"sub": "agent-2"}}, 404, id="another actor"),
        pytest.param({"scope": "orders:read orders:write"}, 200, id="a new token of the same subject and client"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_a_session_is_its_subjects_and_clients_own(
    method: str, other: dict[str, Any], status: int, server: Server
) -> None:
    opened = post(server.url, server.bearer())
    headers = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"], "Mcp-Protocol-Version": "2025-06-18"}
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    with (
        httpx2.Client(auth=server.bearer(**other), timeout=60, trust_env=False) as client,
        client.stream(
            method,
            server.url,
            headers={**headers, "Accept": "application/json, text/event-stream"},
            json=ping if method == "POST" else None,
        ) as answer,
    ):
        assert answer.status_code == status
    # The owner can still use it, unless the owner has ended it.
    after = post(server.url, server.bearer(), ping, **headers)
    assert after.status_code == (404 if (method, status) == ("DELETE", 200) else 200)


def test_a_later_token_of_a_session_is_the_one_that_tools_see(server: Server) -> None:
    auth = server.bearer()

    async def use(opened: Any) -> tuple[Any, Any]:
        first = await whoami(opened)
        auth.token = server.bearer(scope="orders:read orders:write").token
        return first["scopes"], (await whoami(opened))["scopes"]

    assert _in_session(server.url, auth, use) == (["orders:read"], ["orders:read", "orders:write"])


def test_a_session_of_a_bound_token_is_of_no_use_to_a_thief(server: Server) -> None:
    token = server.bound()
    opened = post(server.url, Dpop(token, server.prover))
    stolen = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    assert post(server.url, Bearer(token), ping, **stolen).status_code == 401
    assert post(server.url, Dpop(token, DpopProver()), ping, **stolen).status_code == 401
    assert post(server.url, Dpop(token, server.prover), ping, **stolen).status_code == 200


def test_a_public_route_of_the_same_application_has_no_token() -> None:
    found: list[Any] = []
    with loopback_socket() as (listening, origin):
        issuer = LocalIssuer(ISSUER, audience=f"{origin}/mcp")
        server = mcp_server()

        @server.custom_route("/open", methods=["GET"])
        async def open_(request: Any) -> Any:
            from starlette.responses import PlainTextResponse

            found.append((current_token(), current_decision().allowed))
            return PlainTextResponse("open")

        with serving(protect(server.streamable_http_app(), _gate(origin, issuer)), listening):
            assert httpx2.get(f"{origin}/open", trust_env=False).text == "open"
    assert found == [(None, True)]


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
def test_the_older_transport_too() -> None:
    """Server-sent events: ``/sse``, and a POST to ``/messages/`` for each message."""
    with loopback_socket() as (listening, origin):
        issuer, prover = LocalIssuer(ISSUER, audience=origin), DpopProver()
        routes = [Route("/sse", methods=("GET",)), Route("/messages/", methods=("POST",))]
        gate = Gate(issuer.verifier(), routes, public_url=origin)
        with serving(protect(mcp_server().sse_app(), gate), listening):
            token = issuer.mint(sub="alice", cnf={"jkt": prover.jkt})

            async def run() -> dict[str, Any]:
                async with (
                    sse_client(f"{origin}/sse", auth=Dpop(token, prover)) as streams,
                    ClientSession(streams[0], streams[1]) as opened,
                ):
                    await opened.initialize()
                    return await whoami(opened)

            assert asyncio.run(run())["subject"] == "alice"
            for path in ("/sse", "/messages/?session_id=1"):
                assert httpx2.get(f"{origin}{path}", trust_env=False).status_code in (401, 403)


def test_without_a_gate_there_is_no_decision() -> None:
    for read in (current_token, current_decision):
        with pytest.raises(LookupError, match="protect"):
            read()


@pytest.fixture(name="bearer_only", scope="module")
def _bearer_only() -> Iterator[Server]:
    """A server with ``GateTokenVerifier`` alone: the SDK passes a token without its request."""
    with loopback_socket() as (listening, origin):
        url = f"{origin}/mcp"
        issuer = LocalIssuer(ISSUER, audience=url)
        gate = _gate(origin, issuer)
        with serving(mcp_server(**_settings(gate, url)).streamable_http_app(), listening):
            yield Server(url, origin, issuer, gate, DpopProver())


def test_without_protect_a_bearer_token_is_accepted(bearer_only: Server) -> None:
    assert _in_session(bearer_only.url, bearer_only.bearer())["subject"] == "alice"


@pytest.mark.parametrize("row", REJECTED)
def test_without_protect_every_bad_request_gets_401(row: str, bearer_only: Server) -> None:
    assert post(bearer_only.url, REJECTED[row][0](bearer_only)).status_code == 401


def test_without_protect_a_bound_token_is_rejected_even_with_its_proof(bearer_only: Server) -> None:
    assert post(bearer_only.url, bearer_only.dpop()).status_code == 401


def test_a_server_may_require_the_keys_when_it_starts() -> None:
    issuer = ww.Issuer("http://127.0.0.1:1", allow_loopback_http=True)
    gate = Gate(ww.Verifier([issuer], audience="https://a.example"), [Route("/mcp")], public_url="https://a.example")
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    app = protect(mcp_server().streamable_http_app(), gate, startup_keys="require")
    with pytest.raises(ww.KeysUnavailableError):
        asyncio.run(app({"type": "lifespan", "state": {}}, receive, send))
    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]
    with pytest.raises(TypeError, match="Gate"):
        protect(mcp_server().streamable_http_app(), "gate.toml")  # type: ignore[arg-type]


def test_unavailable_keys_are_an_error_of_the_server() -> None:
    issuer = ww.Issuer("http://127.0.0.1:1", allow_loopback_http=True)
    gate = Gate(
        ww.Verifier([issuer], audience="https://mcp.example/mcp"), [Route("/mcp")], public_url="https://mcp.example"
    )
    token = LocalIssuer("http://127.0.0.1:1", audience="https://mcp.example/mcp").mint()
    with pytest.raises(ww.KeysUnavailableError):
        asyncio.run(GateTokenVerifier(gate).verify_token(token))


@pytest.mark.parametrize(
    ("scope_before", "asked"), [(None, {"orders:read"}), ("orders:list", {"orders:list", "orders:read"})]
)
def test_the_sdks_client_finds_the_authorization_server_and_asks_for_the_scope(
    scope_before: str | None, asked: set[str]
) -> None:
    """Without a token after a 401, and with one that lacks the scope after a 403."""
    with loopback_socket() as (listening_as, origin_as), loopback_socket() as (listening, origin):
        authorization_server = AuthorizationServer(origin_as)
        url = f"{origin}/mcp"
        verifier = ww.Verifier([ww.Issuer(origin_as, allow_loopback_http=True)], audience=url)
        gate = Gate(verifier, [Route("/mcp", scopes=("orders:read",))], public_url=origin, resource=url)
        before = None if scope_before is None else authorization_server.grant(url, scope_before)
        with (
            serving(authorization_server.app, listening_as),
            serving(protect(mcp_server().streamable_http_app(), gate), listening),
        ):
            known = _in_session(url, oauth_client(url, before))
    assert (known["subject"], known["client_id"], set(known["scopes"])) == ("alice", "agent-1", asked)
    (request,) = authorization_server.authorized
    assert (request["resource"], set(request["scope"].split())) == (url, asked)


def test_an_exception_after_the_gate_is_a_rejection(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("about the token")

    monkeypatch.setattr("watchword.integrations.mcp._access_token", fail)
    answer = post(server.url, server.bearer(), INITIALIZE)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "about the token" not in answer.text
