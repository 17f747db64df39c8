"""SPIFFE trust domains: JWT-SVIDs, which have no ``iss`` and are known by the trust domain of their ``sub``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from endpoint import Key, Server, answer, b64, jwks
from verdicts import ELSE, ONE, code, error, remote

import watchword as ww

A, B, C = Key("a"), Key("b"), Key("c")
DOMAIN, OTHER = "spiffe://example.org", "spiffe://other.test"
WORKLOAD = f"{DOMAIN}/ns/default/sa/agent"
AUDIENCE = "spiffe://example.org/api"


def svid(key: Key = A, subject: str | None = WORKLOAD, **claims: object) -> str:
    """Return a JWT-SVID; claims that are ``None`` are omitted."""
    body = {"sub": subject, "aud": [AUDIENCE], "exp": int(time.time()) + 300, **claims}
    present = json.dumps({name: value for name, value in body.items() if value is not None})
    signed = f"{b64(json.dumps({'alg': 'EdDSA', 'typ': 'JWT', 'kid': key.kid}).encode())}.{b64(present.encode())}"
    return f"{signed}.{b64(key.private.sign(signed.encode()))}"


def bundle(name: str = DOMAIN, key: Key = A, **more: Any) -> ww.Issuer:
    return ww.Issuer(name, jwks=jwks(key), audience=AUDIENCE, **more)


def with_others(*issuers: ww.Issuer) -> list[ww.Verifier]:
    return [ww.Verifier(issuers), ww.Verifier([*issuers, ww.Issuer(ONE, jwks=jwks(C))])]


def test_a_workload_of_the_domain() -> None:
    for verifier in with_others(bundle()):
        assert code(verifier, svid()) is None
        token = verifier.verify(svid())
        assert (token.issuer, token.subject) == (None, WORKLOAD)
        assert verifier.verify_many([svid(), "x"]).codes() == [None, "malformed_token"]


@pytest.mark.parametrize(
    ("claims", "alone", "beside_another"),
    [
        ({"subject": f"{OTHER}/ns/x"}, "wrong_issuer", "wrong_issuer"),
        ({"subject": "spiffe://example.org.evil.test/x"}, "wrong_issuer", "wrong_issuer"),
        ({"subject": "alice"}, "malformed_claims", "wrong_issuer"),
        ({"subject": "SPIFFE://example.org/x"}, "malformed_claims", "wrong_issuer"),
        ({"subject": None}, "missing_claim", "wrong_issuer"),
        ({"subject": DOMAIN}, "malformed_claims", "malformed_claims"),
        ({"subject": f"{DOMAIN}/a//b"}, "malformed_claims", "malformed_claims"),
        ({"subject": f"{DOMAIN}/../x"}, "malformed_claims", "malformed_claims"),
        ({"aud": None}, "missing_claim", "missing_claim"),
        ({"aud": ["someone"]}, "wrong_audience", "wrong_audience"),
        ({"exp": 5}, "expired", "expired"),
        ({"key": Key("a")}, "invalid_signature", "invalid_signature"),
        ({"key": B}, "unknown_key", "unknown_key"),
    ],
)
def test_what_is_no_svid_of_the_domain(claims: dict[str, Any], alone: str, beside_another: str) -> None:
    only, both = with_others(bundle())
    assert code(only, svid(**claims)) == alone
    assert code(both, svid(**claims)) == beside_another


def test_each_domain_and_each_issuer_has_its_own_keys() -> None:
    verifier = ww.Verifier([bundle(), bundle(OTHER, B), ww.Issuer(ONE, jwks=jwks(C), audience=AUDIENCE)])
    names = {WORKLOAD: A, f"{OTHER}/x": B}
    for subject, own in names.items():
        for key in (A, B, C):
            assert code(verifier, svid(key, subject)) == (None if key is own else "unknown_key")
            same_kid = Key(own.kid)
            assert code(verifier, svid(same_kid, subject)) == "invalid_signature"
    # An iss that is configured comes before sub: it is that issuer's token, by that issuer's keys, or invalid.
    assert code(verifier, svid(C, WORKLOAD, iss=ONE)) is None
    assert verifier.verify(svid(C, WORKLOAD, iss=ONE)).issuer == ONE
    assert code(verifier, svid(A, WORKLOAD, iss=ONE)) == "unknown_key"
    # If it is not, sub decides: SPIRE can be configured to write an iss.
    assert code(verifier, svid(A, WORKLOAD, iss=ELSE)) is None
    assert code(verifier, svid(C, WORKLOAD, iss=ELSE)) == "unknown_key"


def test_a_token_of_another_domain_causes_no_fetch(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    for verifier in (
        ww.Verifier([remote(server, DOMAIN, audience=AUDIENCE)]),
        ww.Verifier([remote(server, DOMAIN, audience=AUDIENCE), remote(server, ONE)]),
    ):
        with verifier:
            server.requests.clear()
            for subject in (f"{OTHER}/x", "alice", None, "spiffe://example.orga/x", "spiffe:///x"):
                assert code(verifier, svid(Key("new"), subject)) == "wrong_issuer"
            assert server.count() == 0
            assert code(verifier, svid()) is None
            assert server.count() == 1


def test_the_bundle_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(jwks(A))
    with ww.Verifier([ww.Issuer(DOMAIN, jwks_file=path, audience=AUDIENCE)]) as verifier:
        assert code(verifier, svid()) is None


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        (DOMAIN, {}, "give the URL of its bundle as jwks_uri, or the bundle as jwks or jwks_file"),
        (DOMAIN + "/", {"jwks": jwks(A)}, "trust domain"),
        (DOMAIN + "/path", {"jwks": jwks(A)}, "trust domain"),
        ("spiffe://", {"jwks": jwks(A)}, "trust domain"),
        ("spiffe://Example.org", {"jwks": jwks(A)}, "trust domain"),
        ("spiffe://{tid}.org", {"jwks": jwks(A)}, "trust domain"),
        (DOMAIN, {"jwks": jwks(A), "aliases": [ONE]}, "neither aliases nor tenants"),
        (DOMAIN, {"jwks": jwks(A), "tenants": ["a"]}, "neither aliases nor tenants"),
    ],
)
def test_trust_domains_that_cannot_be(name: str, arguments: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ww.Issuer(name, **arguments)


def test_a_domain_given_twice() -> None:
    with pytest.raises(ValueError, match="given twice"):
        ww.Verifier([bundle(), bundle()])


def test_the_error_names_the_domains() -> None:
    rejected = error(ww.Verifier([bundle(), bundle(OTHER, B)]), svid(subject="spiffe://else.test/x"))
    assert rejected is not None
    assert '"spiffe://example.org" or "spiffe://other.test"' in rejected.detail
