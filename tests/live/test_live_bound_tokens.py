"""Tokens that two servers bind to a key: by DPoP (RFC 9449), by a client certificate (RFC 8705)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from live_keycloak import Realm
from live_spring import API, Spring
from live_verdicts import Verify, both_ways, code

import watchword as ww
from watchword.dpop import DpopProver
from watchword.testing import ClientCertificate

URI = "https://api.example/orders"


@dataclass(frozen=True)
class Server:
    """What the tests ask of either server."""

    dpop_token: Callable[[DpopProver], str]
    certificate_token: Callable[[], str]
    certificate: bytes
    certificate_thumbprint: str
    issuer: ww.Issuer
    tls_issuer: ww.Issuer


def _keycloak(request: pytest.FixtureRequest) -> Server:
    realm: Realm = request.getfixturevalue("realm")
    return Server(
        lambda prover: realm.token("dpop", prover=prover),
        lambda: realm.token_over_mutual_tls("mtls"),
        realm.server.certificates.client_der,
        realm.server.certificates.client_thumbprint,
        realm.as_issuer(),
        realm.as_issuer(),
    )


def _spring(request: pytest.FixtureRequest) -> Server:
    spring: Spring = request.getfixturevalue("spring")
    return Server(
        lambda prover: spring.token("machine-ES256", prover=prover),
        spring.token_over_mutual_tls,
        spring.certificates.client_der,
        spring.certificates.client_thumbprint,
        spring.as_issuer(),
        ww.Issuer(spring.tls_issuer, jwks_uri=spring.jwks_uri, allow_loopback_http=True),
    )


@pytest.fixture(scope="module", name="java_server", params=["keycloak", "spring"])
def _server(request: pytest.FixtureRequest) -> Server:
    return {"keycloak": _keycloak, "spring": _spring}[request.param](request)


@pytest.fixture(scope="module", name="prover")
def _prover() -> DpopProver:
    return DpopProver()


@pytest.fixture(scope="module", name="token")
def _token(java_server: Server, prover: DpopProver) -> str:
    return java_server.dpop_token(prover)


@pytest.fixture(name="verifier")
def _verifier(java_server: Server) -> ww.Verifier:
    return ww.Verifier([java_server.issuer], audience=API)


def _headers(token: str, proof: str) -> dict[str, str]:
    return {"Authorization": f"DPoP {token}", "DPoP": proof}


def test_a_request_with_a_proof_is_verified_once(prover: DpopProver, token: str, verifier: ww.Verifier) -> None:
    headers = _headers(token, prover.proof("GET", URI, token))
    verified = verifier.verify_request(method="GET", uri=URI, headers=headers)
    assert verified.proof is not None
    assert verified.token.confirmation is not None
    assert verified.token.confirmation.jkt == verified.proof.jkt == prover.jkt
    with pytest.raises(ww.VerificationError) as caught:
        verifier.verify_request(method="GET", uri=URI, headers=headers)
    assert caught.value.code == ww.ErrorCode.DPOP_REPLAYED


@both_ways
def test_a_bound_token_is_no_bearer_token(
    java_server: Server, prover: DpopProver, token: str, verifier: ww.Verifier, verify: Verify
) -> None:
    assert code(verify, verifier, token) == ww.ErrorCode.DPOP_PROOF_REQUIRED
    with pytest.raises(ww.VerificationError):
        verifier.verify_request(method="GET", uri=URI, headers={"Authorization": f"Bearer {token}"})
    accepting = ww.Verifier([java_server.issuer], audience=API, bound_tokens="accept")
    confirmation = verify(accepting, token).confirmation
    assert confirmation is not None
    assert confirmation.jkt == prover.jkt


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param(lambda own, token: DpopProver().proof("GET", URI, token), id="other key"),
        pytest.param(lambda own, token: own.proof("POST", URI, token), id="other method"),
        pytest.param(lambda own, token: own.proof("GET", "https://other.example/orders", token), id="other host"),
        pytest.param(lambda own, token: own.proof("GET", URI, token[:-1]), id="other token"),
        pytest.param(lambda own, token: own.proof("GET", URI), id="no token"),
    ],
)
def test_a_proof_of_something_else_is_rejected(
    prover: DpopProver, token: str, verifier: ww.Verifier, proof: Callable[[DpopProver, str], str]
) -> None:
    with pytest.raises(ww.DpopError):
        verifier.verify_request(method="GET", uri=URI, headers=_headers(token, proof(prover, token)))


@both_ways
def test_a_token_goes_with_the_certificate_that_it_is_bound_to(java_server: Server, verify: Verify) -> None:
    verifier = ww.Verifier([java_server.tls_issuer], audience=API)
    token = java_server.certificate_token()
    assert code(verify, verifier, token) == ww.ErrorCode.CERTIFICATE_REQUIRED
    verified = verifier.verify(token, certificate=java_server.certificate)
    assert verified.confirmation is not None
    assert verified.confirmation.certificate == java_server.certificate_thumbprint
    headers = {"Authorization": f"Bearer {token}"}
    request: dict[str, Any] = {"method": "GET", "uri": URI, "headers": headers}
    assert verifier.verify_request(**request, certificate=java_server.certificate).token.claims == verified.claims
    with pytest.raises(ww.CertificateMismatchError):
        verifier.verify_request(**request, certificate=ClientCertificate.make().der)
    accepting = ww.Verifier([java_server.tls_issuer], audience=API, bound_tokens="accept")
    assert verify(accepting, token).claims["cnf"] == {"x5t#S256": java_server.certificate_thumbprint}
