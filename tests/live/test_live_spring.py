"""Spring Authorization Server: no ``typ``, scopes in a list, one RSA key without ``alg`` for RS and PS alike."""

from __future__ import annotations

import pytest
from live_spring import ALGORITHMS, API, LIFETIME, Spring
from live_verdicts import Verify, both_ways, code, each_tampering, header_of, lifetime, peer_claims

import watchword as ww

each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)


@pytest.fixture(scope="module", name="tokens")
def _tokens(spring: Spring) -> dict[str, str]:
    return {algorithm: spring.token(f"machine-{algorithm}") for algorithm in ALGORITHMS}


@pytest.fixture(scope="module", name="verifier")
def _verifier(spring: Spring) -> ww.Verifier:
    return ww.Verifier([spring.as_issuer()], audience=API)


@both_ways
@each_algorithm
def test_a_token_is_verified_through_discovery(
    spring: Spring, tokens: dict[str, str], verifier: ww.Verifier, verify: Verify, algorithm: str
) -> None:
    token = tokens[algorithm]
    verified = verify(verifier, token)
    assert verified.header == header_of(token) == {"alg": algorithm, "kid": verified.key_id}
    assert verified.algorithm == algorithm
    assert verified.issuer == spring.issuer
    assert verified.subject == f"machine-{algorithm}"
    assert verified.audience == (API,)
    assert sorted(verified.claims["scope"]) == ["read", "write"]
    assert sorted(verified.scopes) == ["read", "write"]
    assert lifetime(verified) == LIFETIME
    assert verified.not_before == verified.issued_at


@each_algorithm
def test_the_claims_are_those_that_a_peer_reads(
    spring: Spring, tokens: dict[str, str], verifier: ww.Verifier, algorithm: str
) -> None:
    token = tokens[algorithm]
    assert verifier.verify(token).claims == peer_claims(token, spring.jwks_uri, API)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
@each_tampering
def test_a_tampered_token_is_rejected(
    tokens: dict[str, str], verifier: ww.Verifier, algorithm: str, tamper: object, verdict: ww.ErrorCode
) -> None:
    assert callable(tamper)
    with pytest.raises(ww.VerificationError) as caught:
        verifier.verify(tamper(tokens[algorithm]))
    assert caught.value.code == verdict


@both_ways
def test_a_token_of_a_kind_that_is_not_read_is_rejected(spring: Spring, verifier: ww.Verifier, verify: Verify) -> None:
    assert code(verify, verifier, spring.token("machine-ES512")) == ww.ErrorCode.ALGORITHM_NOT_ALLOWED
    assert code(verify, verifier, spring.token("opaque")) == ww.ErrorCode.MALFORMED_TOKEN


@both_ways
def test_a_customized_type_is_seen(spring: Spring, verifier: ww.Verifier, verify: Verify) -> None:
    strict = ww.Verifier([spring.as_issuer()], audience=API, types=("at+jwt",))
    token = spring.token("rfc9068")
    assert verify(verifier, token).header["typ"] == verify(strict, token).header["typ"] == "at+jwt"
    assert code(verify, strict, spring.token("machine-RS256")) == ww.ErrorCode.WRONG_TYPE


@both_ways
def test_the_default_audience_is_the_client_itself(spring: Spring, verifier: ww.Verifier, verify: Verify) -> None:
    token = spring.token("plain")
    assert code(verify, verifier, token) == ww.ErrorCode.WRONG_AUDIENCE
    assert verify(ww.Verifier([spring.as_issuer()], audience="plain"), token).audience == ("plain",)


def test_both_metadata_documents_lead_to_the_keys(spring: Spring) -> None:
    for path in ("oauth-authorization-server", "openid-configuration"):
        metadata = spring.http.get(f"{spring.issuer}/.well-known/{path}").json()
        assert (metadata["issuer"], metadata["jwks_uri"]) == (spring.issuer, spring.jwks_uri)
    keys = ww.KeySet.from_json(spring.http.get(spring.jwks_uri).content)
    assert {(key.key_type, key.curve) for key in keys} >= {("RSA", None), ("EC", "P-256"), ("EC", "P-384")}
    assert {key.reason for key in keys.rejected} == {"unsupported_curve"}
    assert [key.thumbprint for key in keys] == [key.key_id for key in keys]


@both_ways
def test_a_token_is_of_the_address_that_it_was_asked_for_at(spring: Spring, verify: Verify) -> None:
    # One server, one key set, two issuers: the name decides.
    other = ww.Issuer(spring.tls_issuer, jwks_uri=spring.jwks_uri, allow_loopback_http=True)
    assert code(verify, ww.Verifier([other], audience=API), spring.token("machine-ES256")) == ww.ErrorCode.WRONG_ISSUER


@both_ways
def test_a_new_key_is_found_and_a_withdrawn_one_is_forgotten(spring: Spring, verify: Verify) -> None:
    seconds = 1000.0
    issuer = spring.as_issuer()
    verifier = ww.Verifier([issuer], audience=API, monotonic=lambda: seconds)
    before = spring.token("machine-ES384")
    verify(verifier, before)

    new = spring.add_key("ES384")
    after = spring.token("machine-ES384")
    assert header_of(after)["kid"] == new != header_of(before)["kid"]
    seconds += issuer.cache_settings.cooldown
    assert verify(verifier, after).key_id == new
    assert verify(verifier, before).key_id == header_of(before)["kid"]

    spring.withdraw_old_keys("ES384")
    verifier.refresh()
    assert verify(verifier, after).key_id == new
    assert code(verify, verifier, before) == ww.ErrorCode.UNKNOWN_KEY
