"""Hydra, Duende, Zitadel and Logto: issuers that need no function of their own."""

from __future__ import annotations

import mint
from issuer_row import API, OMIT, Change, Row, discovered, rsa_key, times

import watchword as ww
from watchword import ErrorCode

C = ErrorCode

ROWS: dict[str, Row] = {}

# https://www.ory.sh/docs/oauth2-oidc/jwt-access-token
_HYDRA = "https://hydra.example/"
_HYDRA_CLAIMS = {
    "aud": [],
    "client_id": "738ac601-8fd4-4797-922d-eeb4c5927067",
    **times(nbf=mint.NOW - 60),
    "ext": {"tier": "gold"},
    "iss": _HYDRA,
    "jti": "e3186675-437d-4ac6-8745-d84e50bb491f",
    "scp": ["openid", "offline"],
    "sub": "738ac601-8fd4-4797-922d-eeb4c5927067",
}
_HYDRA_KEYS = discovered(_HYDRA, f"{_HYDRA}.well-known/jwks.json", rsa_key("0ba7cb8e-dad2-4f9e-96e4-b3732b71ae77"))
_HYDRA_HEADER = {"alg": "RS256", "kid": "0ba7cb8e-dad2-4f9e-96e4-b3732b71ae77", "typ": "JWT"}
ROWS["hydra"] = Row(
    ww.Issuer(_HYDRA),
    _HYDRA_KEYS,
    _HYDRA_HEADER,
    _HYDRA_CLAIMS,
    audience=None,
    scopes=("openid", "offline"),
    rejected={"for an audience": Change(C.WRONG_AUDIENCE, {"aud": [API]})},
)
ROWS["hydra, with an audience"] = Row(
    ww.Issuer(_HYDRA),
    _HYDRA_KEYS,
    _HYDRA_HEADER,
    {**_HYDRA_CLAIMS, "aud": [API]},
    scopes=("openid", "offline"),
    rejected={"without an audience": Change(C.MISSING_CLAIM, {"aud": []})},
)

# https://docs.duendesoftware.com/identityserver/tokens/extension-grants/#token-exchange
_DUENDE = "https://identity.example"
ROWS["duende"] = Row(
    ww.Issuer(_DUENDE, types=("at+jwt",)),
    discovered(_DUENDE, f"{_DUENDE}/.well-known/openid-configuration/jwks", rsa_key("8C5D1FEXAMPLE")),
    {"alg": "RS256", "kid": "8C5D1FEXAMPLE", "typ": "at+jwt"},
    {
        "iss": _DUENDE,
        **times(nbf=mint.NOW - 60),
        "aud": ["urn:api2"],
        "scope": ["api2", "offline_access"],
        "amr": ["urn:ietf:params:oauth:grant-type:token-exchange"],
        "client_id": "front-end",
        "act": {"client_id": "api1"},
        "sub": "123",
        "auth_time": mint.NOW - 60,
        "idp": "local",
        "jti": "F6E6F2EDE86EB8731EF609A4FE40ED89",
    },
    audience="urn:api2",
    scopes=("api2", "offline_access"),
    rejected={
        "ID token": Change(C.WRONG_TYPE, {"aud": "front-end", "scope": OMIT, "act": OMIT}, {"typ": "JWT"}),
        "an actor that nothing names": Change(C.MALFORMED_CLAIMS, {"act": {}}),
    },
)

# https://zitadel.com/docs/apis/openidoauth/claims
_ZITADEL = "https://example.zitadel.cloud"
ROWS["zitadel"] = Row(
    ww.Issuer(_ZITADEL),
    discovered(_ZITADEL, f"{_ZITADEL}/oauth/v2/keys", rsa_key("195166EXAMPLE")),
    {"alg": "RS256", "kid": "195166EXAMPLE", "typ": "JWT"},
    {
        "iss": _ZITADEL,
        "sub": "77776025198584418",
        "aud": ["69234237810729234", "69234237810729019"],
        **times(nbf=mint.NOW - 60),
        "jti": "69234237813329048",
        "azp": "69234237810729234",
        "urn:zitadel:iam:org:project:roles": {"user": {"id1": "acme.zitadel.cloud"}},
    },
    audience="69234237810729019",
    rejected={"another project": Change(C.WRONG_AUDIENCE, {"aud": ["69234237810729234"]})},
)

# https://docs.logto.io/authorization/validate-access-tokens
_LOGTO = "https://tenant.logto.app/oidc"
ROWS["logto"] = Row(
    ww.Issuer(_LOGTO, types=("at+jwt",)),
    discovered(_LOGTO, f"{_LOGTO}/jwks", mint.public_jwk("p384", kid="ZCeFEXAMPLE", use="sig", alg="ES384")),
    {"alg": "ES384", "kid": "ZCeFEXAMPLE", "typ": "at+jwt"},
    {
        "jti": "VovNyqJ5_tuYac89eTbpF",
        "sub": "rkxl1ops7gs1",
        **times(),
        "scope": "read:orders write:orders",
        "client_id": "pdxjk0s8rq2dm",
        "iss": _LOGTO,
        "aud": API,
    },
    key="p384",
    scopes=("read:orders", "write:orders"),
    rejected={
        "ID token": Change(C.WRONG_TYPE, {"aud": "pdxjk0s8rq2dm", "scope": OMIT}, {"typ": "JWT"}),
        "another API": Change(C.WRONG_AUDIENCE, {"aud": "https://other.example"}),
    },
)
