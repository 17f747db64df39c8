"""Any bad input raises an exception of authgent's own."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import endpoint
import mint
import pytest
from authgent_tokens import ISSUER, KEYS, claims, now, rejection, sign, token, verify
from hypothesis import given
from hypothesis import strategies as st

import watchword.providers.authgent as authgent
from watchword.providers.authgent.middleware.scope_challenge import parse_scope_challenge
from watchword.testing import LocalIssuer

SECRET = "s3cr3t-s3cr3t"

LOCAL = LocalIssuer(ISSUER, audience=ISSUER, algorithms=("ES256",))
LOCAL_KEYS = authgent.JWKSFetcher(ISSUER, jwks=LOCAL.jwks())


def test_a_good_token_of_that_issuer_is_accepted() -> None:
    assert verify(LOCAL.mint(), jwks_fetcher=LOCAL_KEYS).subject == "agent-7"


def test_every_kind_of_bad_token_is_rejected_with_its_code() -> None:
    defects = list(LOCAL.defects())
    assert len(defects) > 80
    for defect, code, bad in defects:
        error = rejection(lambda bad=bad: verify(bad, audience=ISSUER, jwks_fetcher=LOCAL_KEYS))
        assert isinstance(error, authgent.InvalidTokenError), defect
        assert error.code == code, defect
        assert not bad or bad not in f"{error} {error!r}"


@pytest.mark.parametrize(
    "raw",
    [None, 5, [], {}, object(), b"", b"\xff\xfe", b"a.b.c", "", ".", "..", "...", "é.é.é", "\ud800", "a" * 100_000],
)
def test_what_is_no_token_is_rejected(raw: Any) -> None:
    assert isinstance(rejection(lambda: verify(raw)), authgent.InvalidTokenError)


def test_bytes_do_as_text_does() -> None:
    assert verify(token().encode()).subject == "client:agnt_1"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        *("sub", "scope", "aud", "exp", "nbf", "iat", "jti", "client_id", "cnf", "act", "may_act", "human_root"),
        *("agent_type", "agent_model", "type", "token_jti", "delegation_chain", "actor_chain", "chain_hash"),
    ]
)


@given(st.dictionaries(names, json_values, max_size=4))
def test_no_signed_claims_end_otherwise(changes: dict[str, Any]) -> None:
    raw = token(**changes)
    rejection(lambda: authgent.verify_token_sync(raw, ISSUER, jwks_fetcher=KEYS))


@given(st.dictionaries(names, json_values, max_size=4))
def test_no_claims_of_an_identity_end_otherwise(given_claims: dict[str, Any]) -> None:
    rejection(lambda: authgent.AgentIdentity.from_claims(given_claims))


@given(st.dictionaries(st.sampled_from(["typ", "alg", "kid", "jwk", "crit", "b64", "jku"]), json_values, max_size=3))
def test_no_header_ends_otherwise(changes: dict[str, Any]) -> None:
    raw = sign(claims(), {**mint.header("p256", "ES256"), **changes})
    rejection(lambda: authgent.verify_token_sync(raw, ISSUER, jwks_fetcher=KEYS))


proof_claims = st.dictionaries(
    st.sampled_from(["jti", "htm", "htu", "iat", "ath", "nonce", "exp", "nbf"]), json_values, max_size=4
)


@given(st.text(max_size=40) | proof_claims.map(sign) | st.binary(max_size=40), json_values, st.text(max_size=40))
def test_no_proof_ends_otherwise(proof: Any, bound_to: Any, raw: str) -> None:
    for call in (
        lambda: authgent.verify_dpop_proof({"cnf": bound_to}, proof, "GET", "https://api.example/"),
        lambda: authgent.verify_dpop_proof({"cnf": {"jkt": bound_to}}, proof, "GET", "https://api.example/"),
        lambda: authgent.verify_dpop_proof(
            proof_jwt=proof, access_token=raw, http_method="GET", http_uri="https://api.example/"
        ),
    ):
        assert isinstance(rejection(call), authgent.DPoPError)


@given(json_values)
def test_no_access_token_beside_a_proof_ends_otherwise(payload: Any) -> None:
    raw = f"x.{mint.b64(json.dumps(payload).encode())}.x"
    client = authgent.DPoPClient()
    proof = client.create_proof("GET", "https://api.example/", raw)
    rejection(
        lambda: authgent.verify_dpop_proof(
            proof_jwt=proof, access_token=raw, http_method="GET", http_uri="https://api.example/"
        )
    )


#: What an issuer may answer in place of its keys, and what it may list among them.
ANSWERS: dict[str, endpoint.Behaviour] = {
    "error": endpoint.answer(b"no", status=500),
    "nothing there": endpoint.answer(b"no", status=404),
    "redirect": endpoint.answer(b"", status=302, Location="http://169.254.169.254/"),
    "page": endpoint.answer(b"<html>"),
    "list": endpoint.answer(b"[]"),
    "number": endpoint.answer(b"5"),
    "keys that are no list": endpoint.answer(b'{"keys":{"a":1}}'),
    "no keys": endpoint.answer(b'{"keys":[]}'),
    "keys that are none": endpoint.answer(b'{"keys":[1,null,"x",{}]}'),
    "RSA key without its members": endpoint.answer(b'{"keys":[{"kty":"RSA","kid":"p256"}]}'),
    "point off the curve": endpoint.answer(json.dumps(mint.jwks(mint.public_jwk("p256", y=mint.b64(bytes(32)))))),
    "private key": endpoint.answer(json.dumps(mint.jwks(mint.private_jwk("p256")))),
    "too much": endpoint.answer(b" " * (1 << 21)),
    "broken off": endpoint.reset,
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_answer_of_the_issuer_makes_the_token_invalid(answer: str) -> None:
    with endpoint.running() as server:
        server.routes["/.well-known/jwks.json"] = ANSWERS[answer]
        raw = token(iss=server.url, aud=server.url)
        for call in (
            lambda: asyncio.run(authgent.verify_token(raw, server.url)),
            lambda: authgent.verify_token_sync(raw, server.url),
            lambda: asyncio.run(authgent.JWKSFetcher(server.url).get_key("p256")),
            lambda: asyncio.run(authgent.JWKSFetcher(server.url).get_all_keys()),
        ):
            error = rejection(call)
            assert isinstance(error, authgent.ServerError)
            assert error.code == "keys_unavailable"
            assert error.http_status == 503


def test_one_bad_key_does_not_take_the_others_with_it() -> None:
    bad = [{"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, mint.private_jwk("p256-b")]
    with endpoint.running() as server:
        server.routes["/.well-known/jwks.json"] = endpoint.answer(json.dumps(mint.jwks(*bad, "p256")))
        raw = token(iss=server.url, aud=server.url)
        assert authgent.verify_token_sync(raw, server.url).subject == "client:agnt_1"
        assert set(asyncio.run(authgent.JWKSFetcher(server.url).get_all_keys())) == {"p256"}


def test_unknown_keys_do_not_make_us_ask_again_and_again() -> None:
    with endpoint.running() as server:
        server.routes["/.well-known/jwks.json"] = endpoint.answer(json.dumps(mint.jwks("p256")))
        for number in range(20):
            head = {**mint.header("p256", "ES256"), "kid": f"nobody-{number}"}
            raw = sign(claims(iss=server.url, aud=server.url), head)
            assert isinstance(
                rejection(lambda raw=raw: authgent.verify_token_sync(raw, server.url)), authgent.InvalidTokenError
            )
        assert server.count() == 1 + 2


def test_no_secret_is_reported() -> None:
    identity = authgent.AgentIdentity.from_claims(
        {"sub": SECRET, "scope": SECRET, "cnf": {"jkt": SECRET}, "act": {"sub": SECRET}}, token_hash=SECRET
    )
    client = authgent.DPoPClient()
    for thing in (identity, identity.claims, identity.delegation_chain, KEYS, client):
        assert SECRET not in repr(thing) + str(thing)
    assert "PRIVATE" not in repr(vars(client))
    raw = token(sub=SECRET, exp=now() - 99)
    error = rejection(lambda: authgent.verify_token_sync(raw, ISSUER, jwks_fetcher=KEYS))
    assert error is not None
    assert SECRET not in f"{error} {error!r} {error.args} {vars(error)}"
    assert raw.split(".")[2] not in f"{error} {error!r} {error.args} {vars(error)}"


@given(st.text(alphabet='Bearer DPoP="\\,; scope error insufficient_scope\t', max_size=200) | st.text(max_size=60))
def test_no_challenge_ends_in_an_exception(header: str) -> None:
    parse_scope_challenge(header)


@pytest.mark.parametrize("text", ['"', "\\", " ", ",", "a ", "a=", 'a="', 'Bearer scope="', "a, ", "="])
def test_a_long_challenge_takes_no_longer_than_its_length_allows(text: str) -> None:
    # It would not end in anybody's lifetime if any part were tried again for every character that follows.
    for _ in range(50):
        assert parse_scope_challenge("Bearer " + text * 100_000) is None
