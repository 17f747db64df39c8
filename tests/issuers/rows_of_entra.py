"""Microsoft Entra and Azure AD B2C: one tenant, several, any."""

from __future__ import annotations

from typing import Any

import mint
from issuer_row import OMIT, Change, Row, changed, times

import watchword as ww
from watchword import ErrorCode, issuers

C = ErrorCode

TENANT = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
OTHER_TENANT = "82229342-1101-4ab6-817b-70c0747630f3"
NEVER_LISTED = "fa15d692-e9c7-4460-a743-29f29522229f"
APP = "6e74172b-be56-4843-9ff4-e66a39bb12e3"

MICROSOFT = "https://login.microsoftonline.com"

ROWS: dict[str, Row] = {}

# https://learn.microsoft.com/entra/identity-platform/access-tokens, /access-token-claims-reference
_ENTRA_KEY = "jS1Xo1OWDj_52vbwGNgvQO2VzMc"
_CONSUMER_KEY = "yreX2PsLi-qkbR8QDOmB_ySxp8Q"


def _entra_keys(**members: Any) -> dict[str, Any]:
    return {"keys": [mint.public_jwk("rsa", kid=_ENTRA_KEY, use="sig", x5t=_ENTRA_KEY, x5c=["MIID"], **members)]}


def _entra_claims(tenant: str = TENANT, **more: Any) -> dict[str, Any]:
    return {
        "aud": APP,
        "iss": f"{MICROSOFT}/{tenant}/v2.0",
        **times(nbf=mint.NOW - 60),
        "aio": "AXQAi/8IAAAA",
        "azp": "75dbe77f-10a3-4e59-85fd-8c127544f17c",
        "azpacr": "0",
        "name": "Abe Lincoln",
        "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
        "preferred_username": "abeli@example.com",
        "rh": "I",
        "scp": "Orders.Read Orders.Write",
        "roles": ["Admin"],
        "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
        "tid": tenant,
        "uti": "fqiBqXLPj0eQa82S-IYFAA",
        "ver": "2.0",
        **more,
    }


_ENTRA_HEADER = {"typ": "JWT", "alg": "RS256", "kid": _ENTRA_KEY}
_ENTRA_ID_TOKEN = {"azp": OMIT, "azpacr": OMIT, "scp": OMIT, "nonce": "n"}

ROWS["entra, one tenant"] = Row(
    issuers.entra(TENANT),
    {f"{MICROSOFT}/{TENANT}/discovery/v2.0/keys": _entra_keys(issuer=f"{MICROSOFT}/{TENANT}/v2.0")},
    _ENTRA_HEADER,
    _entra_claims(),
    audience=APP,
    scopes=("Orders.Read", "Orders.Write"),
    rejected={
        "ID token for the same application": Change(C.MISSING_CLAIM, _ENTRA_ID_TOKEN),
        "another tenant": Change(C.WRONG_ISSUER, _entra_claims(OTHER_TENANT)),
        "version 1": Change(C.WRONG_ISSUER, {"iss": f"https://sts.windows.net/{TENANT}/", "ver": "1.0"}),
        "for another API": Change(C.WRONG_AUDIENCE, {"aud": "00000003-0000-0000-c000-000000000000"}),
    },
)
_ENTRA_V1_CLAIMS = {
    **changed(_entra_claims(), {"azp": OMIT, "azpacr": OMIT, "preferred_username": OMIT}),
    "aud": "api://orders",
    "iss": f"https://sts.windows.net/{TENANT}/",
    "appid": "75dbe77f-10a3-4e59-85fd-8c127544f17c",
    "appidacr": "0",
    "unique_name": "abeli@example.com",
    "ver": "1.0",
}
ROWS["entra, version 1"] = Row(
    issuers.entra(TENANT, version=1, scope_claims=("scp", "roles")),
    {f"{MICROSOFT}/{TENANT}/discovery/keys": _entra_keys()},
    {**_ENTRA_HEADER, "x5t": _ENTRA_KEY},
    _ENTRA_V1_CLAIMS,
    audience="api://orders",
    scopes=("Orders.Read", "Orders.Write", "Admin"),
    rejected={
        "ID token": Change(C.MISSING_CLAIM, {"appid": OMIT, "appidacr": OMIT, "scp": OMIT}),
        "version 2": Change(C.WRONG_ISSUER, {"iss": f"{MICROSOFT}/{TENANT}/v2.0", "ver": "2.0"}),
        "another tenant": Change(
            C.WRONG_ISSUER, {"iss": f"https://sts.windows.net/{OTHER_TENANT}/", "tid": OTHER_TENANT}
        ),
        "without the final slash": Change(C.WRONG_ISSUER, {"iss": f"https://sts.windows.net/{TENANT}"}),
    },
)

_COMMON_KEYS = {
    f"{MICROSOFT}/common/discovery/v2.0/keys": {
        "keys": [
            *_entra_keys(issuer=f"{MICROSOFT}/{{tenantid}}/v2.0")["keys"],
            mint.public_jwk(
                "rsa-b", kid=_CONSUMER_KEY, use="sig", x5t=_CONSUMER_KEY, x5c=["MIID"],
                issuer=f"{MICROSOFT}/{issuers.MICROSOFT_ACCOUNTS}/v2.0",
            ),
        ]
    }
}  # fmt: skip
_LYING_TENANTS = {
    "tid of another tenant": Change(C.WRONG_ISSUER, {"tid": OTHER_TENANT}),
    "iss of another tenant": Change(C.WRONG_ISSUER, {"iss": f"{MICROSOFT}/{OTHER_TENANT}/v2.0"}),
    "without tid": Change(C.MISSING_CLAIM, {"tid": OMIT}),
    "the template itself": Change(C.WRONG_ISSUER, {"iss": f"{MICROSOFT}/{{tid}}/v2.0", "tid": "{tid}"}),
    "Microsoft's template": Change(C.WRONG_ISSUER, {"iss": f"{MICROSOFT}/{{tenantid}}/v2.0"}),
    "common for a tenant": Change(C.WRONG_ISSUER, {"iss": f"{MICROSOFT}/common/v2.0"}),
    "a path for a tenant": Change(C.WRONG_ISSUER, {"iss": f"{MICROSOFT}/{TENANT}/x/v2.0", "tid": f"{TENANT}/x"}),
    "an empty tenant": Change(C.WRONG_ISSUER, {"iss": f"{MICROSOFT}//v2.0", "tid": ""}),
    "ID token for the same application": Change(C.MISSING_CLAIM, _ENTRA_ID_TOKEN),
    "version 1": Change(C.WRONG_ISSUER, {"iss": f"https://sts.windows.net/{TENANT}/"}),
    "the consumers' key": Change(C.WRONG_ISSUER, header={"kid": _CONSUMER_KEY}, key="rsa-b"),
}
ROWS["entra, listed tenants"] = Row(
    issuers.entra(tenants=[TENANT, OTHER_TENANT.upper()]),
    _COMMON_KEYS,
    _ENTRA_HEADER,
    _entra_claims(),
    audience=APP,
    scopes=("Orders.Read", "Orders.Write"),
    rejected={
        **_LYING_TENANTS,
        "a tenant that is not listed": Change(C.WRONG_ISSUER, _entra_claims(NEVER_LISTED)),
        "a personal account": Change(
            C.WRONG_ISSUER, _entra_claims(issuers.MICROSOFT_ACCOUNTS), {"kid": _CONSUMER_KEY}, "rsa-b"
        ),
    },
)
ROWS["entra, any tenant"] = Row(
    issuers.entra(tenants=ww.ANY_TENANT),
    _COMMON_KEYS,
    _ENTRA_HEADER,
    _entra_claims(NEVER_LISTED),
    audience=APP,
    scopes=("Orders.Read", "Orders.Write"),
    rejected=_LYING_TENANTS,
)

# https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview
_B2C = f"https://contoso.b2clogin.com/{TENANT}/v2.0/"
_B2C_CLAIMS = {
    "ver": "1.0",
    "iss": _B2C,
    "sub": "884408e1-2918-4cc0-b12d-3aa027d7563b",
    "aud": APP,
    "tfp": "b2c_1_signupsignin1",
    "scp": "read write",
    "azp": "975251ed-e4f5-4efd-abcb-5f1a8f566ab7",
    **times(nbf=mint.NOW - 60),
}
_B2C_KEYS = {
    f"https://contoso.b2clogin.com/{TENANT}/b2c_1_signupsignin1/discovery/v2.0/keys": {
        "keys": [mint.public_jwk("rsa", kid="GvnPApfWMdLRi8PDmisFn7bprKg", use="sig", nbf=1493763266)]
    }
}
_B2C_HEADER = {"typ": "JWT", "alg": "RS256", "kid": "GvnPApfWMdLRi8PDmisFn7bprKg"}
ROWS["entra B2C"] = Row(
    issuers.entra_b2c("contoso.b2clogin.com", TENANT, "B2C_1_signupsignin1"),
    _B2C_KEYS,
    _B2C_HEADER,
    _B2C_CLAIMS,
    audience=APP,
    scopes=("read", "write"),
    rejected={
        "ID token for the same application": Change(C.MISSING_CLAIM, {"scp": OMIT, "azp": OMIT, "nonce": "n"}),
        "another B2C tenant": Change(C.WRONG_ISSUER, {"iss": f"https://contoso.b2clogin.com/{OTHER_TENANT}/v2.0/"}),
        "without the final slash": Change(C.WRONG_ISSUER, {"iss": _B2C.rstrip("/")}),
    },
)
ROWS["entra B2C, the user flow in iss"] = Row(
    issuers.entra_b2c("contoso.b2clogin.com", TENANT, "B2C_1_signupsignin1", tfp_issuer=True),
    _B2C_KEYS,
    _B2C_HEADER,
    {**_B2C_CLAIMS, "iss": f"https://contoso.b2clogin.com/tfp/{TENANT}/b2c_1_signupsignin1/v2.0/"},
    audience=APP,
    scopes=("read", "write"),
    rejected={
        "another user flow": Change(
            C.WRONG_ISSUER, {"iss": f"https://contoso.b2clogin.com/tfp/{TENANT}/b2c_1_passwordreset/v2.0/"}
        ),
        "iss without the user flow": Change(C.WRONG_ISSUER, {"iss": _B2C}),
    },
)
