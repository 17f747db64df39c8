"""The client of authgent-server: requests, results, errors, arguments."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import pickle
from collections.abc import Iterator
from typing import Any

import authgent_calls
import endpoint
import httpx
import httpx2
import pytest
from authgent_calls import (
    BY_NAME,
    CALLS,
    CREDENTIALS,
    FORMS,
    SECRET,
    UNSIGNED,
    Documented,
    good,
    sent,
)
from endpoint import Server, answer

import watchword.providers.authgent as authgent


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with endpoint.running() as started:
        yield started


@pytest.fixture(name="form", params=FORMS)
def _form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("one", CALLS, ids=str)
def test_a_call_sends_what_is_documented_and_returns_the_answer(server: Server, form: str, one: Documented) -> None:
    server.routes[one.route] = good(one.good, one.status)
    result = authgent_calls.call(form, server.url, one.name, **one.arguments)
    (request,) = server.requests
    assert (request.method, request.path, sent(request)) == (one.method, one.route, one.sent)
    assert request.headers["user-agent"].startswith("watchword/")
    assert "authorization" not in request.headers
    if one.name == "revoke_token":
        assert result is None
    elif isinstance(result, dict):
        assert result == one.good
    else:
        assert result.raw == one.good
        assert {name: getattr(result, name) for name in one.good if hasattr(result, name)}.items() <= one.good.items()
        assert SECRET not in repr(result)
        assert "eyJ" not in repr(result)


def test_both_forms_have_the_same_calls() -> None:
    def signatures(kind: type) -> dict[str, inspect.Signature]:
        return {
            name: inspect.signature(value)
            for name, value in vars(kind).items()
            if inspect.isfunction(value) and not name.startswith("_") and name not in ("close", "aclose")
        }

    found = signatures(authgent.AgentAuthClient)
    assert found == signatures(authgent.AgentAuthClientSync)
    assert set(found) == set(BY_NAME)


def test_what_is_optional_is_absent(server: Server, form: str) -> None:
    server.routes["/agents"] = good(BY_NAME["register_agent"].good, 201)
    server.routes["/token"] = good(BY_NAME["get_token"].good)
    server.routes["/stepup"] = good({"id": "r", "status": "pending"}, 202)
    server.routes["/introspect"] = good({"active": False})
    client = authgent_calls.client(form, server.url + "/")
    for name, arguments in (
        ("register_agent", {"name": "a", "scopes": []}),
        ("get_token", {"client_id": "c", "client_secret": "s"}),
        ("exchange_token", {"subject_token": "t", "audience": "a"}),
        ("request_stepup", {"agent_id": "a", "action": "b", "scope": "c", "metadata": {}}),
        ("introspect_token", {"token": "t"}),
        ("refresh_token", {"refresh_token_value": "r", "client_id": "public"}),
    ):
        authgent_calls.made(form, client, name, **arguments)
    assert [sent(one) for one in server.requests] == [
        {"name": "a"},
        {"grant_type": "client_credentials", "client_id": "c", "client_secret": "s"},
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": "t",
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "audience": "a",
        },
        {"agent_id": "a", "action": "b", "scope": "c"},
        {"token": "t"},
        {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "public"},
    ]


def test_the_documented_walk(server: Server) -> None:
    """The code of authgent's documentation."""
    server.routes["/agents"] = good(BY_NAME["register_agent"].good, 201)
    server.routes["/token"] = good(BY_NAME["get_token"].good)
    server.routes["/introspect"] = good({"active": True, "act": {"sub": "client:agnt_search"}})

    async def walk() -> None:
        client = authgent.AgentAuthClient(server.url)
        agent = await client.register_agent(name="search-bot", scopes=["search:execute"])
        token = await client.get_token(
            client_id=agent.client_id, client_secret=agent.client_secret, scope="search:execute"
        )
        delegated = await client.exchange_token(
            subject_token=token.access_token,
            audience="https://downstream-api.example.com",
            scopes=["read"],
            client_id=agent.client_id,
            client_secret=agent.client_secret,
        )
        info = await client.introspect_token(delegated.access_token)
        assert info["active"]
        assert info["act"] == {"sub": "client:agnt_search"}
        with pytest.raises(TypeError, match="client_id and client_secret"):
            await client.revoke_token(delegated.access_token)

    asyncio.run(walk())
    assert server.count("/revoke") == 0


def test_clients_are_context_managers(server: Server) -> None:
    server.routes["/introspect"] = good({"active": False})

    async def work() -> None:
        async with authgent.AgentAuthClient(server.url) as client:
            assert await client.introspect_token("t") == {"active": False}
        await client.aclose()

    asyncio.run(work())
    with authgent.AgentAuthClientSync(server.url) as client:
        assert client.introspect_token("t") == {"active": False}
    client.close()
    assert repr(client) == f"AgentAuthClientSync({server.url!r})"


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_client_of_the_applications_own(server: Server, library: Any) -> None:
    server.routes["/introspect"] = good({"active": False})
    with library.Client(headers={"x-mine": "1"}) as own:
        authgent.AgentAuthClientSync(server.url, 5.0, own).introspect_token("t")
        assert not own.is_closed

    async def work() -> None:
        async with (
            library.AsyncClient(headers={"x-mine": "2"}) as own,
            authgent.AgentAuthClient(server.url, timeout=5.0, http_client=own) as client,
        ):
            await client.introspect_token("t")
            await client.aclose()
            assert not own.is_closed

    asyncio.run(work())
    assert [one.headers["x-mine"] for one in server.requests] == ["1", "2"]


# Errors.


@pytest.mark.parametrize("one", CALLS, ids=str)
def test_a_rejection_is_a_server_error(server: Server, form: str, one: Documented) -> None:
    server.routes[one.route] = good(
        {"error": "invalid_client", "error_description": f"Client not found: {SECRET}"}, 401, X_Request_ID="r-1"
    )
    with pytest.raises(authgent.ServerError, match=r"failed: the server answered 401 \(invalid_client\)$") as caught:
        authgent_calls.call(form, server.url, one.name, **one.arguments)
    error = caught.value
    assert (error.status_code, error.error, error.request_id) == (401, "invalid_client", "r-1")
    assert (error.error_code, error.retry_after, error.http_status) == ("server_error", None, 503)
    assert error.error_description == f"Client not found: {SECRET}"
    assert SECRET not in str(error)
    assert server.count() == 1


@pytest.mark.parametrize(
    ("document", "code", "description", "message"),
    [
        (
            {
                "type": "https://authgent.dev/errors/x",
                "title": "t",
                "detail": "Unknown",
                "error_code": "invalid_request",
            },
            "invalid_request",
            "Unknown",
            "the server answered 400 (invalid_request)",
        ),
        (
            {
                "detail": [
                    {"loc": ["body", "name"], "msg": "too short", "input": SECRET, "ctx": {"x": SECRET}},
                    {"loc": "x", "msg": {"input": SECRET}},
                    {"loc": ["body", "scopes", 3, 10**80], "msg": "too long"},
                    "x",
                ]
            },
            None,
            "body.name: too short; ?: None; body.scopes.3.?: too long",
            "the server answered 400",
        ),
        ({"error": SECRET, "error_description": 7}, SECRET, None, "the server answered 400"),
        ({"error": {"a": 1}, "detail": {"input": SECRET}}, None, None, "the server answered 400"),
        (
            {"error": "invalid_grant", "error_description": "a\r\nSet-Cookie: \x1b[31m\u202eb" + "x" * 5000},
            "invalid_grant",
            "a Set-Cookie: [31m b" + "x" * (512 - 20),
            "the server answered 400 (invalid_grant)",
        ),
    ],
)
def test_what_is_kept_of_an_error(
    server: Server, document: dict[str, Any], code: str | None, description: str | None, message: str
) -> None:
    server.routes["/token"] = good(document, 400)
    with pytest.raises(authgent.ServerError) as caught:
        authgent_calls.call("sync", server.url, "get_token", **CREDENTIALS)
    assert (caught.value.error, caught.value.error_description) == (code, description)
    assert str(caught.value) == caught.value.message == f"Token request failed: {message}"


def test_a_rate_limit_says_when_to_come_back(server: Server, form: str) -> None:
    server.routes["/token"] = good({"title": "Too Many Requests", "detail": "Try again in 60s."}, 429, Retry_After=3600)
    with pytest.raises(authgent.ServerError) as caught:
        authgent_calls.call(form, server.url, "get_token", **CREDENTIALS)
    assert (caught.value.status_code, caught.value.retry_after) == (429, 3600)
    # Later than the deadline, so it is not waited for.
    assert server.count() == 1


def test_a_server_error_can_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(authgent.ServerError("it is so", status_code=400, error="invalid_grant")))
    assert (str(copy), copy.status_code, copy.error) == ("it is so", 400, "invalid_grant")


def test_the_id_of_a_step_up_request_is_escaped_and_in_no_message(server: Server, form: str) -> None:
    path = "/stepup/..%2Fagents%3Fa"
    server.routes[path] = answer("<html>", Content_Type="text/html")
    with pytest.raises(authgent.ServerError, match=r"/stepup/\{id\} \(200\) is not JSON"):
        authgent_calls.call(form, server.url, "check_stepup", request_id="../agents?a")
    assert [one.path for one in server.requests] == [path]


def test_a_page_in_the_servers_place_revokes_nothing(server: Server, form: str) -> None:
    arguments = {"token": "t", **CREDENTIALS}
    server.routes["/revoke"] = answer(status=204)
    assert authgent_calls.call(form, server.url, "revoke_token", **arguments) is None
    server.routes["/revoke"] = answer("<html>log in</html>", Content_Type="text/html")
    with pytest.raises(authgent.ServerError, match="is not JSON"):
        authgent_calls.call(form, server.url, "revoke_token", **arguments)


# Arguments.


@pytest.mark.parametrize(
    ("name", "arguments", "error", "says"),
    [
        ("get_token", {"client_id": None, "client_secret": "s"}, TypeError, "client_id must be str, not NoneType"),
        ("get_token", {"client_id": "c", "client_secret": ""}, ValueError, "client_secret is empty"),
        ("get_token", {**CREDENTIALS, "scope": ["read"]}, TypeError, "scope must be str"),
        ("get_token", {**CREDENTIALS, "dpop": "proof"}, TypeError, "dpop must be a DPoPClient"),
        ("refresh_token", {"refresh_token_value": "t", "client_id": "c", "dpop": "proof"}, TypeError, "dpop must be a"),
        ("exchange_token", {"subject_token": "t", "audience": "a", "scopes": "read"}, TypeError, "list of strings"),
        ("exchange_token", {"subject_token": "t", "audience": "a", "scopes": [1]}, TypeError, "element of scopes"),
        ("exchange_token", {"subject_token": b"t", "audience": "a"}, TypeError, "subject_token must be str"),
        ("exchange_token", {"subject_token": "t", "audience": ""}, ValueError, "audience is empty"),
        ("register_agent", {"name": ""}, ValueError, "name is empty"),
        ("register_agent", {"name": "a", "scopes": "read"}, TypeError, "scopes must be a list"),
        ("revoke_token", {"token": "t"}, TypeError, "client_id and client_secret"),
        ("revoke_token", {"token": "t", "client_id": "c"}, TypeError, "client_id and client_secret"),
        ("check_stepup", {"request_id": ".."}, ValueError, "request_id"),
        ("check_exchange", {"subject_token": "t", "audience": "a", "client_id": ""}, ValueError, "client_id is empty"),
        ("request_stepup", {"agent_id": "a", "action": "b", "scope": "c", "metadata": ["x"]}, TypeError, "metadata"),
        ("request_stepup", {"agent_id": "a", "action": "b", "scope": "c", "metadata": {"x": b""}}, TypeError, "JSON"),
        (
            "issue_transaction_token",
            {
                "subject_token": "t",
                "trust_domain": "d",
                "scope": "s",
                **CREDENTIALS,
                "request_details": {"a": float("nan")},
            },
            ValueError,
            "JSON",
        ),
    ],
)
def test_an_invalid_argument_is_named_and_nothing_is_sent(
    server: Server, form: str, name: str, arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        authgent_calls.call(form, server.url, name, **arguments)
    assert server.count() == 0


@pytest.mark.parametrize("token", ["not-a-jwt", "", "a.b.c", "e30.e30.e30", UNSIGNED.replace("eyJz", "eyJ!", 1)])
def test_a_token_that_names_no_agent(server: Server, form: str, token: str) -> None:
    with pytest.raises((authgent.InvalidTokenError, ValueError), match="token"):
        authgent_calls.call(form, server.url, "request_stepup_for_token", token=token, action="a", scope="s")
    assert server.count() == 0


def test_the_agent_of_a_token_without_client_id_is_its_subject(server: Server) -> None:
    server.routes["/stepup"] = good({"id": "r", "status": "pending"}, 202)
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjbGllbnQ6YWdudF83In0.not the signature"
    authgent_calls.call("sync", server.url, "request_stepup_for_token", token=token, action="a", scope="s")
    assert sent(server.requests[0]) == {"agent_id": "client:agnt_7", "action": "a", "scope": "s"}


def test_a_chain_can_be_given_as_it_was_verified(server: Server) -> None:
    server.routes["/stepup"] = good({"id": "r", "status": "pending"}, 202)
    chain = authgent.DelegationChain([{"sub": "client:agnt_1"}])
    authgent_calls.call(
        "sync", server.url, "request_stepup", agent_id="a", action="b", scope="c", delegation_chain=chain
    )
    body = sent(server.requests[0])
    assert body is not None
    assert body["delegation_chain"] == {"actors": [{"sub": "client:agnt_1"}]}


@pytest.mark.parametrize("kind", [authgent.AgentAuthClient, authgent.AgentAuthClientSync])
def test_servers_whose_answers_anybody_could_write_are_rejected(kind: type) -> None:
    for url in ("http://as.example", "ftp://as.example", "https://u:p@as.example", "https://as.example?x", ""):
        with pytest.raises(ValueError, match="server_url"):
            kind(url)
    kind("http://authgent:8000", allow_http_hosts=("authgent",))
    with pytest.raises(ValueError, match="timeout"):
        kind("https://as.example", timeout=0)


def test_a_result_is_a_value() -> None:
    result = authgent.TokenResult("a", "Bearer", 900)
    assert (result.scope, result.refresh_token) == (None, None)
    assert result == authgent.TokenResult("a", "Bearer", 900, raw={"x": 1})
    assert dataclasses.replace(result, refresh_token="r").refresh_token == "r"
    agent = authgent.AgentResult(id="1", client_id="c", client_secret=SECRET, name="n")
    assert SECRET not in repr(agent)
