"""``watchword.issuers.keycloak`` with the server that it describes: access tokens pass, all other tokens do not."""

from __future__ import annotations

import pytest
from live_keycloak import API, SCOPE, USER, Keycloak, Realm
from live_verdicts import Verify, both_ways, code

import watchword as ww


def _issuer(realm: Realm) -> ww.Issuer:
    from watchword import issuers

    return issuers.keycloak(realm.server.base, realm.name, allow_loopback_http=True)


@pytest.fixture(scope="module", name="verifier")
def _verifier(realm: Realm) -> ww.Verifier:
    realm.token("machine-ES256")  # its key is there when the set is fetched
    return ww.Verifier([_issuer(realm)], audience=API)


def _for(client: str, realm: Realm) -> ww.Verifier:
    """An API that is called as a client of its tokens is, so that their audience does not tell them apart."""
    return ww.Verifier([_issuer(realm)], audience=client)


@both_ways
@pytest.mark.parametrize("client", ["machine-ES256", "rfc9068", "exchanging"])
def test_an_access_token_is_verified(realm: Realm, verifier: ww.Verifier, verify: Verify, client: str) -> None:
    assert SCOPE in verify(verifier, realm.token(client)).scopes
    users = verify(verifier, realm.login(client)["access_token"])
    assert SCOPE in users.scopes
    assert users.claims["preferred_username"] == USER


@both_ways
def test_an_access_token_without_scopes_is_verified(realm: Realm, verifier: ww.Verifier, verify: Verify) -> None:
    token = realm.token("no-scopes", scope="")
    verified = verify(verifier, token)
    assert verified.claims["scope"] == ""
    assert verified.scopes == ()


@both_ways
def test_an_id_token_is_rejected_even_if_its_audience_is_right(realm: Realm, verify: Verify) -> None:
    client = "machine-ES256"
    assert code(verify, _for(client, realm), realm.login(client)["id_token"]) == ww.ErrorCode.MISSING_CLAIM


@both_ways
def test_user_information_is_rejected_even_if_its_audience_is_right(realm: Realm, verify: Verify) -> None:
    token = realm.userinfo(realm.login("userinfo")["access_token"])
    assert code(verify, _for("userinfo", realm), token) == ww.ErrorCode.MISSING_CLAIM


@both_ways
def test_a_refresh_token_is_rejected(realm: Realm, verify: Verify) -> None:
    token = realm.login("machine-ES256")["refresh_token"]
    verdict = code(verify, _for(realm.issuer, realm), token)
    assert verdict == ww.ErrorCode.ALGORITHM_NOT_ALLOWED


@both_ways
def test_a_token_of_another_realm_is_rejected(keycloak: Keycloak, realm: Realm, verify: Verify) -> None:
    master = _issuer(Realm(keycloak, "master"))
    verifier = ww.Verifier([master], audience=API)
    assert code(verify, verifier, realm.token("machine-ES256")) in {
        ww.ErrorCode.UNKNOWN_KEY,
        ww.ErrorCode.WRONG_ISSUER,
    }
