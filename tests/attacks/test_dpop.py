"""The row of the list of attacks about DPoP: each of its defects by its name, with the error of the RFC."""

from __future__ import annotations

from typing import Any

import mint
import proofs
import pytest
from proofs import METHOD, NOW, URI, claims, header, jwk, proof

import watchword as ww

TOKEN = proofs.bound_token()


def _proof(head: dict[str, Any] | None = None, **changes: Any) -> str:
    return proof(claims(**{"ath": proofs.ath(TOKEN), **changes}), head)


def _headers(text: str | None = None, scheme: str = "DPoP") -> list[tuple[str, str]]:
    return [("Authorization", f"{scheme} {TOKEN}"), ("DPoP", _proof() if text is None else text)]


INVALID_PROOF, INVALID_TOKEN, USE_NONCE = "invalid_dpop_proof", "invalid_token", "use_dpop_nonce"

#: The defect -> the headers of the request, and the error of the challenge.
ROW: dict[str, tuple[list[tuple[str, str]], str]] = {
    "wrong typ": (_headers(_proof(header(typ="JWT"))), INVALID_PROOF),
    "alg none": (_headers(proof(claims(ath=proofs.ath(TOKEN)), header(alg="none"), signature=b"")), INVALID_PROOF),
    "alg HS256": (
        _headers(proof(claims(ath=proofs.ath(TOKEN)), header(alg="HS256"), key=b"k" * 32, algorithm="HS256")),
        INVALID_PROOF,
    ),
    "private jwk": (_headers(_proof(header(jwk=jwk(d=mint.private_jwk("p256")["d"])))), INVALID_PROOF),
    "missing jti": (_headers(_proof(jti=mint.OMIT)), INVALID_PROOF),
    "missing htm": (_headers(_proof(htm=mint.OMIT)), INVALID_PROOF),
    "missing htu": (_headers(_proof(htu=mint.OMIT)), INVALID_PROOF),
    "missing iat": (_headers(_proof(iat=mint.OMIT)), INVALID_PROOF),
    "wrong htm": (_headers(_proof(htm="GET")), INVALID_PROOF),
    "wrong htu": (_headers(_proof(htu="https://evil.example/orders")), INVALID_PROOF),
    "wrong ath": (_headers(_proof(ath=proofs.ath("another"))), INVALID_PROOF),
    "ath missing at the resource server": (_headers(_proof(ath=mint.OMIT)), INVALID_PROOF),
    "jkt mismatch": (
        _headers(proof(claims(ath=proofs.ath(TOKEN)), key="ed25519", algorithm="EdDSA")),
        INVALID_TOKEN,
    ),
    "stale iat": (_headers(_proof(iat=NOW - 61)), INVALID_PROOF),
    "future iat": (_headers(_proof(iat=NOW + 6)), INVALID_PROOF),
    "duplicate DPoP header": ([*_headers(), ("dpop", _proof(jti="2"))], INVALID_PROOF),
    "comma-joined header": (_headers(f"{_proof()}, {_proof(jti='2')}"), INVALID_PROOF),
    "bearer use of a bound token": (_headers(scheme="Bearer"), INVALID_TOKEN),
    "no proof at all": (_headers()[:1], INVALID_PROOF),
}


def _verifier(**options: Any) -> ww.Verifier:
    issuer = ww.Issuer(mint.ISSUER, jwks=mint.jwks("ed25519"))
    return ww.Verifier([issuer], audience=mint.AUDIENCE, clock=lambda: NOW, **options)


@pytest.mark.parametrize(("headers", "answer"), ROW.values(), ids=ROW)
def test_dpop(headers: list[tuple[str, str]], answer: str) -> None:
    with _verifier() as verifier:
        with pytest.raises(ww.VerificationError) as caught:
            verifier.verify_request(method=METHOD, uri=URI, headers=headers)
        assert caught.value.http_status == 401
        assert (caught.value.www_authenticate() or "").startswith(f'DPoP error="{answer}"')
        # The attempt used nothing up.
        assert verifier.verify_request(method=METHOD, uri=URI, headers=_headers()).proof is not None


@pytest.mark.parametrize("nonce", [mint.OMIT, "made up"])
def test_dpop_nonce_mismatch(nonce: Any) -> None:
    dpop = ww.dpop.DpopVerifier(nonces=ww.dpop.Nonces(bytes(32)))
    with _verifier(dpop=dpop) as verifier, pytest.raises(ww.DpopError) as caught:
        verifier.verify_request(method=METHOD, uri=URI, headers=_headers(_proof(nonce=nonce)))
    assert (caught.value.www_authenticate() or "").startswith(f'DPoP error="{USE_NONCE}"')
    assert caught.value.nonce == ww.dpop.Nonces(bytes(32)).issue(now=NOW)


def test_dpop_replay() -> None:
    with _verifier() as verifier:
        verifier.verify_request(method=METHOD, uri=URI, headers=_headers())
        with pytest.raises(ww.DpopError) as caught:
            verifier.verify_request(method=METHOD, uri=URI, headers=_headers())
    assert (caught.value.www_authenticate() or "").startswith(f'DPoP error="{INVALID_PROOF}"')
