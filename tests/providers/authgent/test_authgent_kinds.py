"""One server signs several kinds of JWT with one key: none passes for another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import mint
import proofs
import pytest
from authgent_tokens import (
    API,
    ISSUER,
    KEYS,
    act,
    chaining_grant,
    now,
    receipt,
    rejection,
    sign,
    token,
    transaction_token,
    verify,
)

import watchword as ww
import watchword.providers.authgent as authgent
from watchword.providers.authgent.adapters.mcp import AgentAuthProvider

#: Everything that is no access token, as similar to one as possible: with the missing claims added.
OTHERS: dict[str, Callable[[], str]] = {
    "delegation receipt": receipt,
    "delegation receipt with the claims of a token": lambda: receipt(exp=now() + 60, sub="client:agnt_1", aud=ISSUER),
    "receipt that does not say so": lambda: receipt(type="other", exp=now() + 60, sub="client:agnt_1", aud=ISSUER),
    "transaction token": transaction_token,
    "transaction token of the type of an access token": lambda: transaction_token("JWT"),
    "transaction token with the claims of a token": lambda: transaction_token("at+jwt", jti="tok_1", client_id="a"),
    "chaining grant": chaining_grant,
    "chaining grant for the issuer itself": lambda: chaining_grant(aud=ISSUER),
    "chaining grant with a human root": lambda: chaining_grant(aud=ISSUER, human_root=True, sub="user:ada"),
    "proof": lambda: proofs.proof(proofs.claims(iat=now())),
    "proof with the claims of a token": lambda: sign(
        {**proofs.claims(iat=now()), "iss": ISSUER, "sub": "a", "aud": ISSUER, "exp": now() + 60},
        proofs.header(kid="p256"),
    ),
    "proof of the type of an access token": lambda: sign(
        {**proofs.claims(iat=now()), "iss": ISSUER, "sub": "a", "aud": ISSUER, "exp": now() + 60}
    ),
    "refresh token": lambda: "tok_4N2wJ4Y0m1dS1Xn8dCb0m0y1kQ",
}

each_other = pytest.mark.parametrize("other", OTHERS)


@each_other
def test_nothing_else_is_an_access_token(other: str) -> None:
    for audience in (None, ww.ANY_AUDIENCE):
        error = rejection(lambda options={"audience": audience}: verify(OTHERS[other](), **options))
        assert isinstance(error, authgent.InvalidTokenError)


@each_other
def test_nothing_else_is_one_for_an_mcp_server(other: str) -> None:
    provider = AgentAuthProvider(ISSUER, ww.ANY_AUDIENCE, jwks_fetcher=KEYS)
    assert rejection(lambda: asyncio.run(provider.verify(OTHERS[other]()))) is not None
    assert asyncio.run(provider.verify_token(OTHERS[other]())) is None


@each_other
def test_nothing_else_is_a_proof(other: str) -> None:
    bound = {"cnf": {"jkt": proofs.jkt()}}
    if other == "proof":
        return  # it is one
    error = rejection(
        lambda: authgent.verify_dpop_proof(bound, OTHERS[other](), proofs.METHOD, proofs.URI, access_token="x")
    )
    assert isinstance(error, authgent.DPoPError)


def test_an_access_token_is_no_proof() -> None:
    error = rejection(
        lambda: authgent.verify_dpop_proof(
            proof_jwt=token(), access_token=token(), http_method=proofs.METHOD, http_uri=proofs.URI
        )
    )
    assert isinstance(error, authgent.DPoPError)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("transaction token", "wrong_type"),
        ("transaction token of the type of an access token", "wrong_type"),
        ("delegation receipt with the claims of a token", "wrong_type"),
        ("chaining grant for the issuer itself", "wrong_type"),
        ("proof of the type of an access token", "wrong_type"),
        ("chaining grant", "wrong_audience"),
    ],
)
def test_the_error_names_what_is_wrong(kind: str, code: str) -> None:
    error = rejection(lambda: verify(OTHERS[kind]()))
    assert error is not None
    assert error.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"act": act("client:agnt_2", "client:agnt_3"), "aud": API},
        {"chained_from": "https://other-as.example"},
        {"sub": "user:ada", "idp_iss": "https://idp.example", "idp_sub": "ada", "human_root": True},
        {"sub": "auto_approved_user"},
        {"scope": ""},
        {"nbf": 1_700_000_000, "jti": "another-issuers-own"},
        {"type": "Bearer", "jti": mint.OMIT, "client_id": mint.OMIT},
    ],
)
def test_every_access_token_is_one(changes: dict[str, Any]) -> None:
    raw = token(**changes)
    assert verify(raw, audience=changes.get("aud")).claims.raw.keys() >= changes.keys() - {"jti", "client_id"}


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "application/at+jwt", mint.OMIT])
def test_an_access_token_has_its_typ_or_none(typ: Any) -> None:
    from authgent_tokens import claims

    assert verify(sign(claims(), mint.header("p256", "ES256", typ=typ))).subject == "client:agnt_1"
