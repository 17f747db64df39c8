"""Tokens of Keycloak: access tokens in every algorithm, and the other tokens that it signs with the same keys."""

from __future__ import annotations

import http.server
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import parse_qs

import pytest
from live_keycloak import ALGORITHMS, API, LIFETIME, REJECTED, SCOPE, USER, Keycloak, Realm, key_provider
from live_verdicts import Verify, both_ways, code, each_tampering, header_of, lifetime, peer_claims

import watchword as ww

each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)


@pytest.fixture(scope="module", name="tokens")
def _tokens(realm: Realm) -> dict[str, str]:
    return {algorithm: realm.token(f"machine-{algorithm}") for algorithm in (*ALGORITHMS, *REJECTED)}


# After the tokens, so that all keys are there when the set is fetched: Keycloak makes the key of an algorithm when it
# first signs with it.
@pytest.fixture(scope="module", name="verifier")
def _verifier(realm: Realm, tokens: dict[str, str]) -> ww.Verifier:
    return ww.Verifier([realm.as_issuer()], audience=API)


@both_ways
@each_algorithm
def test_a_service_accounts_token_is_verified_through_discovery(
    realm: Realm, tokens: dict[str, str], verifier: ww.Verifier, verify: Verify, algorithm: str
) -> None:
    client = f"machine-{algorithm}"
    token = tokens[algorithm]
    verified = verify(verifier, token)
    assert verified.header == header_of(token)
    assert set(verified.header) == {"alg", "typ", "kid"}
    assert verified.header["typ"] == "JWT"
    assert verified.algorithm == algorithm
    assert verified.key_id == header_of(token)["kid"]
    assert verified.issuer == realm.issuer
    # The id of the service account; the client is named by azp and client_id.
    assert verified.subject is not None
    assert verified.subject != client
    assert verified.claims["azp"] == verified.claims["client_id"] == client
    assert verified.claims["typ"] == "Bearer"
    assert set(verified.audience) == {API, "account"}
    assert SCOPE in verified.scopes
    assert "default-roles-tests" in verified.claims["realm_access"]["roles"]
    assert lifetime(verified) == LIFETIME
    assert verified.confirmation is None


@each_algorithm
def test_the_claims_are_those_that_a_peer_reads(
    realm: Realm, tokens: dict[str, str], verifier: ww.Verifier, algorithm: str
) -> None:
    token = tokens[algorithm]
    assert verifier.verify(token).claims == peer_claims(token, realm.jwks_uri, API)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256", "PS256"])
@each_tampering
def test_a_tampered_token_is_rejected(
    tokens: dict[str, str], verifier: ww.Verifier, algorithm: str, tamper: object, verdict: ww.ErrorCode
) -> None:
    assert callable(tamper)
    with pytest.raises(ww.VerificationError) as caught:
        verifier.verify(tamper(tokens[algorithm]))
    assert caught.value.code == verdict


@both_ways
@pytest.mark.parametrize("algorithm", REJECTED)
def test_an_algorithm_that_is_not_verified_is_rejected(
    tokens: dict[str, str], verifier: ww.Verifier, verify: Verify, algorithm: str
) -> None:
    assert code(verify, verifier, tokens[algorithm]) == ww.ErrorCode.ALGORITHM_NOT_ALLOWED


def test_keys_that_cannot_be_used_do_not_take_the_others_with_them(realm: Realm, verifier: ww.Verifier) -> None:
    # One key for each algorithm, and one for encryption, all in one set.
    published = realm.server.http.get(realm.jwks_uri)
    keys = ww.KeySet.from_json(published.content)
    algorithms = [key["alg"] for key in published.json()["keys"]]
    assert {algorithms[rejected.index]: rejected.reason for rejected in keys.rejected} == {
        "RSA-OAEP": "not_for_signatures",
        "ES512": "unsupported_curve",
    }
    # The keys of HS256 and its like are not published.
    assert len(keys) == len(ALGORITHMS)


@both_ways
def test_a_client_may_ask_for_the_type_of_access_tokens(realm: Realm, verifier: ww.Verifier, verify: Verify) -> None:
    # RFC 9068 section 2.1: a setting of the client. With it, an API need not tell tokens apart by their audience.
    strict = ww.Verifier([realm.as_issuer()], audience=API, types=("at+jwt",))
    token = realm.token("rfc9068")
    assert header_of(token)["typ"] == "at+jwt"
    assert verify(verifier, token).subject == verify(strict, token).subject
    assert code(verify, strict, realm.token("machine-RS256")) == ww.ErrorCode.WRONG_TYPE


@both_ways
def test_a_users_token_is_verified(realm: Realm, verifier: ww.Verifier, verify: Verify) -> None:
    verified = verify(verifier, realm.login("machine-ES256")["access_token"])
    assert verified.claims["preferred_username"] == USER
    assert {"openid", "profile", "email", SCOPE} == set(verified.scopes)
    assert "default-roles-tests" in verified.claims["realm_access"]["roles"]
    assert "sid" in verified.claims


@both_ways
def test_an_id_token_is_no_access_token(realm: Realm, verifier: ww.Verifier, verify: Verify) -> None:
    # Signed by the same key, and of the same type (JWT): the audience tells them apart, or the client's setting does.
    token = realm.login("rfc9068")["id_token"]
    assert header_of(token)["typ"] == "JWT"
    assert code(verify, verifier, token) == ww.ErrorCode.WRONG_AUDIENCE
    client = ww.Verifier([realm.as_issuer()], audience="rfc9068")
    assert verify(client, token).claims["typ"] == "ID"
    access_tokens_only = ww.Verifier([realm.as_issuer()], audience="rfc9068", types=("at+jwt",))
    assert code(verify, access_tokens_only, token) == ww.ErrorCode.WRONG_TYPE


@both_ways
def test_a_refresh_token_is_no_access_token(realm: Realm, verify: Verify) -> None:
    # Its audience is the realm itself, its key (HS512) is never published.
    token = realm.login("machine-RS256")["refresh_token"]
    assert header_of(token)["alg"] == "HS512"
    anybody = ww.Verifier([realm.as_issuer()], audience=ww.ANY_AUDIENCE)
    assert code(verify, anybody, token) == ww.ErrorCode.ALGORITHM_NOT_ALLOWED


@both_ways
def test_a_logout_token_is_no_access_token(realm: Realm, verify: Verify, request: pytest.FixtureRequest) -> None:
    with _logout_tokens() as (address, tokens):
        client = f"logout-{request.node.callspec.id}"
        realm.add_client(client, {"backchannel.logout.url": address, "backchannel.logout.session.required": "true"})
        realm.login(client)
        realm.logout()
        token = tokens.get(timeout=30)
    assert header_of(token)["typ"] == "logout+jwt"
    verifier = ww.Verifier([realm.as_issuer()], audience=client)
    assert code(verify, verifier, token) == ww.ErrorCode.WRONG_TYPE
    for_logout = ww.Verifier([realm.as_issuer()], audience=client, types=("logout+jwt",))
    assert "http://schemas.openid.net/event/backchannel-logout" in verify(for_logout, token).claims["events"]


@both_ways
def test_signed_user_information_is_no_access_token(realm: Realm, verifier: ww.Verifier, verify: Verify) -> None:
    # Signed by the same key, of the same type, for the client; but it never ends.
    token = realm.userinfo(realm.login("userinfo")["access_token"])
    assert header_of(token)["typ"] == "JWT"
    client = ww.Verifier([realm.as_issuer()], audience="userinfo")
    assert code(verify, client, token) == ww.ErrorCode.MISSING_CLAIM
    assert code(verify, verifier, token) == ww.ErrorCode.WRONG_AUDIENCE


def test_a_user_with_very_many_roles_needs_a_larger_limit(keycloak: Keycloak) -> None:
    realm = keycloak.realm("roles", [key_provider("eddsa-generated", 100), key_provider("hmac-generated", 100)])
    realm.add_client("web", {"access.token.signed.response.alg": "EdDSA"})
    # A few with long names instead of hundreds: Keycloak is slow to create them.
    realm.give_roles(*(f"{'department-' * 20}{number}" for number in range(100)))
    token = realm.login("web")["access_token"]
    keys = ww.KeySet.from_json(keycloak.http.get(realm.jwks_uri).content)
    with pytest.raises(ww.TooLargeError):
        ww.verify(token, keys, ww.Policy(issuer=realm.issuer, audience=API))
    larger = ww.Policy(issuer=realm.issuer, audience=API, max_token_bytes=64 * 1024)
    assert len(ww.verify(token, keys, larger).claims["realm_access"]["roles"]) > 100


@both_ways
@pytest.mark.parametrize(
    ("client", "verdict"),
    [
        # Keycloak's defaults: what a client has roles of is an audience, and it has roles of "account".
        ("roles-only", ww.ErrorCode.WRONG_AUDIENCE),
        ("no-audience", ww.ErrorCode.MISSING_CLAIM),
    ],
)
def test_a_token_that_is_not_for_this_api_is_rejected(
    realm: Realm, verifier: ww.Verifier, verify: Verify, client: str, verdict: ww.ErrorCode
) -> None:
    assert code(verify, verifier, realm.token(client)) == verdict


@both_ways
def test_a_lightweight_token_has_what_a_policy_asks_for_but_an_audience_and_a_users_name(
    realm: Realm, verifier: ww.Verifier, verify: Verify
) -> None:
    token = realm.login("lightweight")["access_token"]
    assert code(verify, verifier, token) == ww.ErrorCode.MISSING_CLAIM
    anybody = ww.Verifier([realm.as_issuer()], audience=ww.ANY_AUDIENCE)
    verified = verify(anybody, token)
    assert verified.subject is None
    assert verified.audience == ()
    assert verified.claims["azp"] == "lightweight"
    assert SCOPE in verified.scopes


@both_ways
def test_an_exchanged_token_names_its_client_and_no_actor(realm: Realm, verifier: ww.Verifier, verify: Verify) -> None:
    users = realm.login("exchangeable")["access_token"]
    assert code(verify, verifier, users) == ww.ErrorCode.WRONG_AUDIENCE
    verified = verify(verifier, realm.exchange("exchanging", users))
    assert verified.claims["azp"] == "exchanging"
    assert verified.claims["preferred_username"] == USER
    assert verified.delegation.depth == 0


@both_ways
def test_a_token_has_its_time(realm: Realm, tokens: dict[str, str], verifier: ww.Verifier, verify: Verify) -> None:
    token = tokens["ES256"]
    verified = verify(verifier, token)
    assert verified.expires_at is not None
    assert verified.issued_at is not None
    for moment, verdict in (
        (verified.expires_at + 5, ww.ErrorCode.EXPIRED),
        (verified.issued_at - 6, ww.ErrorCode.ISSUED_IN_FUTURE),
    ):
        then = ww.Verifier([realm.as_issuer()], audience=API, clock=partial(float, moment))
        assert code(verify, then, token) == verdict


@both_ways
def test_realms_of_one_server_are_issuers_of_their_own(
    keycloak: Keycloak, realm: Realm, tokens: dict[str, str], verify: Verify
) -> None:
    token = tokens["RS256"]
    master = ww.Issuer(f"{keycloak.base}/realms/master", allow_loopback_http=True)
    assert code(verify, ww.Verifier([master], audience=API), token) in {
        ww.ErrorCode.UNKNOWN_KEY,
        ww.ErrorCode.WRONG_ISSUER,
    }
    assert verify(ww.Verifier([master, realm.as_issuer()], audience=API), token).issuer == realm.issuer
    crossed = ww.Issuer(master.issuer, jwks_uri=realm.jwks_uri, allow_loopback_http=True)
    assert code(verify, ww.Verifier([crossed], audience=API), token) == ww.ErrorCode.WRONG_ISSUER


@both_ways
def test_the_issuers_name_is_compared_exactly(realm: Realm, tokens: dict[str, str], verify: Verify) -> None:
    token = tokens["RS256"]
    for spelling in (realm.issuer + "/", realm.issuer.replace("127.0.0.1", "localhost")):
        issuer = ww.Issuer(spelling, jwks_uri=realm.jwks_uri, allow_loopback_http=True)
        assert code(verify, ww.Verifier([issuer], audience=API), token) == ww.ErrorCode.WRONG_ISSUER


@contextmanager
def _logout_tokens() -> Iterator[tuple[str, queue.Queue[str]]]:
    """An endpoint for logout tokens (OpenID Connect Back-Channel Logout section 2.5), and those received."""
    tokens: queue.Queue[str] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(200)
            self.end_headers()
            tokens.put(parse_qs(body)["logout_token"][0])

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/", tokens
        finally:
            server.shutdown()
            serving.join()
