"""Tokens of authgent-server: ES256, ``typ`` JWT, found through the server's own metadata."""

from __future__ import annotations

import httpx2
import pytest
from live_authgent import TRANSACTION_TOKEN, Agent, Authgent
from live_dpop import Holder
from live_verdicts import Verify, both_ways, code, each_tampering, header_of, lifetime, peer_claims

import watchword as ww

API = "https://api.example"
DOWNSTREAM = "https://downstream.example"


@pytest.fixture(scope="module", name="agent")
def _agent(authgent: Authgent) -> Agent:
    return authgent.register("first agent", "read", "write")


@pytest.fixture(scope="module", name="token")
def _token(authgent: Authgent, agent: Agent) -> str:
    return authgent.token(agent, scope="read write", resource=API)


@pytest.fixture(name="issuer")
def _issuer(authgent: Authgent) -> ww.Issuer:
    return ww.Issuer(authgent.issuer, allow_loopback_http=True)


@pytest.fixture(name="verifier")
def _verifier(issuer: ww.Issuer) -> ww.Verifier:
    return ww.Verifier([issuer], audience=API)


@both_ways
def test_a_token_is_verified_through_discovery(
    authgent: Authgent, agent: Agent, token: str, verifier: ww.Verifier, verify: Verify
) -> None:
    verified = verify(verifier, token)
    assert verified.issuer == authgent.issuer
    assert verified.subject == f"client:{agent.client_id}"
    assert verified.audience == (API,)
    assert verified.scopes == ("read", "write")
    assert verified.algorithm == "ES256"
    assert verified.key_id == header_of(token)["kid"]
    assert verified.token_id is not None
    assert verified.token_id.startswith("tok_")
    assert lifetime(verified) == 900
    assert verified.confirmation is None


@both_ways
def test_a_token_is_verified_with_the_address_of_the_keys(
    authgent: Authgent, agent: Agent, token: str, verify: Verify
) -> None:
    issuer = ww.Issuer(authgent.issuer, jwks_uri=authgent.jwks_uri, allow_loopback_http=True)
    assert verify(ww.Verifier([issuer], audience=API), token).subject == f"client:{agent.client_id}"


def test_the_claims_are_those_that_a_peer_reads(authgent: Authgent, token: str, verifier: ww.Verifier) -> None:
    verified = verifier.verify(token)
    assert verified.claims == peer_claims(token, authgent.jwks_uri, API)
    assert verified.header == header_of(token)


def test_the_kernel_verifies_with_the_servers_keys(authgent: Authgent, token: str) -> None:
    keys = ww.KeySet.from_json(httpx2.get(authgent.jwks_uri, trust_env=False).content)
    assert not keys.rejected
    policy = ww.Policy(issuer=authgent.issuer, audience=API)
    verified = ww.verify(token, keys, policy)
    assert verified.expires_at is not None
    assert verified.issued_at is not None
    with pytest.raises(ww.ExpiredError):
        ww.verify(token, keys, policy, now=verified.expires_at + 5)
    with pytest.raises(ww.IssuedInFutureError):
        ww.verify(token, keys, policy, now=verified.issued_at - 6)


@both_ways
@each_tampering
def test_a_tampered_token_is_rejected(
    token: str, verifier: ww.Verifier, verify: Verify, tamper: object, verdict: ww.ErrorCode
) -> None:
    assert callable(tamper)
    assert code(verify, verifier, tamper(token)) == verdict


@both_ways
def test_a_token_for_another_audience_is_rejected(
    authgent: Authgent, agent: Agent, verifier: ww.Verifier, verify: Verify
) -> None:
    # Without a resource the token is meant for the server itself.
    for token in (authgent.token(agent), authgent.token(agent, resource=DOWNSTREAM)):
        assert code(verify, verifier, token) == ww.ErrorCode.WRONG_AUDIENCE


@both_ways
def test_a_token_with_an_audience_is_rejected_if_none_is_expected(
    issuer: ww.Issuer, token: str, verify: Verify
) -> None:
    assert code(verify, ww.Verifier([issuer]), token) == ww.ErrorCode.WRONG_AUDIENCE


@both_ways
def test_a_token_is_rejected_if_its_issuer_is_spelt_otherwise(authgent: Authgent, token: str, verify: Verify) -> None:
    for spelling in (authgent.issuer + "/", authgent.issuer.replace("127.0.0.1", "localhost")):
        issuer = ww.Issuer(spelling, jwks_uri=authgent.jwks_uri, allow_loopback_http=True)
        assert code(verify, ww.Verifier([issuer], audience=API), token) == ww.ErrorCode.WRONG_ISSUER


def test_metadata_that_names_another_issuer_is_not_believed(authgent: Authgent) -> None:
    # The server answers under this name too, and says that it is 127.0.0.1 (RFC 8414 section 3.3: exactly the same).
    issuer = ww.Issuer(authgent.issuer.replace("127.0.0.1", "localhost"), allow_loopback_http=True)
    with pytest.raises(ww.KeysUnavailableError):
        ww.Verifier([issuer], audience=API).refresh()


@both_ways
def test_an_exchanged_token_tells_who_acts(authgent: Authgent, agent: Agent, issuer: ww.Issuer, verify: Verify) -> None:
    second = authgent.register("second agent", "read")
    third = authgent.register("third agent", "read")
    first_token = authgent.token(agent, scope="read", resource=API)
    second_token = authgent.exchange(second, first_token, audience=DOWNSTREAM, scope="read")
    third_token = authgent.exchange(third, second_token, audience=DOWNSTREAM, scope="read")

    verifier = ww.Verifier([issuer], audience=DOWNSTREAM)
    verified = verify(verifier, third_token)
    assert verified.subject == f"client:{agent.client_id}"
    assert verified.claims["act"] == {
        "sub": f"client:{third.client_id}",
        "act": {"sub": f"client:{second.client_id}"},
    }
    assert verified.claims == peer_claims(third_token, authgent.jwks_uri, DOWNSTREAM)
    assert verify(verifier, second_token).claims["act"] == {"sub": f"client:{second.client_id}"}


@both_ways
def test_a_bound_token_is_no_bearer_token(authgent: Authgent, agent: Agent, issuer: ww.Issuer, verify: Verify) -> None:
    holder = Holder()
    token = authgent.token(agent, scope="read", resource=API, holder=holder)
    assert code(verify, ww.Verifier([issuer], audience=API), token) == ww.ErrorCode.DPOP_PROOF_REQUIRED

    accepting = ww.Verifier([issuer], audience=API, bound_tokens="accept")
    verified = verify(accepting, token)
    assert verified.confirmation is not None
    assert verified.confirmation.jkt == holder.thumbprint == ww.thumbprint(holder.jwk)


@both_ways
def test_a_proof_is_no_access_token(authgent: Authgent, verifier: ww.Verifier, verify: Verify) -> None:
    proof = Holder().proof("GET", API)
    assert code(verify, verifier, proof) in {ww.ErrorCode.WRONG_TYPE, ww.ErrorCode.WRONG_ISSUER}


@both_ways
def test_a_transaction_token_is_no_access_token(
    authgent: Authgent, agent: Agent, issuer: ww.Issuer, verify: Verify
) -> None:
    access_token = authgent.token(agent, scope="read", resource=API)
    token = authgent.exchange(agent, access_token, audience=API, scope="read", requested=TRANSACTION_TOKEN)
    assert header_of(token)["typ"] == "txntoken+jwt"
    assert code(verify, ww.Verifier([issuer], audience=API), token) == ww.ErrorCode.WRONG_TYPE

    for_transactions = ww.Verifier([issuer], audience=API, types=("txntoken+jwt",))
    assert verify(for_transactions, token).claims["req_wl"] == f"client:{agent.client_id}"
    assert code(verify, for_transactions, access_token) == ww.ErrorCode.WRONG_TYPE


@both_ways
def test_an_algorithm_outside_the_issuers_is_rejected(authgent: Authgent, token: str, verify: Verify) -> None:
    issuer = ww.Issuer(authgent.issuer, algorithms=("RS256", "EdDSA"), allow_loopback_http=True)
    assert code(verify, ww.Verifier([issuer], audience=API), token) == ww.ErrorCode.ALGORITHM_NOT_ALLOWED


@both_ways
def test_a_rotated_key_is_found_at_the_first_try(
    authgent: Authgent, agent: Agent, issuer: ww.Issuer, verify: Verify
) -> None:
    verifier = ww.Verifier([issuer], audience=API, monotonic=lambda: 1000.0)
    before = authgent.token(agent, scope="read", resource=API)
    assert verify(verifier, before).key_id == header_of(before)["kid"]

    authgent.rotate_keys()
    after = authgent.token(agent, scope="read", resource=API)
    assert header_of(after)["kid"] != header_of(before)["kid"]
    # Although the keys were fetched only just.
    assert verify(verifier, after).key_id == header_of(after)["kid"]
    assert verify(verifier, before).key_id == header_of(before)["kid"]
    assert verifier.stats()[authgent.issuer].fetches == 2
