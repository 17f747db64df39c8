"""DPoP at the token endpoint (RFC 9449 section 5): proofs, nonces, and tokens that turn out not to be bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import authgent_calls
import endpoint
import pytest
from authgent_calls import BY_NAME, CREDENTIALS, FAST, FORMS, TOKEN_CALLS, Documented, good, in_turn
from authgent_tokens import token
from endpoint import Request, Server

import watchword as ww
import watchword.providers.authgent as authgent
from watchword.holder import DpopProver

NEEDS_NONCE = {"error": "use_dpop_nonce", "error_description": "nonce required"}
NEVER_BOUND = ("start_identity_chain", "issue_transaction_token")


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with endpoint.running() as started:
        yield started


@pytest.fixture(name="form", params=FORMS)
def _form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="holder", params=["provider", "holder"])
def _holder(request: pytest.FixtureRequest) -> Any:
    return authgent.DPoPClient() if request.param == "provider" else DpopProver()


def proof_of(request: Request, server: Server) -> Any:
    return ww.dpop.verify_proof(request.headers["dpop"], method="POST", uri=f"{server.url}/token")


def bound(one: Documented) -> dict[str, Any]:
    return one.good if one.name in NEVER_BOUND else {**one.good, "token_type": "DPoP"}


@pytest.mark.parametrize("one", TOKEN_CALLS, ids=str)
def test_each_request_of_a_token_takes_a_proof(server: Server, form: str, one: Documented, holder: Any) -> None:
    server.routes["/token"] = good(bound(one))
    result = authgent_calls.call(form, server.url, one.name, **one.arguments, dpop=holder)
    assert result.token_type == ("N_A" if one.name in NEVER_BOUND else "DPoP")
    (request,) = server.requests
    proof = proof_of(request, server)
    assert proof.jkt == holder.jkt
    assert (proof.access_token_hash, proof.nonce) == (None, None)


@pytest.mark.parametrize("one", [one for one in TOKEN_CALLS if one.name not in NEVER_BOUND], ids=str)
def test_a_token_that_is_not_bound_is_an_error(server: Server, form: str, one: Documented) -> None:
    server.routes["/token"] = good(one.good)
    with pytest.raises(authgent.DPoPError, match="not bound to the key"):
        authgent_calls.call(form, server.url, one.name, **one.arguments, dpop=authgent.DPoPClient())
    server.routes["/token"] = good({**one.good, "token_type": "dpop"})
    authgent_calls.call(form, server.url, one.name, **one.arguments, dpop=authgent.DPoPClient())


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("one", TOKEN_CALLS, ids=str)
def test_a_request_is_sent_again_with_the_nonce(server: Server, form: str, one: Documented, status: int) -> None:
    """Even if it uses something up: the server did not act on the first one."""
    server.routes["/token"] = in_turn(
        good(NEEDS_NONCE, status, DPoP_Nonce="n-1"),
        good(bound(one)),
        good(bound(one), DPoP_Nonce="n-2"),
        good(bound(one)),
    )
    client = authgent_calls.client(form, server.url)
    dpop = authgent.DPoPClient()
    for number in range(3):
        arguments = one.arguments | ({"refresh_token_value": f"tok_{number}"} if one.name == "refresh_token" else {})
        authgent_calls.made(form, client, one.name, **arguments, dpop=dpop)
    proofs = [proof_of(request, server) for request in server.requests]
    # The nonce is kept for later requests, until the server gives another.
    assert [proof.nonce for proof in proofs] == [None, "n-1", "n-1", "n-2"]
    assert len({proof.token_id for proof in proofs}) == 4


def test_a_nonce_is_learnt_from_any_answer(server: Server, form: str) -> None:
    server.routes["/introspect"] = good({"active": False}, DPoP_Nonce="n-0")
    server.routes["/token"] = good({**BY_NAME["get_token"].good, "token_type": "DPoP"})
    client = authgent_calls.client(form, server.url)
    authgent_calls.made(form, client, "introspect_token", token="t")
    authgent_calls.made(form, client, "get_token", **CREDENTIALS, dpop=authgent.DPoPClient())
    assert proof_of(server.requests[1], server).nonce == "n-0"


@pytest.mark.parametrize(
    ("first", "count"),
    [
        (good(NEEDS_NONCE, 401, DPoP_Nonce="n-1"), 2),  # and the same again
        (good(NEEDS_NONCE, 401), 1),
        (good(NEEDS_NONCE, 401, DPoP_Nonce="n-1, n-2"), 1),
        (good(NEEDS_NONCE, 403, DPoP_Nonce="n-1"), 1),
        (good({"error": "invalid_dpop_proof"}, 401, DPoP_Nonce="n-1"), 1),
        (endpoint.answer("<html>", 401, DPoP_Nonce="n-1", Content_Type="text/html"), 1),
    ],
)
def test_a_server_that_is_never_content_is_not_asked_for_ever(
    server: Server, form: str, first: Any, count: int
) -> None:
    server.routes["/token"] = first
    with pytest.raises(authgent.ServerError):
        authgent_calls.call(form, server.url, "refresh_token", **BY_NAME["refresh_token"].arguments, dpop=DpopProver())
    assert server.count() == count


def test_a_request_without_a_proof_is_not_sent_again_for_a_nonce(server: Server, form: str) -> None:
    server.routes["/token"] = good(NEEDS_NONCE, 401, DPoP_Nonce="n-1")
    with pytest.raises(authgent.ServerError) as caught:
        authgent_calls.call(form, server.url, "get_token", **CREDENTIALS)
    assert caught.value.error == "use_dpop_nonce"
    assert server.count() == 1


def test_each_attempt_has_a_proof_of_its_own(server: Server, form: str) -> None:
    server.routes["/token"] = good({}, 503)
    with pytest.raises(authgent.ServerError):
        authgent_calls.call(form, server.url, "get_token", FAST, **CREDENTIALS, dpop=DpopProver())
    assert len({proof_of(request, server).token_id for request in server.requests}) == 2


def test_a_bound_token_is_not_exchanged_for_an_unbound_one_by_mistake(server: Server, form: str) -> None:
    server.routes["/token"] = in_turn(
        good({**BY_NAME["exchange_token"].good, "token_type": "DPoP"}), good(BY_NAME["exchange_token"].good)
    )
    bound_token = token(cnf={"jkt": DpopProver().jkt})
    arguments = {"subject_token": bound_token, "audience": "https://d.example", **CREDENTIALS}
    with pytest.raises(ValueError, match=r"dpop=.*allow_unbound=True") as caught:
        authgent_calls.call(form, server.url, "exchange_token", **arguments)
    assert bound_token not in str(caught.value)
    assert server.count() == 0
    # To any key, since the new token's holder is another.
    authgent_calls.call(form, server.url, "exchange_token", **arguments, dpop=DpopProver())
    plain = authgent_calls.call(form, server.url, "exchange_token", **arguments, allow_unbound=True)
    assert plain.token_type == "Bearer"
    arguments["subject_token"] = token()
    assert authgent_calls.call(form, server.url, "exchange_token", **arguments).token_type == "Bearer"
