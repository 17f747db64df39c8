"""DPoP proofs: made by ``DPoPClient``, verified in the documented and in the published form, and with the token."""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mint
import proofs
import pytest
from authgent_tokens import ISSUER, KEYS, rejection, token, verify

import watchword as ww
import watchword.providers.authgent as authgent

URI = "https://api.example.com/data"


@pytest.fixture(name="client")
def _client() -> authgent.DPoPClient:
    return authgent.DPoPClient.create()


@pytest.fixture(name="raw")
def _raw(client: authgent.DPoPClient) -> str:
    return token(cnf={"jkt": client.jkt})


def test_a_client_has_a_key_of_its_own(client: authgent.DPoPClient) -> None:
    proof = client.create_proof("GET", URI)
    assert ww.dpop.verify_proof(proof, method="GET", uri=URI).jkt == client.jkt
    assert authgent.DPoPClient().jkt != client.jkt


def test_proofs_are_made_by_either_name_of_a_parameter(client: authgent.DPoPClient) -> None:
    for proof in (
        client.create_proof(method="post", url=URI + "?a=1#b", access_token="x", nonce="n"),
        client.create_proof(http_method="POST", http_uri=URI, access_token="x", nonce="n"),
        client.create_proof("POST", URI, "x", "n"),
    ):
        found = ww.dpop.verify_proof(proof, method="POST", uri=URI, access_token="x", nonce="n")
        assert (found.method, found.uri) == ("POST", URI)


@pytest.mark.parametrize(
    "arguments", [{}, {"method": "GET"}, {"url": URI}, {"method": "GET", "http_method": "GET", "url": URI}]
)
def test_a_proof_needs_method_and_uri_once(client: authgent.DPoPClient, arguments: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="method"):
        client.create_proof(**arguments)  # type: ignore[call-overload]  # the point


def test_headers_go_with_a_request(client: authgent.DPoPClient, raw: str) -> None:
    headers = client.create_proof_headers(raw, "GET", URI)
    assert headers["Authorization"] == f"DPoP {raw}"
    assert headers.keys() == {"Authorization", "DPoP"}
    verifier = ww.Verifier([ww.Issuer(ISSUER, jwks=mint.jwks("p256"))], audience=ISSUER)
    assert verifier.verify_request(method="GET", uri=URI, headers=headers).proof is not None


def test_the_documented_form(client: authgent.DPoPClient, raw: str) -> None:
    result = authgent.verify_dpop_proof(
        proof_jwt=client.create_proof(method="POST", url=URI, access_token=raw),
        access_token=raw,
        http_method="POST",
        http_uri=URI,
    )
    assert result["jkt"] == client.jkt
    assert result.keys() == {"jti", "htm", "htu", "iat", "ath", "jkt"}
    assert (result["htm"], result["htu"]) == ("POST", URI)
    again = client.create_proof("POST", URI, raw, "n-1")
    assert authgent.verify_dpop_proof(again, raw, "POST", URI)["nonce"] == "n-1"


def test_the_published_form(client: authgent.DPoPClient, raw: str) -> None:
    identity = verify(raw, bound_tokens="accept")
    for bound in (identity, identity.claims.raw):
        proof = client.create_proof("POST", URI, raw)
        assert authgent.verify_dpop_proof(bound, proof, "POST", URI)["jkt"] == client.jkt
        proof = client.create_proof("POST", URI, raw)
        found = authgent.verify_dpop_proof(token=bound, dpop_proof=proof, http_method="POST", http_uri=URI)
        assert found["jkt"] == client.jkt


def code(call: Any) -> str:
    error = rejection(call)
    assert isinstance(error, authgent.DPoPError)
    assert error.error_code == "dpop_error"
    return str(error.code)


def test_an_identity_knows_which_token_a_proof_must_be_for(client: authgent.DPoPClient, raw: str) -> None:
    identity = authgent.verify_token_sync(raw, ISSUER, jwks_fetcher=KEYS, bound_tokens="accept")
    other = client.create_proof("POST", URI, raw + "x")
    assert code(lambda: authgent.verify_dpop_proof(identity, other, "POST", URI)) == "dpop_wrong_access_token"
    # From claims alone it is only known that there must be one, unless the token is given, too.
    claims = identity.claims.raw
    none = client.create_proof("POST", URI)
    assert code(lambda: authgent.verify_dpop_proof(claims, none, "POST", URI)) == "dpop_missing_claim"
    given = {"access_token": raw}
    assert code(lambda: authgent.verify_dpop_proof(claims, other, "POST", URI, **given)) == "dpop_wrong_access_token"


def test_anothers_key_does_not_do_in_any_form(client: authgent.DPoPClient, raw: str) -> None:
    thief = authgent.DPoPClient()
    identity = authgent.verify_token_sync(raw, ISSUER, jwks_fetcher=KEYS, bound_tokens="accept")

    def proof() -> str:
        return thief.create_proof("POST", URI, raw)

    for call in (
        lambda: authgent.verify_dpop_proof(proof_jwt=proof(), access_token=raw, http_method="POST", http_uri=URI),
        lambda: authgent.verify_dpop_proof(identity, proof(), "POST", URI),
        lambda: authgent.verify_dpop_proof(identity.claims.raw, proof(), "POST", URI),
    ):
        assert code(call) == "dpop_key_mismatch"


def test_a_token_that_is_bound_to_nothing_has_no_proof(client: authgent.DPoPClient) -> None:
    raw = token()
    identity = authgent.verify_token_sync(raw, ISSUER, jwks_fetcher=KEYS)

    def proof() -> str:
        return client.create_proof("POST", URI, raw)

    for call in (
        lambda: authgent.verify_dpop_proof(proof(), raw, "POST", URI),
        lambda: authgent.verify_dpop_proof(identity, proof(), "POST", URI),
        lambda: authgent.verify_dpop_proof({}, proof(), "POST", URI),
    ):
        assert code(call) == "dpop_unbound_token"


def test_a_token_that_only_its_issuer_reads_is_taken_as_it_is(client: authgent.DPoPClient) -> None:
    opaque = "tok_4N2wJ4Y0m1dS1Xn8dCb0m0y1kQ"
    proof = client.create_proof("POST", URI, opaque)
    assert authgent.verify_dpop_proof(proof, opaque, "POST", URI)["jkt"] == client.jkt


def test_a_proof_is_used_once_in_this_process(client: authgent.DPoPClient, raw: str) -> None:
    identity = authgent.verify_token_sync(raw, ISSUER, jwks_fetcher=KEYS, bound_tokens="accept")
    proof = client.create_proof("POST", URI, raw)
    # What fails another check does not use it up.
    assert code(lambda: authgent.verify_dpop_proof(identity, proof, "GET", URI)) == "dpop_wrong_method"
    authgent.verify_dpop_proof(identity, proof, "POST", URI)
    for call in (
        lambda: authgent.verify_dpop_proof(identity, proof, "POST", URI),
        lambda: authgent.verify_dpop_proof(proof, raw, "POST", URI),
        lambda: authgent.verify_token_sync(
            raw, ISSUER, jwks_fetcher=KEYS, dpop_proof=proof, http_method="POST", http_uri=URI
        ),
    ):
        assert code(call) == "dpop_replayed"
    without = ww.dpop.DpopVerifier(replay=None)
    assert authgent.verify_dpop_proof(identity, proof, "POST", URI, dpop=without)["jkt"] == client.jkt


def test_a_session_remembers_proofs_until_it_is_gone(client: authgent.DPoPClient, raw: str) -> None:
    proof = client.create_proof("POST", URI, raw)
    session = authgent.Session()
    authgent.verify_dpop_proof(proof, raw, "POST", URI, session=session)
    session.close()
    sharing = authgent.Session(dpop=session.dpop)
    for one in (session, sharing):
        assert code(lambda one=one: authgent.verify_dpop_proof(proof, raw, "POST", URI, session=one)) == "dpop_replayed"
    authgent.verify_dpop_proof(proof, raw, "POST", URI)


def test_of_many_at_once_one_is_accepted(client: authgent.DPoPClient, raw: str) -> None:
    proof = client.create_proof("POST", URI, raw)
    with ThreadPoolExecutor(8) as pool:
        errors = list(
            pool.map(lambda _: rejection(lambda: authgent.verify_dpop_proof(proof, raw, "POST", URI)), range(32))
        )
    assert sum(error is None for error in errors) == 1


def test_a_bound_token_needs_its_proof(client: authgent.DPoPClient, raw: str) -> None:
    error = rejection(lambda: verify(raw))
    assert isinstance(error, authgent.InvalidTokenError)
    assert error.code == "dpop_proof_required"
    request = {"http_method": "POST", "http_uri": URI}
    proof = functools.partial(client.create_proof, "POST", URI, raw)
    assert verify(raw, dpop_proof=proof, **request).claims.cnf == {"jkt": client.jkt}
    assert verify(raw, bound_tokens="accept").claims.cnf == {"jkt": client.jkt}
    thief = authgent.DPoPClient().create_proof("POST", URI, raw)
    assert code(lambda: verify(raw, dpop_proof=thief, **request)) == "dpop_key_mismatch"
    unbound = token()
    proof = client.create_proof("POST", URI, unbound)
    assert code(lambda: verify(unbound, dpop_proof=proof, **request)) == "dpop_unbound_token"


@pytest.mark.parametrize(
    "arguments",
    [
        {"dpop_proof": "x"},
        {"dpop_proof": "x", "http_method": "GET"},
        {"dpop_proof": "x", "http_uri": URI},
        {"http_method": "GET", "http_uri": URI},
    ],
)
def test_a_proof_and_its_request_go_together(arguments: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="http_method and http_uri"):
        verify(token(), **arguments)


def test_nonces_can_be_required(client: authgent.DPoPClient, raw: str) -> None:
    nonces = ww.dpop.Nonces(ww.dpop.Nonces.new_key())
    verifier = ww.dpop.DpopVerifier(nonces=nonces)
    error = rejection(
        lambda: authgent.verify_dpop_proof(client.create_proof("GET", URI, raw), raw, "GET", URI, dpop=verifier)
    )
    assert isinstance(error, authgent.DPoPError)
    assert isinstance(error.verdict, ww.DpopError)
    proof = client.create_proof("GET", URI, raw, error.verdict.nonce)
    assert authgent.verify_dpop_proof(proof, raw, "GET", URI, dpop=verifier)["nonce"] == error.verdict.nonce


def test_only_the_servers_algorithm_signs_proofs(raw: str) -> None:
    prover = ww.dpop.DpopProver("EdDSA")
    bound = {"cnf": {"jkt": prover.jkt}}
    proof = prover.proof("GET", URI, raw)
    assert code(lambda: authgent.verify_dpop_proof(bound, proof, "GET", URI)) == "dpop_algorithm_not_allowed"
    verifier = ww.dpop.DpopVerifier(algorithms=("EdDSA",))
    assert authgent.verify_dpop_proof(bound, proof, "GET", URI, dpop=verifier)["jkt"] == prover.jkt


def test_a_full_replay_cache_is_a_server_error(client: authgent.DPoPClient, raw: str) -> None:
    store = ww.dpop.MemoryReplayStore(capacity=1)
    verifier = ww.dpop.DpopVerifier(replay=store)
    # With another key: one that has used up its share gets 429, and no other is rejected for it.
    used = authgent.DPoPClient().create_proof("GET", URI)
    ww.dpop.verify_proof(used, method="GET", uri=URI, replay=store)
    errors = []
    for _ in range(200):
        proof = client.create_proof("GET", URI, raw)
        errors.append(rejection(lambda proof=proof: authgent.verify_dpop_proof(proof, raw, "GET", URI, dpop=verifier)))
    (error,) = {error.http_status for error in errors if isinstance(error, authgent.ServerError)}
    assert error == 503


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((None, None, "GET", URI), authgent.DPoPError),
        (({"cnf": {"jkt": "x"}}, None, "GET", URI), authgent.DPoPError),
        (("proof", None, "GET", URI), authgent.DPoPError),
        ((5, "proof", "GET", URI), authgent.DPoPError),
        (({"cnf": {"jkt": "x"}}, "proof"), TypeError),
        (({"cnf": {"jkt": "x"}}, "proof", "GET", "/data"), ValueError),
    ],
)
def test_what_a_missing_header_gives_is_rejected_and_what_no_request_has_is_a_mistake(
    arguments: Any, kind: type
) -> None:
    with pytest.raises(kind):
        authgent.verify_dpop_proof(*arguments)


def test_both_forms_may_be_joined(client: authgent.DPoPClient, raw: str) -> None:
    identity = asyncio.run(authgent.verify_token(raw, ISSUER, jwks_fetcher=KEYS, bound_tokens="accept"))
    found = authgent.verify_dpop_proof(
        proof_jwt=client.create_proof("GET", URI, raw),
        access_token=raw,
        http_method="GET",
        http_uri=URI,
        token=identity,
    )
    assert found["jkt"] == client.jkt
    other = authgent.AgentIdentity.from_claims({"cnf": {"jkt": proofs.jkt()}})
    assert (
        code(
            lambda: authgent.verify_dpop_proof(
                proof_jwt=client.create_proof("GET", URI, raw),
                access_token=raw,
                http_method="GET",
                http_uri=URI,
                token=other,
            )
        )
        == "dpop_key_mismatch"
    )
