"""Keycloak's keys during their lifetime: created for the first token of an algorithm, rotated, retired, withdrawn."""

from __future__ import annotations

import itertools

import pytest
from live_keycloak import API, Keycloak, Realm, key_provider
from live_verdicts import Verify, both_ways, code, header_of, with_header

import watchword as ww

EC = {"ecdsaEllipticCurveKey": "P-256"}
_names = itertools.count()


@pytest.fixture(name="rotating")
def _rotating(keycloak: Keycloak) -> Realm:
    """A realm whose tokens are ES256, by a key of its own; clients for that and for EdDSA."""
    realm = keycloak.realm(
        f"rotating-{next(_names)}",
        # What Keycloak signs and encrypts for itself; without them it would add RSA keys, too, and take longer.
        [
            key_provider("ecdsa-generated", 100, **EC),
            key_provider("hmac-generated", 100, algorithm="HS512"),
            key_provider("aes-generated", 100),
        ],
    )
    realm.add_client("machine", {"access.token.signed.response.alg": "ES256"})
    realm.add_client("first-of-its-kind", {"access.token.signed.response.alg": "EdDSA"})
    return realm


@both_ways
def test_a_key_that_is_made_for_its_first_token_is_found_at_the_first_try(rotating: Realm, verify: Verify) -> None:
    # Nothing has to be waited for: the set was fetched a moment ago, before that key existed.
    verifier = ww.Verifier([rotating.as_issuer()], audience=API, monotonic=lambda: 1000.0)
    verify(verifier, rotating.token("machine"))
    token = rotating.token("first-of-its-kind")
    assert verify(verifier, token).algorithm == "EdDSA"
    assert verifier.stats()[rotating.issuer].fetches == 2


@both_ways
def test_a_rotated_key_is_found_at_the_first_try_and_the_old_one_stays(rotating: Realm, verify: Verify) -> None:
    verifier = ww.Verifier([rotating.as_issuer()], audience=API, monotonic=lambda: 1000.0)
    before = rotating.token("machine")
    verify(verifier, before)

    rotating.add_key("ecdsa-generated", 200, **EC)
    after = rotating.token("machine")
    assert header_of(after)["kid"] != header_of(before)["kid"]
    assert verify(verifier, after).key_id == header_of(after)["kid"]
    assert verify(verifier, before).key_id == header_of(before)["kid"]
    assert verifier.stats()[rotating.issuer].fetches == 2


@both_ways
def test_a_key_on_a_curve_that_is_not_verified_makes_no_key_of_its_kid(rotating: Realm, verify: Verify) -> None:
    # An algorithm in common (EdDSA), another curve: the set's other keys are not tried in its place.
    rotating.add_key("eddsa-generated", 100, eddsaEllipticCurveKey="Ed448")
    token = rotating.token("first-of-its-kind")
    rotating.add_key("eddsa-generated", 200, eddsaEllipticCurveKey="Ed25519")
    other = rotating.token("first-of-its-kind")
    verifier = ww.Verifier([rotating.as_issuer()], audience=API)
    assert verify(verifier, other).algorithm == "EdDSA"
    assert code(verify, verifier, token) == ww.ErrorCode.UNKNOWN_KEY


@both_ways
def test_unknown_keys_do_not_make_the_server_work(rotating: Realm, verify: Verify) -> None:
    verifier = ww.Verifier([rotating.as_issuer()], audience=API, monotonic=lambda: 1000.0)
    token = rotating.token("machine")
    verify(verifier, token)
    for number in range(1000):
        assert code(verify, verifier, with_header(token, kid=f"unknown-{number}")) == ww.ErrorCode.UNKNOWN_KEY
    # The first for the good token, and at most two for the others.
    assert verifier.stats()[rotating.issuer].fetches <= 3
    verify(verifier, token)


@both_ways
def test_a_retired_key_verifies_until_it_is_withdrawn(rotating: Realm, verify: Verify) -> None:
    verifier = ww.Verifier([rotating.as_issuer()], audience=API)
    first = rotating.add_key("ecdsa-generated", 200, **EC)
    before = rotating.token("machine")
    verify(verifier, before)

    rotating.add_key("ecdsa-generated", 300, **EC)
    rotating.set_key(first, active=False)
    verifier.refresh()
    assert verify(verifier, rotating.token("machine"))
    assert verify(verifier, before)

    rotating.set_key(first, enabled=False)
    verifier.refresh()
    assert verify(verifier, rotating.token("machine"))
    assert code(verify, verifier, before) == ww.ErrorCode.UNKNOWN_KEY


@both_ways
def test_a_withdrawn_key_is_used_until_the_set_is_fetched_again(rotating: Realm, verify: Verify) -> None:
    verifier = ww.Verifier([rotating.as_issuer()], audience=API, monotonic=lambda: 1000.0)
    first = rotating.add_key("ecdsa-generated", 200, **EC)
    token = rotating.token("machine")
    verify(verifier, token)
    rotating.set_key(first, enabled=False)
    verify(verifier, token)
    assert verifier.stats()[rotating.issuer].fetches == 1
    assert code(verify, ww.Verifier([rotating.as_issuer()], audience=API), token) == ww.ErrorCode.UNKNOWN_KEY
