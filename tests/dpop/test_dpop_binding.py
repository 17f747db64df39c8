"""Token and proof together: a token is valid with a proof of its own key only (RFC 9449 section 6)."""

from __future__ import annotations

from typing import Any

import mint
import proofs
import pytest
from proofs import METHOD, NOW, URI, claims, proof

import watchword as ww

KEYS = ww.KeySet.from_json(mint.jwks("ed25519"))
REJECT = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
ACCEPT = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE, bound_tokens="accept")


def _proof_for(token: str, key: str = "p256", **changes: Any) -> ww.DpopProof:
    """A proof that was verified for a token."""
    algorithm = {"p256": "ES256", "ed25519": "EdDSA", "rsa": "PS256"}[key]
    text = proof(claims(ath=proofs.ath(token), **changes), key=key, algorithm=algorithm)
    return ww.dpop.verify_proof(text, method=METHOD, uri=URI, access_token=token, now=NOW)


def _code(token: str, proof: ww.DpopProof | None, policy: ww.Policy = REJECT) -> str | None:
    try:
        ww.verify(token, KEYS, policy, now=NOW, proof=proof)
    except ww.VerificationError as error:
        return error.code.value
    return None


def _token(**confirmation: Any) -> str:
    return mint.token(mint.claims(cnf=confirmation))


@pytest.mark.parametrize("key", ["p256", "ed25519", "rsa"])
@pytest.mark.parametrize("policy", [REJECT, ACCEPT])
def test_a_token_goes_with_its_key(key: str, policy: ww.Policy) -> None:
    for token in (
        _token(jkt=proofs.jkt(key)),
        _token(jwk=proofs.jwk(key)),
        _token(jkt=proofs.jkt(key), jwk=proofs.jwk(key)),
        _token(jwk={**proofs.jwk(key), "kid": "name", "use": "sig"}),
    ):
        assert _code(token, _proof_for(token, key), policy) is None


@pytest.mark.parametrize("policy", [REJECT, ACCEPT])
def test_a_token_goes_with_no_other_key(policy: ww.Policy) -> None:
    right, wrong = {"jkt": proofs.jkt()}, {"jkt": proofs.jkt("ed25519")}
    right_jwk, wrong_jwk = {"jwk": proofs.jwk()}, {"jwk": proofs.jwk("ed25519")}
    for confirmation in (
        wrong, wrong_jwk, {**right, **wrong_jwk}, {**wrong, **right_jwk}, {"jkt": ""}, {"jwk": {}},
        {"jwk": {"kty": "EC"}}, {"jkt": proofs.jkt().lower()}, {"jkt": proofs.jkt() + "="},
    ):  # fmt: skip
        token = _token(**confirmation)
        assert _code(token, _proof_for(token), policy) == "dpop_key_mismatch"


@pytest.mark.parametrize("policy", [REJECT, ACCEPT])
def test_a_proof_with_a_token_that_is_not_bound_is_rejected(policy: ww.Policy) -> None:
    token = mint.token()
    assert _code(token, _proof_for(token), policy) == "dpop_unbound_token"
    assert _code(token, None, policy) is None
    # A token with an empty binding is not an unbound token.
    empty = _token()
    assert _code(empty, _proof_for(empty), policy) == _code(empty, None, policy) == "malformed_claims"


def test_a_token_bound_in_another_way_too_is_not_taken_by_half() -> None:
    for confirmation in ({"kid": "AA"}, {"jkt": proofs.jkt(), "kid": "AA"}):
        token = _token(**confirmation)
        assert _code(token, _proof_for(token)) == _code(token, _proof_for(token), ACCEPT) == "unsupported"


@pytest.mark.parametrize("policy", [REJECT, ACCEPT])
def test_a_proof_for_another_token_is_rejected(policy: ww.Policy) -> None:
    token, other = (mint.token(mint.claims(cnf={"jkt": proofs.jkt()}, jti=name)) for name in ("one", "other"))
    assert _code(token, _proof_for(other), policy) == "dpop_wrong_access_token"
    # A proof that was verified without a token is for none: as one for the token endpoint.
    for_none = ww.dpop.verify_proof(proof(), method=METHOD, uri=URI, now=NOW)
    assert _code(token, for_none, policy) == "dpop_missing_claim"


def test_without_a_proof_a_bound_token_is_rejected_by_default() -> None:
    for confirmation in ({"jkt": proofs.jkt()}, {"jwk": proofs.jwk()}):
        assert _code(_token(**confirmation), None) == "dpop_proof_required"
        assert _code(_token(**confirmation), None, ACCEPT) is None


def test_everything_else_about_the_token_comes_first() -> None:
    bad = {"expired": {"exp": NOW - 60}, "wrong_audience": {"aud": "you"}, "missing_claim": {"exp": mint.OMIT}}
    for code, changes in bad.items():
        token = proofs.bound_token("ed25519", **changes)
        assert _code(token, _proof_for(token)) == code
    forged = proofs.bound_token().rpartition(".")[0] + "." + mint.b64(bytes(64))
    assert _code(forged, _proof_for(forged)) == "invalid_signature"


def test_answers() -> None:
    token = proofs.bound_token("ed25519")
    with pytest.raises(ww.dpop.KeyMismatchError) as caught:
        ww.verify(token, KEYS, REJECT, now=NOW, proof=_proof_for(token))
    # RFC 9449 section 7.1, figure 17.
    assert caught.value.www_authenticate() == (
        'DPoP error="invalid_token", error_description="the token is bound to another key", '
        'algs="EdDSA Ed25519 ES256 RS256 PS256"'
    )


def test_a_verifier_takes_a_proof_too() -> None:
    token = proofs.bound_token()
    issuer = ww.Issuer(mint.ISSUER, jwks=mint.jwks("ed25519"))
    with ww.Verifier([issuer], audience=mint.AUDIENCE, clock=lambda: NOW) as verifier:
        assert verifier.verify(token, proof=_proof_for(token)).subject == "agent-7"
        with pytest.raises(ww.ProofRequiredError):
            verifier.verify(token)


def test_what_is_no_proof_is_a_type_error() -> None:
    token = proofs.bound_token()
    for wrong in ("proof", proofs.jkt(), {"jkt": proofs.jkt()}):
        with pytest.raises(TypeError):
            ww.verify(token, KEYS, REJECT, now=NOW, proof=wrong)  # type: ignore[arg-type]
