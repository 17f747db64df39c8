"""One verifier with both servers as issuers: each token is verified with its own issuer's keys and no others."""

from __future__ import annotations

import httpx2
import pytest
from live_authgent import Agent, Authgent
from live_oidc_provider import OidcProvider, api
from live_verdicts import Verify, both_ways, code, with_claims, with_header

import watchword as ww

#: Both servers can issue tokens for it: nothing but the issuer tells them apart.
API = api("ES256")


@pytest.fixture(scope="module", name="agent")
def _agent(authgent: Authgent) -> Agent:
    return authgent.register("an agent", "read")


@pytest.fixture(scope="module", name="tokens")
def _tokens(authgent: Authgent, oidc_provider: OidcProvider, agent: Agent) -> tuple[str, str]:
    return authgent.token(agent, scope="read", resource=API), oidc_provider.token("ES256")


@pytest.fixture(name="issuers")
def _issuers(authgent: Authgent, oidc_provider: OidcProvider) -> tuple[ww.Issuer, ww.Issuer]:
    return (
        ww.Issuer(authgent.issuer, allow_loopback_http=True),
        ww.Issuer(oidc_provider.issuer, allow_loopback_http=True),
    )


@both_ways
def test_both_issuers_tokens_are_verified(
    authgent: Authgent,
    oidc_provider: OidcProvider,
    issuers: tuple[ww.Issuer, ww.Issuer],
    tokens: tuple[str, str],
    verify: Verify,
) -> None:
    verifier = ww.Verifier(issuers, audience=API)
    assert [verify(verifier, token).issuer for token in tokens] == [authgent.issuer, oidc_provider.issuer]


@both_ways
def test_a_token_of_an_issuer_that_is_not_configured_is_rejected(
    issuers: tuple[ww.Issuer, ww.Issuer], tokens: tuple[str, str], verify: Verify
) -> None:
    for issuer, foreign in zip(issuers, reversed(tokens), strict=True):
        # Neither fetches anything for it.
        for others in ([], [ww.Issuer("https://elsewhere.example")]):
            assert code(verify, ww.Verifier([issuer, *others], audience=API), foreign) == ww.ErrorCode.WRONG_ISSUER


@both_ways
def test_an_issuer_cannot_sign_for_another(
    authgent: Authgent,
    oidc_provider: OidcProvider,
    issuers: tuple[ww.Issuer, ww.Issuer],
    tokens: tuple[str, str],
    verify: Verify,
) -> None:
    verifier = ww.Verifier(issuers, audience=API)
    agents_token, machines_token = tokens
    # The claims name one issuer, the kid names a key of the other.
    assert code(verify, verifier, with_claims(agents_token, iss=oidc_provider.issuer)) == ww.ErrorCode.UNKNOWN_KEY
    assert code(verify, verifier, with_claims(machines_token, iss=authgent.issuer)) == ww.ErrorCode.UNKNOWN_KEY


@both_ways
def test_the_other_issuers_keys_do_not_make_a_token_the_others(
    authgent: Authgent, oidc_provider: OidcProvider, tokens: tuple[str, str], verify: Verify
) -> None:
    # Keys and name crossed over by mistake: every signature would hold, and no token is what it says.
    crossed = ww.Verifier(
        [
            ww.Issuer(authgent.issuer, jwks_uri=oidc_provider.jwks_uri, allow_loopback_http=True),
            ww.Issuer(oidc_provider.issuer, jwks_uri=authgent.jwks_uri, allow_loopback_http=True),
        ],
        audience=API,
    )
    for token in tokens:
        assert code(verify, crossed, token) == ww.ErrorCode.UNKNOWN_KEY


def test_the_kernel_alone_rejects_each_under_the_others_policy(
    authgent: Authgent, oidc_provider: OidcProvider, tokens: tuple[str, str]
) -> None:
    served = [(s.issuer, ww.KeySet.from_json(httpx2.get(s.jwks_uri).content)) for s in (authgent, oidc_provider)]
    for (own_name, own_keys), (other_name, other_keys), token in zip(served, reversed(served), tokens, strict=True):
        assert ww.verify(token, own_keys, ww.Policy(issuer=own_name, audience=API)).issuer == own_name
        with pytest.raises(ww.UnknownKeyError):
            ww.verify(token, other_keys, ww.Policy(issuer=other_name, audience=API))
        with pytest.raises(ww.WrongIssuerError):
            ww.verify(token, own_keys, ww.Policy(issuer=other_name, audience=API))


def test_each_issuer_has_its_own_audience_and_algorithms(
    authgent: Authgent, oidc_provider: OidcProvider, agent: Agent
) -> None:
    verifier = ww.Verifier(
        [
            ww.Issuer(authgent.issuer, audience=API, algorithms=("ES256",), allow_loopback_http=True),
            ww.Issuer(oidc_provider.issuer, audience=api("EdDSA"), algorithms=("EdDSA",), allow_loopback_http=True),
        ]
    )
    agents = {resource: authgent.token(agent, resource=resource) for resource in (API, api("EdDSA"))}
    tokens = [agents[API], oidc_provider.token("EdDSA"), agents[api("EdDSA")], oidc_provider.token("ES256")]
    assert verifier.verify_many(tokens).codes() == [
        None,
        None,
        ww.ErrorCode.WRONG_AUDIENCE,
        ww.ErrorCode.ALGORITHM_NOT_ALLOWED,
    ]


def test_many_tokens_of_both_are_verified_in_order(
    issuers: tuple[ww.Issuer, ww.Issuer], tokens: tuple[str, str], oidc_provider: OidcProvider
) -> None:
    verifier = ww.Verifier(issuers, audience=API)
    agents_token, machines_token = tokens
    results = verifier.verify_many(
        [
            machines_token,
            with_header(agents_token, alg="none"),
            agents_token,
            oidc_provider.token("RS256"),
            oidc_provider.opaque_token(),
            with_claims(agents_token, sub="client:other"),
            with_claims(agents_token, iss="https://elsewhere.example"),
            machines_token,
        ]
    )
    assert results.codes() == [
        None,
        ww.ErrorCode.ALGORITHM_NOT_ALLOWED,
        None,
        ww.ErrorCode.WRONG_AUDIENCE,
        ww.ErrorCode.MALFORMED_TOKEN,
        ww.ErrorCode.INVALID_SIGNATURE,
        ww.ErrorCode.WRONG_ISSUER,
        None,
    ]
    assert results.valid_count == 3
