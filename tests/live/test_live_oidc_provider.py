"""Tokens of oidc-provider: ``at+jwt`` access tokens in every algorithm, ID tokens, and what is no JWT at all."""

from __future__ import annotations

import httpx2
import pytest
from live_dpop import Holder
from live_oidc_provider import OidcProvider, api
from live_verdicts import Verify, both_ways, code, each_tampering, header_of, lifetime, peer_claims

import watchword as ww

ALGORITHMS = ("EdDSA", "Ed25519", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")

#: Real tokens that this library does not read: the resource, the verdict.
REJECTED = {
    "ES512": ww.ErrorCode.ALGORITHM_NOT_ALLOWED,
    "HS256": ww.ErrorCode.ALGORITHM_NOT_ALLOWED,
    "encrypted": ww.ErrorCode.UNSUPPORTED,
}

each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)


@pytest.fixture(scope="module", name="issuer")
def _issuer(oidc_provider: OidcProvider) -> ww.Issuer:
    return ww.Issuer(oidc_provider.issuer, allow_loopback_http=True)


@pytest.fixture(scope="module", name="verifier")
def _verifier(issuer: ww.Issuer) -> ww.Verifier:
    return ww.Verifier([issuer], audience=[api(name) for name in (*ALGORITHMS, *REJECTED)])


@both_ways
@each_algorithm
def test_an_access_token_is_verified(
    oidc_provider: OidcProvider, verifier: ww.Verifier, verify: Verify, algorithm: str
) -> None:
    token = oidc_provider.token(algorithm)
    verified = verify(verifier, token)
    assert header_of(token)["typ"] == "at+jwt"
    assert verified.header == header_of(token)
    assert verified.algorithm == algorithm
    assert verified.key_id == header_of(token)["kid"]
    assert verified.issuer == oidc_provider.issuer
    assert verified.subject == "machine"
    assert verified.audience == (api(algorithm),)
    assert verified.scopes == ("read",)
    assert lifetime(verified) == 300


# PyJWT knows Ed25519 by its older name only, EdDSA (RFC 9864 section 2.2).
@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "Ed25519"])
def test_the_claims_are_those_that_a_peer_reads(
    oidc_provider: OidcProvider, verifier: ww.Verifier, algorithm: str
) -> None:
    token = oidc_provider.token(algorithm)
    assert verifier.verify(token).claims == peer_claims(token, oidc_provider.jwks_uri, api(algorithm))


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
@each_tampering
def test_a_tampered_token_is_rejected(
    oidc_provider: OidcProvider, verifier: ww.Verifier, algorithm: str, tamper: object, verdict: ww.ErrorCode
) -> None:
    assert callable(tamper)
    with pytest.raises(ww.VerificationError) as caught:
        verifier.verify(tamper(oidc_provider.token(algorithm)))
    assert caught.value.code == verdict


@both_ways
@pytest.mark.parametrize(("resource", "verdict"), REJECTED.items())
def test_a_token_of_a_kind_that_is_not_read_is_rejected(
    oidc_provider: OidcProvider, verifier: ww.Verifier, verify: Verify, resource: str, verdict: ww.ErrorCode
) -> None:
    assert code(verify, verifier, oidc_provider.token(resource)) == verdict


@both_ways
def test_an_opaque_token_is_rejected(oidc_provider: OidcProvider, verifier: ww.Verifier, verify: Verify) -> None:
    assert code(verify, verifier, oidc_provider.opaque_token()) == ww.ErrorCode.MALFORMED_TOKEN


def test_keys_that_cannot_be_used_do_not_take_the_others_with_them(oidc_provider: OidcProvider) -> None:
    keys = ww.KeySet.from_json(httpx2.get(oidc_provider.jwks_uri, trust_env=False).content)
    assert [(key.key_type, key.curve) for key in keys] == [
        ("RSA", None),
        ("EC", "P-256"),
        ("EC", "P-384"),
        ("OKP", "Ed25519"),
    ]
    assert [(key.index, key.reason) for key in keys.rejected] == [(4, "unsupported_curve"), (5, "not_for_signatures")]
    # The server's kids are thumbprints (RFC 7638): two implementations agree on all of them.
    assert [key.thumbprint for key in keys] == [key.key_id for key in keys]


@both_ways
def test_a_token_for_another_resource_is_rejected(
    oidc_provider: OidcProvider, issuer: ww.Issuer, verify: Verify
) -> None:
    verifier = ww.Verifier([issuer], audience=api("ES256"))
    assert code(verify, verifier, oidc_provider.token("ES256")) is None
    assert code(verify, verifier, oidc_provider.token("RS256")) == ww.ErrorCode.WRONG_AUDIENCE


@both_ways
def test_a_bound_token_is_no_bearer_token(
    oidc_provider: OidcProvider, verifier: ww.Verifier, issuer: ww.Issuer, verify: Verify
) -> None:
    holder = Holder()
    token = oidc_provider.token("EdDSA", holder=holder)
    assert code(verify, verifier, token) == ww.ErrorCode.DPOP_PROOF_REQUIRED
    accepting = ww.Verifier([issuer], audience=api("EdDSA"), bound_tokens="accept")
    confirmation = verify(accepting, token).confirmation
    assert confirmation is not None
    assert confirmation.jkt == holder.thumbprint


@both_ways
@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256", "PS256"])
def test_an_id_token_is_verified_by_the_client_it_is_for_and_by_nobody_else(
    oidc_provider: OidcProvider, verifier: ww.Verifier, issuer: ww.Issuer, verify: Verify, algorithm: str
) -> None:
    token = oidc_provider.id_token(algorithm, login="alice")
    client = ww.Verifier([issuer], audience=f"web-{algorithm}")
    verified = verify(client, token)
    assert verified.algorithm == algorithm
    assert verified.subject == "alice"
    assert verified.claims["nonce"] == "the-nonce"
    # An API must not take an ID token for an access token: RFC 9068 section 4, by its audience and by its type.
    assert code(verify, verifier, token) == ww.ErrorCode.WRONG_AUDIENCE
    access_tokens_only = ww.Verifier([issuer], audience=f"web-{algorithm}", types=("at+jwt",))
    assert code(verify, access_tokens_only, token) == ww.ErrorCode.WRONG_TYPE
