"""ID tokens: what OpenID Connect Core 1.0 section 3.1.3.7 requires, check by check, and the agent of a valid one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from authpi_tokens import ACCESS_TOKEN, CLIENT, ISSUER, ISSUING, ORGANIZATIONS_BY_ID, OTHER, tokens, verifier

import watchword as ww
from watchword.providers.authpi import (
    FOREIGN_CLAIMS,
    ConfigurationError,
    IdTokenVerifier,
    OAuthError,
    PrincipalType,
    SubjectMismatchError,
    TokenExpiredError,
    TokenParseError,
)

#: Both ways to an agent: with the signature, and with a connection that is trusted in its place.
WAYS: dict[str, Callable[..., Any]] = {
    "verified": lambda made, *rest, **more: made.create_agent(*rest, **more),
    "trusted channel": lambda made, *rest, **more: made.create_agent_from_trusted_channel(*rest, **more),
}
both_ways = pytest.mark.parametrize("way", WAYS)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
def test_an_agent_of_a_token_set(algorithm: str) -> None:
    given = tokens(ISSUING.mint(algorithm=algorithm, org_id="org_a"))
    agent = verifier().create_agent(given)
    assert (agent.id, agent.type, agent.email, agent.email_verified) == (
        "usr_1",
        PrincipalType.USER,
        "ada@example.com",
        True,
    )
    assert agent.org_id == "org_a"
    assert agent.tokens == given
    assert [one.id for one in agent.organizations] == ["org_a", "org_b"]
    assert agent.has_access_in("org_a", "write", "projects.tasks") is True
    assert agent.has_access_in("org_a", "write", "users") is False
    assert agent.is_owner_of("org_b") is True


@both_ways
def test_both_shapes_of_organizations_and_of_token_sets(way: str) -> None:
    by_list = WAYS[way](verifier(), tokens(ISSUING.mint()))
    given = tokens(ISSUING.mint(organizations=ORGANIZATIONS_BY_ID)).model_dump()
    by_id = WAYS[way](verifier(), given)
    assert by_id.organizations == by_list.organizations
    assert by_id.tokens.model_dump() == given


def test_waiting_without_blocking() -> None:
    agent = asyncio.run(verifier().create_agent_async(tokens(ISSUING.mint())))
    assert agent.id == "usr_1"
    with pytest.raises(TokenParseError):
        asyncio.run(verifier().create_agent_async(tokens(OTHER.mint())))


def test_the_token_itself() -> None:
    token = verifier().verify(ISSUING.mint(auth_time=int(time.time()), acr="urn:mfa"))
    assert isinstance(token, ww.VerifiedToken)
    assert token.subject == "usr_1"
    ww.require_authentication(token, acr_values=["urn:mfa"], max_age=60)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": "https://idp.authpi.example/iss_2"}, "wrong_issuer"),
        ({"iss": ISSUER + "/"}, "wrong_issuer"),
        ({"iss": None}, "missing_claim"),
        ({"sub": None}, "missing_claim"),
        ({"sub": ""}, "malformed_claims"),
        ({"sub": "ü"}, "malformed_claims"),
        ({"sub": "a" * 256}, "malformed_claims"),
        ({"sub": "agent_abc123"}, "wrong_type"),
        ({"sub": "client:agnt_1"}, "wrong_type"),
        ({"sub": ["usr_1"]}, "malformed_claims"),
        ({"aud": None}, "missing_claim"),
        ({"aud": "cli_2"}, "wrong_audience"),
        ({"aud": [CLIENT, "cli_2"], "azp": CLIENT}, "wrong_audience"),
        ({"aud": [CLIENT, CLIENT]}, "missing_claim"),
        ({"azp": "cli_2"}, "wrong_audience"),
        ({"azp": 5}, "wrong_audience"),
        ({"azp": [CLIENT]}, "wrong_audience"),
        ({"iat": None}, "missing_claim"),
        ({"exp": None}, "missing_claim"),
        ({"nbf": 4_000_000_000}, "not_yet_valid"),
        ({"cnf": {"jkt": "x" * 43}}, "dpop_proof_required"),
        ({"scope": "openid"}, "wrong_type"),
        ({"client_id": CLIENT}, "wrong_type"),
        ({"act": {"sub": "client:a"}}, "wrong_type"),
        ({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, "wrong_type"),
        ({"delegation_chain": []}, "wrong_type"),
        ({"vc": {}}, "wrong_type"),
    ],
)
def test_a_claim_that_is_not_what_it_must_be(claims: dict[str, Any], code: str) -> None:
    for create_agent in WAYS.values():
        with pytest.raises(TokenParseError) as caught:
            create_agent(verifier(), tokens(ISSUING.mint(claims)))
        assert isinstance(caught.value.__cause__, ww.VerificationError)
        assert caught.value.__cause__.code == code
        assert caught.value.error == "invalid_token"


@both_ways
@pytest.mark.parametrize("audience", [CLIENT, [CLIENT]])
def test_audiences_that_are_trusted(way: str, audience: Any) -> None:
    assert WAYS[way](verifier(), tokens(ISSUING.mint(aud=audience))).id == "usr_1"
    trusting = verifier(trusted_audiences=["cli_2"])
    assert WAYS[way](trusting, tokens(ISSUING.mint(aud=[CLIENT, "cli_2"], azp=CLIENT))).id == "usr_1"
    with pytest.raises(TokenParseError):
        WAYS[way](trusting, tokens(ISSUING.mint(aud=["cli_2"])))


@both_ways
def test_expired(way: str) -> None:
    now = int(time.time())
    old = tokens(ISSUING.mint(iat=now - 600, exp=now - 300))
    with pytest.raises(TokenExpiredError) as caught:
        WAYS[way](verifier(), old)
    assert caught.value.error == "token_expired"
    assert isinstance(caught.value.__cause__, ww.ExpiredError)
    assert WAYS[way](verifier(leeway=301), old).id == "usr_1"
    assert WAYS[way](verifier(), old, now=now - 400).id == "usr_1"
    assert WAYS[way](verifier(clock=lambda: now - 400), old).id == "usr_1"


@both_ways
def test_the_nonce_of_the_login(way: str) -> None:
    given = tokens(ISSUING.mint(nonce="n-1"))
    assert WAYS[way](verifier(), given, nonce="n-1").id == "usr_1"
    for spoilt in (given, tokens(ISSUING.mint()), tokens(ISSUING.mint(nonce=5)), tokens(ISSUING.mint(nonce="é"))):
        with pytest.raises(OAuthError) as caught:
            WAYS[way](verifier(), spoilt, nonce="n-2")
        assert (caught.value.error, type(caught.value)) == ("invalid_nonce", OAuthError)
    with pytest.raises(OAuthError, match="not that of this login"):
        WAYS[way](verifier(), given, nonce="\ud800")
    # The tokens of a session were checked when it began.
    assert WAYS[way](verifier(), given).id == "usr_1"


def half(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


@both_ways
@pytest.mark.parametrize(
    ("algorithm", "hashed"), [("EdDSA", hashlib.sha512), ("ES256", hashlib.sha256), ("RS256", hashlib.sha256)]
)
def test_the_hash_of_the_access_token(way: str, algorithm: str, hashed: Any) -> None:
    good = half(hashed(ACCESS_TOKEN.encode()).digest())
    assert WAYS[way](verifier(), tokens(ISSUING.mint(at_hash=good, algorithm=algorithm))).id == "usr_1"
    for bad in (half(hashed(b"another").digest()), "", good + "=", 5, "é"):
        with pytest.raises(TokenParseError, match="at_hash"):
            WAYS[way](verifier(), tokens(ISSUING.mint(at_hash=bad, algorithm=algorithm)))
    with pytest.raises(TokenParseError, match="at_hash"):
        WAYS[way](
            verifier(), tokens(ISSUING.mint(at_hash=good, algorithm=algorithm), access_token="somebody-else's-token")
        )


def test_the_example_of_the_hash_in_the_specification() -> None:
    # OpenID Connect Core 1.0, appendix A.3 and A.4: the access token and at_hash of one response (RS256).
    example = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    given = tokens(ISSUING.mint(at_hash="77QmUPtjPfzWtF2AnpK9RQ", algorithm="RS256"), access_token=example)
    assert verifier().create_agent(given).id == "usr_1"


@both_ways
def test_the_subject_from_before(way: str) -> None:
    assert WAYS[way](verifier(), tokens(ISSUING.mint()), expected_sub="usr_1").id == "usr_1"
    assert WAYS[way](verifier(), tokens(ISSUING.mint(), subject_hint="usr_1")).id == "usr_1"
    for spoilt in ({"expected_sub": "usr_2"}, {"subject_hint": "usr_2"}):
        given = tokens(ISSUING.mint(), subject_hint=spoilt.pop("subject_hint", None))
        with pytest.raises(SubjectMismatchError) as caught:
            WAYS[way](verifier(), given, **spoilt)
        assert (caught.value.expected_sub, caught.value.actual_sub) == ("usr_2", "usr_1")
        assert caught.value.error == "subject_mismatch"
        assert "usr_" not in str(caught.value)


@pytest.mark.parametrize("changes", [{}, {"refresh_token": "r"}, {"subject_hint": "usr_1"}, {"scope": "*:**"}])
def test_without_an_id_token_nothing_is_verified(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenParseError, match="no ID token"):
        verifier().create_agent(tokens(None, **changes))


def test_a_signature_by_an_unknown_key() -> None:
    forged = tokens(OTHER.mint(organizations=[{"id": "org_a", "scopes": ["*:**", "owner"]}]))
    with pytest.raises(TokenParseError):
        verifier().create_agent(forged)
    # Which is why the other function has a name of its own.
    assert verifier().create_agent_from_trusted_channel(forged).is_owner_of("org_a") is True


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "XX999"])
def test_a_trusted_channel_replaces_the_signature_only(algorithm: str) -> None:
    head, payload, _ = ISSUING.mint(header={"alg": algorithm}).split(".")
    for given in (tokens(f"{head}.{payload}."), tokens(f"{head}.{payload}.AAAA")):
        assert verifier().create_agent_from_trusted_channel(given).id == "usr_1"
        with pytest.raises(TokenParseError):
            verifier().create_agent(given)


def test_a_trusted_channel_and_token_sets_without_an_id_token() -> None:
    made = verifier()
    client = made.create_agent_from_trusted_channel(tokens(None, scope="users:read"))
    assert (client.id, client.has_access("read", "users")) == (CLIENT, True)
    agent = IdTokenVerifier(ISSUER, "agt_1", jwks=ISSUING.jwks()).create_agent_from_trusted_channel(tokens(None))
    assert agent.type is PrincipalType.AGENT
    renewed = made.create_agent_from_trusted_channel(tokens(None, subject_hint="usr_1", refresh_token="r"))
    assert (renewed.id, renewed.organizations) == ("usr_1", [])
    with pytest.raises(TokenParseError):
        made.create_agent_from_trusted_channel(tokens(None, refresh_token="r"))
    with pytest.raises(SubjectMismatchError):
        made.create_agent_from_trusted_channel(tokens(None), expected_sub="usr_1")


def test_a_token_cache_keeps_what_was_verified_and_no_more() -> None:
    cache = ww.TokenCache(max_bytes=1 << 20)
    now = int(time.time())
    remembering = verifier(token_cache=cache, clock=lambda: now)
    given = tokens(ISSUING.mint(nonce="n-1"))
    first = remembering.create_agent(given)
    assert remembering.create_agent(given, nonce="n-1") == first
    assert cache.stats().hits == 1
    with pytest.raises(OAuthError, match="not that of this login"):
        remembering.create_agent(given, nonce="n-2")
    with pytest.raises(TokenExpiredError):
        remembering.create_agent(given, now=now + 600)
    with pytest.raises(ConfigurationError, match="TokenCache"):
        verifier(token_cache={})


def test_keys_are_discovered_followed_and_may_be_unavailable() -> None:
    with ISSUING.serve() as served:
        made = IdTokenVerifier(served.issuer, CLIENT, allow_loopback_http=True)
        with made:
            with served.outage(), pytest.raises(OAuthError) as caught:
                made.create_agent(tokens(ISSUING.mint(iss=served.issuer)))
            assert (caught.value.error, type(caught.value)) == ("temporarily_unavailable", OAuthError)
        with IdTokenVerifier(served.issuer + "/", CLIENT, allow_loopback_http=True) as made:
            made.refresh()
            assert made.create_agent(tokens(ISSUING.mint(iss=served.issuer))).id == "usr_1"

            async def ask() -> str:
                async with IdTokenVerifier(
                    served.issuer, CLIENT, jwks_uri=served.jwks_uri, allow_loopback_http=True
                ) as m:
                    return (await m.create_agent_async(tokens(ISSUING.mint(iss=served.issuer)))).id

            assert asyncio.run(ask()) == "usr_1"
        assert "/jwks.json" in served.requests


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("", CLIENT), {}),
        (("  ", CLIENT), {}),
        ((None, CLIENT), {}),
        ((ISSUER, ""), {}),
        ((ISSUER, " "), {}),
        ((ISSUER, None), {}),
        (("http://idp.example", CLIENT), {}),
        (("no url", CLIENT), {}),
        ((ISSUER, CLIENT), {"jwks": {"keys": []}}),
        ((ISSUER, CLIENT), {"jwks": "not JSON"}),
        ((ISSUER, CLIENT), {"jwks": {"keys": []}, "pem": "x"}),
        ((ISSUER, CLIENT), {"algorithms": ["HS256"]}),
        ((ISSUER, CLIENT), {"algorithms": "ES256"}),
        ((ISSUER, CLIENT), {"trusted_audiences": "cli_2"}),
        ((ISSUER, CLIENT), {"subject_prefixes": "usr_"}),
        ((ISSUER, CLIENT), {"foreign_claims": "scope"}),
        ((ISSUER, CLIENT), {"foreign_claims": None}),
        ((ISSUER, CLIENT), {"foreign_claims": [5]}),
        ((ISSUER, CLIENT), {"foreign_claims": ["scope", "sub"]}),
        ((ISSUER, CLIENT), {"leeway": -1}),
    ],
)
def test_invalid_settings(arguments: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        IdTokenVerifier(*arguments, **options)
    assert isinstance(caught.value, ValueError)
    assert not isinstance(caught.value, OAuthError)


@both_ways
def test_subjects_of_another_form(way: str) -> None:
    given = tokens(ISSUING.mint(sub="ada"))
    assert WAYS[way](verifier(subject_prefixes=None), given).type is PrincipalType.USER
    assert WAYS[way](verifier(subject_prefixes=["ada", "bob"]), given).id == "ada"
    with pytest.raises(TokenParseError):
        WAYS[way](verifier(subject_prefixes=["usr_"]), tokens(ISSUING.mint(sub="key_1")))


def test_a_restricted_list_of_algorithms() -> None:
    made = verifier(algorithms=["ES256"])
    assert made.create_agent(tokens(ISSUING.mint(algorithm="ES256"))).id == "usr_1"
    with pytest.raises(TokenParseError):
        made.create_agent(tokens(ISSUING.mint(algorithm="EdDSA")))
    assert repr(made) == f"IdTokenVerifier({ISSUER!r}, {CLIENT!r})"


@both_ways
@pytest.mark.parametrize("claim", [name for name in FOREIGN_CLAIMS if name != "cnf"])
def test_which_claims_are_foreign_is_a_setting(way: str, claim: str) -> None:
    given = tokens(ISSUING.mint(**{claim: "x" if claim in ("scope", "client_id", "txn") else {"sub": "client:a"}}))
    with pytest.raises(TokenParseError, match=f'it has the claim "{claim}"'):
        WAYS[way](verifier(), given)
    others = [name for name in FOREIGN_CLAIMS if name != claim]
    assert WAYS[way](verifier(foreign_claims=others), given).id == "usr_1"
    with pytest.raises(TokenParseError, match='it has the claim "organizations"'):
        WAYS[way](verifier(foreign_claims=["organizations"]), tokens(ISSUING.mint()))


@both_ways
def test_a_bound_token_is_no_id_token_whatever_is_foreign(way: str) -> None:
    given = tokens(ISSUING.mint(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}))
    for foreign in (FOREIGN_CLAIMS, ()):
        with pytest.raises(TokenParseError):
            WAYS[way](verifier(foreign_claims=foreign), given)


def test_which_claims_are_foreign_counts_in_an_event_loop_too() -> None:
    given = tokens(ISSUING.mint(client_id=CLIENT))
    with pytest.raises(TokenParseError, match="client_id"):
        asyncio.run(verifier().create_agent_async(given))
    assert asyncio.run(verifier(foreign_claims=()).create_agent_async(given)).id == "usr_1"
