"""The functions of ``watchword.issuers``: the settings they return, and what a caller may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mint
import pytest
from issuer_row import OMIT
from issuer_rows import ROWS

import watchword as ww
from watchword import issuers

TENANT = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"

MADE: dict[str, Callable[..., ww.Issuer]] = {
    "apple": issuers.apple,
    "auth0": lambda **settings: issuers.auth0("example.eu.auth0.com", **settings),
    "cognito": lambda **settings: issuers.cognito("eu-central-1", "eu-central-1_X", client_ids=["c"], **settings),
    "entra": lambda **settings: issuers.entra(TENANT, **settings),
    "entra, tenants": lambda **settings: issuers.entra(tenants=[TENANT], **settings),
    "entra_b2c": lambda **settings: issuers.entra_b2c("contoso.b2clogin.com", TENANT, "b2c_1_x", **settings),
    "github_actions": issuers.github_actions,
    "google": issuers.google,
    "keycloak": lambda **settings: issuers.keycloak("https://sso.example", "shop", **settings),
    "kubernetes": lambda **settings: issuers.kubernetes("https://cluster.example", **settings),
    "okta": lambda **settings: issuers.okta("example.okta.com", **settings),
    "spiffe": lambda **settings: issuers.spiffe("example.org", **{"jwks": mint.jwks("p256"), **settings}),
}
every = pytest.mark.parametrize("make", MADE.values(), ids=MADE)


def test_every_function_is_here() -> None:
    functions = {name for name in issuers.__all__ if name.islower()}
    assert functions == {name.partition(",")[0] for name in MADE}


@every
def test_it_is_an_issuer(make: Callable[..., ww.Issuer]) -> None:
    issuer = make()
    assert isinstance(issuer, ww.Issuer)
    assert issuer == make()
    assert "exp" in (issuer.required or ())
    # Nobody's policy is weaker for having been made here.
    assert issuer.audience is not ww.ANY_AUDIENCE
    assert (issuer.bound_tokens, issuer.leeway) == (None, None)


@every
def test_what_is_given_replaces_what_is_known(make: Callable[..., ww.Issuer]) -> None:
    issuer = make(
        types=("at+jwt",), algorithms=["ES256"], scope_claims=["roles"], leeway=1, max_token_bytes=9000,
        jwks=mint.jwks("p256"),
    )  # fmt: skip
    assert (issuer.types, issuer.algorithms, issuer.scope_claims) == (("at+jwt",), ("ES256",), ("roles",))
    assert (issuer.leeway, issuer.max_token_bytes, issuer.jwks_uri) == (1, 9000, None)
    assert not issuer.is_remote


@every
def test_what_is_required_besides_is_added(make: Callable[..., ww.Issuer]) -> None:
    known = make().required or ()
    assert make(required=["email", "exp"]).required == (*known, "email")
    assert make(required=[]).required == known
    with pytest.raises(TypeError, match="required"):
        make(required="email")


@every
def test_a_setting_that_there_is_not(make: Callable[..., ww.Issuer]) -> None:
    with pytest.raises(TypeError):
        make(audiences="x")


WRONG: dict[str, Callable[[], Any]] = {
    "auth0: a URL": lambda: issuers.auth0("https://example.eu.auth0.com/"),
    "auth0: a path": lambda: issuers.auth0("example.eu.auth0.com/x"),
    "auth0: upper case": lambda: issuers.auth0("Example.eu.auth0.com"),
    "auth0: user information": lambda: issuers.auth0("a@example.com"),
    "auth0: a label": lambda: issuers.auth0("localhost"),
    "auth0: a line end": lambda: issuers.auth0("example.com\n"),
    "okta: a URL": lambda: issuers.okta("https://example.okta.com"),
    "okta: the organization's own server": lambda: issuers.okta("example.okta.com", ""),
    "okta: a path": lambda: issuers.okta("example.okta.com", "../.."),
    "okta: dots": lambda: issuers.okta("example.okta.com", ".."),
    "entra: nothing": issuers.entra,
    "entra: both": lambda: issuers.entra(TENANT, tenants=[TENANT]),
    "entra: a domain name": lambda: issuers.entra("contoso.onmicrosoft.com"),
    "entra: common": lambda: issuers.entra("common"),
    "entra: organizations": lambda: issuers.entra(tenants=["organizations"]),
    "entra: no tenants": lambda: issuers.entra(tenants=[]),
    "entra: a version that there is not": lambda: issuers.entra(TENANT, version=3),  # type: ignore[arg-type]
    "entra: version 1 of another cloud": lambda: issuers.entra(
        TENANT, version=1, authority="https://login.microsoftonline.us"
    ),
    "entra_b2c: a name for the tenant": lambda: issuers.entra_b2c("c.b2clogin.com", "contoso", "b2c_1_x"),
    "entra_b2c: a path": lambda: issuers.entra_b2c("c.b2clogin.com", TENANT, "a/b"),
    "keycloak: no scheme": lambda: issuers.keycloak("sso.example", "shop"),
    "keycloak: http": lambda: issuers.keycloak("http://sso.example", "shop"),
    "keycloak: a path": lambda: issuers.keycloak("https://sso.example", "shop/x"),
    "cognito: a pool of another region": lambda: issuers.cognito("eu-west-1", "eu-central-1_X", client_ids=["c"]),
    "cognito: no region": lambda: issuers.cognito("eu-west-1.attacker.example/", "x_X", client_ids=["c"]),
    "cognito: no client": lambda: issuers.cognito("eu-west-1", "eu-west-1_X", client_ids=[]),
    "cognito: an empty client": lambda: issuers.cognito("eu-west-1", "eu-west-1_X", client_ids=[""]),
    "cognito: any audience": lambda: issuers.cognito(
        "eu-west-1", "eu-west-1_X", client_ids=["c"], audience=ww.ANY_AUDIENCE
    ),
    "github_actions: both": lambda: issuers.github_actions(enterprise="x", server="github.example"),
    "github_actions: a path": lambda: issuers.github_actions(enterprise="x/y"),
    "kubernetes: no URL": lambda: issuers.kubernetes("kubernetes/serviceaccount"),
    "spiffe: no bundle": lambda: issuers.spiffe("example.org"),
    "spiffe: a path": lambda: issuers.spiffe("example.org/ns", jwks=mint.jwks("p256")),
    "two places for keys": lambda: issuers.google(jwks=mint.jwks("rsa"), jwks_uri="https://keys.example"),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_invalid_arguments(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"\w{4}"):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: issuers.auth0(None),  # type: ignore[arg-type]
        lambda: issuers.okta("example.okta.com", None),  # type: ignore[arg-type]
        lambda: issuers.entra(7),  # type: ignore[arg-type]
        lambda: issuers.entra(tenants=TENANT),
        lambda: issuers.keycloak(b"https://sso.example", "shop"),  # type: ignore[arg-type]
        lambda: issuers.cognito("eu-west-1", "eu-west-1_X", client_ids="c"),
        lambda: issuers.spiffe(None),  # type: ignore[arg-type]
    ],
)
def test_arguments_of_another_type(make: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        (issuers.keycloak("https://sso.example/auth/", "shop"), "https://sso.example/auth/realms/shop"),
        (issuers.keycloak("http://localhost:8080", "x", allow_loopback_http=True), "http://localhost:8080/realms/x"),
        (issuers.okta("example.okta.com", "aus9"), "https://example.okta.com/oauth2/aus9"),
        (issuers.entra(TENANT.upper()), f"https://login.microsoftonline.com/{TENANT}/v2.0"),
        (
            issuers.entra(TENANT, authority="https://login.microsoftonline.us/"),
            f"https://login.microsoftonline.us/{TENANT}/v2.0",
        ),
        (issuers.github_actions(server="github.example"), "https://github.example/_services/token"),
        (
            issuers.github_actions(enterprise="octocat-inc"),
            "https://token.actions.githubusercontent.com/octocat-inc",
        ),
        (issuers.spiffe("spiffe://example.org", jwks=mint.jwks("p256")), "spiffe://example.org"),
        (
            issuers.cognito("cn-north-1", "cn-north-1_X", client_ids=["c"]),
            "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_X",
        ),
        (
            issuers.cognito("us-gov-west-1", "us-gov-west-1_X", client_ids=["c"]),
            "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_X",
        ),
    ],
)
def test_names_are_spelled_as_tokens_have_them(issuer: ww.Issuer, name: str) -> None:
    assert issuer.issuer == name


def test_cognito_needs_the_trusted_clients() -> None:
    issuer = issuers.cognito("eu-west-1", "eu-west-1_X", client_ids=("a", "b"), audience=["https://api.example"])
    assert (issuer.audience, issuer.audience_claim) == (("a", "b", "https://api.example"), "client_id")


def test_an_actor_of_duende_is_unknown_and_rejected_by_default() -> None:
    keys = ww.KeySet.from_json(mint.jwks("rsa"))
    claims = mint.claims(act={"client_id": "api1", "act": {"client_id": "api0"}}, scope=["api2"])
    raw = mint.token(claims, mint.header("rsa", "RS256", typ="at+jwt"), key="rsa", algorithm="RS256")
    chain = ww.verify(raw, keys, ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE), now=mint.NOW).delegation
    assert [actor.subject for actor in chain.actors] == [None, None]
    with pytest.raises(ww.ActorNotAllowedError):
        chain.check()
    chain.check(allow_unknown_actors=True)


def test_the_consumers_key_is_named_as_the_reason() -> None:
    # All claims of its token are right: only the key set restricts this key to personal accounts.
    row = ROWS["entra, any tenant"]
    (jwks,) = row.published.values()
    change = row.rejected["the consumers' key"]
    policy = ww.Policy(
        issuer="https://login.microsoftonline.com/{tid}/v2.0", tenants=ww.ANY_TENANT, audience=row.audience
    )
    raw = row.token(header=change.header, key=change.key or "")
    with pytest.raises(ww.WrongIssuerError) as caught:
        ww.verify(raw, ww.KeySet.from_json(jwks), policy, now=mint.NOW)
    assert "the key that signed the token signs for another issuer" in caught.value.detail
    results = ww.verify_many([raw, row.token()], ww.KeySet.from_json(jwks), policy, now=mint.NOW)
    assert [getattr(result, "code", None) for result in results] == [ww.ErrorCode.WRONG_ISSUER, None]


def test_zitadels_id_tokens_are_recognised_by_a_missing_claim() -> None:
    # They have the audience and the type of access tokens; docs/issuers.md has what to require.
    row = ROWS["zitadel"]
    (jwks,) = (document for document in row.published.values() if "keys" in document)
    policy = ww.Policy(issuer=row.issuer.issuer, audience=row.audience, required=("exp", "jti"))
    keys = ww.KeySet.from_json(jwks)
    assert ww.verify(row.token(), keys, policy, now=mint.NOW).subject == row.claims["sub"]
    with pytest.raises(ww.MissingClaimError):
        ww.verify(row.token({"jti": OMIT, "nonce": "n", "auth_time": mint.NOW}), keys, policy, now=mint.NOW)
