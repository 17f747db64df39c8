"""The recorded result of authgent's published package for each proof, and ours: the differences are listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mint
import proofs
import pytest
from proofs import NOW, claims, header, jwk, proof

import watchword as ww

HTU = "https://api.example.com/data"


def _claims(**changes: Any) -> dict[str, Any]:
    return claims(**{"htu": HTU, "jti": "j1", **changes})


def _made(head: dict[str, Any] | None = None, uri: str = HTU, **changes: Any) -> tuple[str, str]:
    return proof(_claims(**changes), head), uri


#: The row's case -> the proof, and the URI of its request.
CASES: dict[str, tuple[Any, str]] = {
    "valid": _made(),
    "typ=JWT": _made(header(typ="JWT")),
    "typ=DPOP+JWT (media types are case-insensitive)": _made(header(typ="DPOP+JWT")),
    "jwk missing": _made(header(jwk=mint.OMIT)),
    "jwk kty=RSA": _made(header(jwk=jwk(kty="RSA"))),
    "jwk kty=OKP": _made(header(jwk=jwk(kty="OKP"))),
    "jwk is a string": _made(header(jwk="key")),
    "jwk crv=P-384 label, P-256 coords (cnf = thumbprint of that)": _made(header(jwk=jwk(crv="P-384"))),
    "jwk crv missing (cnf = thumbprint of 3 members)": _made(header(jwk=jwk(crv=mint.OMIT))),
    "alg=HS256": (proof(_claims(), header(alg="HS256"), key=b"secret", algorithm="HS256"), HTU),
    "alg=ES384 header": _made(header(alg="ES384")),
    "signature by another key": (proof(_claims(), signature=bytes([1] * 64)), HTU),
    "crit unknown": _made(header(crit=["x"], x=1)),
    "htm GET vs POST": _made(htm="GET"),
    "htm 'post' lowercase": _made(htm="post"),
    "htm None": _made(htm=None),
    "htu other host": _made(htu="https://evil.example.com/data"),
    "htu has query, request same query": _made(htu=HTU + "?a=1", uri=HTU + "?a=1"),
    "scheme/host case differs": _made(htu="HTTPS://API.Example.COM/data"),
    "trailing slash": _made(htu=HTU + "/"),
    "percent-encoding case %2f/%2F": _made(htu="https://api.example.com/a%2fb", uri="https://api.example.com/a%2Fb"),
    "dot segments": _made(htu="https://api.example.com/x/../data"),
    "htu missing": _made(htu=mint.OMIT),
    "empty path vs '/'": _made(htu="https://api.example.com", uri="https://api.example.com/"),
    "iat = now-59": _made(iat=NOW - 59),
    "iat = now-61": _made(iat=NOW - 61),
    "iat = now-1": _made(iat=NOW - 1),
    "iat = now+1": _made(iat=NOW + 1),
    "iat = now+2": _made(iat=NOW + 2),
    "iat = now+5": _made(iat=NOW + 5),
    "iat = now+61": _made(iat=NOW + 61),
    "iat float": _made(iat=NOW - 0.5),
    "iat null": _made(iat=None),
    "exp in past in proof": _made(exp=NOW - 10),
    "nbf future in proof": _made(nbf=NOW + 10),
    "ath absent though an access token is presented": _made(),
    "ath of ANOTHER token": _made(ath=proofs.ath("another")),
    "nonce absent": _made(),
    "nonce arbitrary": _made(nonce="zzz"),
}

#: Cases about authgent's own argument, the token's claims, which we have no counterpart of: ours is the token itself.
NOT_OURS = {"token is AgentIdentity", "token is TokenClaims"}

#: The cases with another result here, and why.
DIFFERENT = {
    "typ=DPOP+JWT (media types are case-insensitive)": "accepted: RFC 7515 section 4.1.9, media types have no case",
    "jwk crv=P-384 label, P-256 coords (cnf = thumbprint of that)": "rejected: no such point is on P-384",
    "jwk crv missing (cnf = thumbprint of 3 members)": "rejected: RFC 7518 section 6.2.1 requires crv",
    "htm 'post' lowercase": "rejected: RFC 9110 section 9.1, methods have case",
    "scheme/host case differs": "accepted: RFC 9449 section 4.3 asks for RFC 3986 normalisation",
    "percent-encoding case %2f/%2F": "accepted: RFC 3986 section 6.2.2.1",
    "dot segments": "accepted: RFC 3986 section 6.2.2.3",
    "empty path vs '/'": "accepted: RFC 3986 section 6.2.3",
    "iat = now+1": "accepted: a clock may be ahead by the leeway of 5 seconds",
    "iat = now+2": "accepted: a clock may be ahead by the leeway of 5 seconds",
    "iat = now+5": "accepted: a clock may be ahead by the leeway of 5 seconds",
    "ath absent though an access token is presented": "rejected: RFC 9449 section 4.3, check 12",
    "ath of ANOTHER token": "rejected: RFC 9449 section 4.3, check 12",
}


def _accepts(case: str) -> bool:
    text, uri = CASES[case]
    arguments: dict[str, Any] = {"access_token": "the token"} if "ath" in case.split() else {}
    return proofs.code_of(text, uri=uri, **arguments) is None


def test_every_row_is_answered_alike_or_listed(shared: Path) -> None:
    rows = json.loads((shared / "truth" / "authgent.json").read_bytes())["rows"]
    rows = [row for row in rows if row["fn"] == "verify_dpop_proof" and row["case"] not in NOT_OURS]
    assert len(rows) > 30
    assert {row["case"] for row in rows} == {*CASES, "None proof"}
    for row in rows:
        case = row["case"]
        if case == "None proof":
            with pytest.raises(TypeError):
                proofs.code_of(None)  # type: ignore[arg-type]
            continue
        same = _accepts(case) == (row["outcome"] == "ok")
        assert same == (case not in DIFFERENT), case


@pytest.mark.parametrize("case", DIFFERENT)
def test_differences_are_as_listed(case: str) -> None:
    assert DIFFERENT[case].startswith("accepted" if _accepts(case) else "rejected")


def test_a_bound_token_as_a_plain_bearer_token_is_rejected() -> None:
    # The row of verify_token: accepted by authgent, which never checks cnf.
    keys = ww.KeySet.from_json(mint.jwks("ed25519"))
    with pytest.raises(ww.ProofRequiredError):
        ww.verify(proofs.bound_token(), keys, ww.Policy(audience=mint.AUDIENCE), now=NOW)
