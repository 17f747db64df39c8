"""Auth0, Okta, Keycloak, Google, Cognito and Apple: tokens of users and of their applications."""

from __future__ import annotations

import mint
from issuer_row import API, OMIT, Change, Row, changed, discovered, rsa_key, times

from watchword import ErrorCode, issuers

C = ErrorCode

ROWS: dict[str, Row] = {}

# https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles, /docs/secure/tokens/json-web-tokens
_AUTH0 = "https://example.eu.auth0.com/"
_AUTH0_KEYS = {
    f"{_AUTH0}.well-known/jwks.json": {
        "keys": [
            rsa_key(
                "NTY2MjBCNzQ1RTLPQzk3NzczRRTMQ0E4NTE4", x5t="NTY2MjBCNzQ1RTLPQzk3NzczRRTMQ0E4NTE4", x5c=["MIIDCzCC"]
            ),
            rsa_key("next", "rsa-b", x5t="next", x5c=["MIIDCzCC"]),
        ]
    }
}
_AUTH0_HEADER = {"alg": "RS256", "typ": "JWT", "kid": "NTY2MjBCNzQ1RTLPQzk3NzczRRTMQ0E4NTE4"}
_AUTH0_CLAIMS = {
    "iss": _AUTH0,
    "sub": "auth0|123456",
    "aud": [API, f"{_AUTH0}userinfo"],
    "azp": "my_client_id",
    **times(),
    "scope": "openid profile read:patients",
    "permissions": ["read:patients", "read:admin"],
}
_AUTH0_ID_TOKEN = {
    "aud": "my_client_id", "azp": OMIT, "scope": OMIT, "permissions": OMIT, "nonce": "n", "name": "Ada",
}  # fmt: skip

ROWS["auth0"] = Row(
    issuers.auth0("example.eu.auth0.com"),
    _AUTH0_KEYS,
    _AUTH0_HEADER,
    _AUTH0_CLAIMS,
    scopes=("openid", "profile", "read:patients"),
    rejected={
        "ID token": Change(C.WRONG_AUDIENCE, _AUTH0_ID_TOKEN),
        "another tenant": Change(C.WRONG_ISSUER, {"iss": "https://other.eu.auth0.com/"}),
        "without the final slash": Change(C.WRONG_ISSUER, {"iss": _AUTH0.rstrip("/")}),
        "HS256 with the client's secret": Change(C.ALGORITHM_NOT_ALLOWED, header={"alg": "HS256"}),
        "a logout token": Change(C.WRONG_TYPE, header={"typ": "logout+jwt"}),
    },
)
ROWS["auth0 with RFC 9068"] = Row(
    issuers.auth0("example.eu.auth0.com", rfc9068=True, scope_claims=("permissions",)),
    _AUTH0_KEYS,
    {**_AUTH0_HEADER, "typ": "at+jwt"},
    {**changed(_AUTH0_CLAIMS, {"azp": OMIT}), "client_id": "my_client_id", "jti": "73WakrfVbNJBaAmhQtEeDv"},
    scopes=("read:patients", "read:admin"),
    rejected={
        "ID token for an API of the client's name": Change(
            C.WRONG_TYPE, {**_AUTH0_ID_TOKEN, "aud": API}, {"typ": "JWT"}
        ),
        "without client_id": Change(C.MISSING_CLAIM, {"client_id": OMIT}),
    },
)

# https://developer.okta.com/docs/guides/validate-access-tokens/, /docs/reference/api/oidc/#access-token
_OKTA = "https://example.okta.com/oauth2/default"
ROWS["okta"] = Row(
    issuers.okta("example.okta.com"),
    discovered(_OKTA, f"{_OKTA}/v1/keys", rsa_key("RQ8DuhdxCczyMvy7GNJb4Ka3lQ99vrSo3oFBUiZjzzc")),
    {"alg": "RS256", "kid": "RQ8DuhdxCczyMvy7GNJb4Ka3lQ99vrSo3oFBUiZjzzc"},
    {
        "ver": 1,
        "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
        "iss": _OKTA,
        "aud": "api://default",
        "sub": "ada@example.com",
        **times(),
        "cid": "nmdP1fcyvdVO11AL7ECm",
        "uid": "00ujmkLgagxeRrAg20g3",
        "scp": ["openid", "orders:read"],
        "auth_time": mint.NOW - 60,
    },
    audience="api://default",
    scopes=("openid", "orders:read"),
    rejected={
        "ID token": Change(C.WRONG_AUDIENCE, {"aud": "nmdP1fcyvdVO11AL7ECm", "cid": OMIT, "scp": OMIT, "nonce": "n"}),
        "ID token for an API of the client's name": Change(C.MISSING_CLAIM, {"cid": OMIT, "scp": OMIT, "nonce": "n"}),
        "the organization's own server": Change(
            C.WRONG_ISSUER, {"iss": "https://example.okta.com", "aud": "https://example.okta.com"}
        ),
        "another authorization server": Change(
            C.WRONG_ISSUER, {"iss": "https://example.okta.com/oauth2/aus9o8wzkhckw9TLa0h7"}
        ),
        "another organization": Change(C.WRONG_ISSUER, {"iss": "https://other.okta.com/oauth2/default"}),
    },
)

# https://www.keycloak.org/securing-apps/oidc-layers; org.keycloak.representations.AccessToken and IDToken
_KEYCLOAK = "https://sso.example/realms/shop"
ROWS["keycloak"] = Row(
    issuers.keycloak("https://sso.example/", "shop"),
    discovered(
        _KEYCLOAK,
        f"{_KEYCLOAK}/protocol/openid-connect/certs",
        mint.public_jwk("rsa-b", kid="encryption", use="enc", alg="RSA-OAEP", x5c=["MIIC"]),
        rsa_key("FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE", x5c=["MIIC"], **{"x5t#S256": "x"}),
    ),
    {"alg": "RS256", "typ": "JWT", "kid": "FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE"},
    {
        **times(),
        "jti": "b4ef3d57-2f7b-4a7e-bf3c-7d2f6c9d0f8e",
        "iss": _KEYCLOAK,
        "aud": ["orders", "account"],
        "sub": "f1b2c3d4-0000-4000-8000-000000000001",
        "typ": "Bearer",
        "azp": "shop-web",
        "sid": "c3b7f3a0-0000-4000-8000-000000000002",
        "acr": "1",
        "allowed-origins": ["https://shop.example"],
        "realm_access": {"roles": ["offline_access", "uma_authorization"]},
        "resource_access": {"account": {"roles": ["manage-account"]}},
        "scope": "email orders:read",
        "email_verified": False,
        "preferred_username": "ada",
    },
    audience="orders",
    scopes=("email", "orders:read"),
    left_out=((0, "not_for_signatures"),),
    rejected={
        "ID token": Change(C.WRONG_AUDIENCE, {"typ": "ID", "aud": "shop-web", "scope": OMIT, "at_hash": "x"}),
        "ID token for an API of the client's name": Change(
            C.MISSING_CLAIM, {"typ": "ID", "scope": OMIT, "at_hash": "x"}
        ),
        "another realm": Change(C.WRONG_ISSUER, {"iss": "https://sso.example/realms/master"}),
        "without an audience": Change(C.MISSING_CLAIM, {"aud": OMIT}),
        "a refresh token": Change(C.ALGORITHM_NOT_ALLOWED, {"typ": "Refresh"}, {"alg": "HS512"}),
    },
)

# https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
_GOOGLE_CLIENT = "407408718192.apps.googleusercontent.com"
_GOOGLE_KEYS = discovered(
    "https://accounts.google.com", "https://www.googleapis.com/oauth2/v3/certs", rsa_key("1bb9605c36e98e3211")
)
_GOOGLE_CLAIMS = {
    "iss": "https://accounts.google.com",
    "azp": _GOOGLE_CLIENT,
    "aud": _GOOGLE_CLIENT,
    "sub": "10769150350006150715113082367",
    "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
    "hd": "example.com",
    "email": "jsmith@example.com",
    "email_verified": True,
    **times(),
    "nonce": "0394852-3190485-2490358",
}
_GOOGLE_HEADER = {"alg": "RS256", "kid": "1bb9605c36e98e3211", "typ": "JWT"}
_GOOGLE_REJECTED = {
    "another client": Change(C.WRONG_AUDIENCE, {"aud": "other.apps.googleusercontent.com"}),
    "http": Change(C.WRONG_ISSUER, {"iss": "http://accounts.google.com"}),
    "a host below": Change(C.WRONG_ISSUER, {"iss": "accounts.google.com.attacker.example"}),
    "a final slash": Change(C.WRONG_ISSUER, {"iss": "https://accounts.google.com/"}),
}
ROWS["google"] = Row(
    issuers.google(), _GOOGLE_KEYS, _GOOGLE_HEADER, _GOOGLE_CLAIMS, audience=_GOOGLE_CLIENT, rejected=_GOOGLE_REJECTED
)
ROWS["google, without https"] = Row(
    issuers.google(),
    _GOOGLE_KEYS,
    _GOOGLE_HEADER,
    {**_GOOGLE_CLAIMS, "iss": "accounts.google.com"},
    audience=_GOOGLE_CLIENT,
    rejected=_GOOGLE_REJECTED,
)

# https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
_COGNITO = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE"
_COGNITO_KEYS = {
    f"{_COGNITO}/.well-known/jwks.json": {"keys": [rsa_key("id-tokens=", "rsa-b"), rsa_key("1234example=")]}
}
_COGNITO_CLAIMS = {
    "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "cognito:groups": ["testgroup"],
    "iss": _COGNITO,
    "version": 2,
    "client_id": "xxxxxxxxxxxxexample",
    "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "event_id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "token_use": "access",
    "scope": "phone openid resourceserver.1/appclient2",
    "auth_time": mint.NOW - 60,
    **times(),
    "jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "username": "my-test-user",
}
_COGNITO_HEADER = {"kid": "1234example=", "alg": "RS256"}
_COGNITO_REJECTED = {
    "ID token": Change(
        C.MISSING_CLAIM,
        {"client_id": OMIT, "scope": OMIT, "token_use": "id", "aud": "xxxxxxxxxxxxexample"},
        {"kid": "id-tokens="},
        "rsa-b",
    ),
    "another client of the pool": Change(C.WRONG_AUDIENCE, {"client_id": "another-client"}),
    "another pool": Change(C.WRONG_ISSUER, {"iss": f"{_COGNITO}2"}),
    "for another API": Change(C.WRONG_AUDIENCE, {"aud": "https://other.example"}),
    "an identity pool": Change(C.WRONG_ISSUER, {"iss": "https://cognito-identity.amazonaws.com"}),
}
ROWS["cognito"] = Row(
    issuers.cognito("eu-central-1", "eu-central-1_EXAMPLE", client_ids=["xxxxxxxxxxxxexample"]),
    _COGNITO_KEYS,
    _COGNITO_HEADER,
    _COGNITO_CLAIMS,
    audience=None,
    scopes=("phone", "openid", "resourceserver.1/appclient2"),
    rejected=_COGNITO_REJECTED,
)
ROWS["cognito, bound to a resource"] = Row(
    issuers.cognito("eu-central-1", "eu-central-1_EXAMPLE", client_ids=["xxxxxxxxxxxxexample"], audience=API),
    _COGNITO_KEYS,
    _COGNITO_HEADER,
    {**_COGNITO_CLAIMS, "aud": API},
    audience=None,
    scopes=("phone", "openid", "resourceserver.1/appclient2"),
    rejected=_COGNITO_REJECTED,
)

# https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple
ROWS["apple"] = Row(
    issuers.apple(),
    {"https://appleid.apple.com/auth/keys": {"keys": [rsa_key("YuyXoY", "rsa-b"), rsa_key("W6WcOKB")]}},
    {"kid": "W6WcOKB", "alg": "RS256"},
    {
        "iss": "https://appleid.apple.com",
        "aud": "com.example.app",
        **times(),
        "sub": "001234.0123456789abcdef0123456789abcdef.1234",
        "nonce": "n",
        "c_hash": "x",
        "email": "8abc@privaterelay.appleid.com",
        "email_verified": "true",
        "is_private_email": "true",
        "auth_time": mint.NOW - 60,
        "nonce_supported": True,
    },
    audience="com.example.app",
    rejected={
        "another app": Change(C.WRONG_AUDIENCE, {"aud": "com.example.other"}),
        "another issuer": Change(C.WRONG_ISSUER, {"iss": "https://appleid.apple.com/"}),
    },
)
